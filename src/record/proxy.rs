//! The recorder as a forward proxy: opens the TLS of known APIs with a certificate of its own, and tunnels all other
//! connections untouched.
//!
//! ```text
//! CONNECT host:port --- host is opened? --no--> tunnel
//!                            |yes
//!                       ClientHello --- no TLS, or no http/1.1 --> tunnel
//!                            |
//!                       TLS with the client, Relay, TLS with the server
//! GET http://host/path ---> Relay
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::ca::CertificateAuthority;
use super::relay::Relay;
use super::reply::OwnReply;
use super::rewound::Rewound;
use super::upstream::{UpstreamMaker, Upstreams};
use super::{Recorder, StopState};
use crate::net::{self, Clock, FirstBytes, TargetUrl};
use crate::render::program::TunnelReason;
use crate::tape::Tape;
use crate::targets::programs::ProgramTable;

/// What a recorder does as a proxy.
pub struct ProxyRules {
    /// Signs the certificates of opened hosts.
    pub authority: CertificateAuthority,
    /// Has the hosts whose TLS is opened.
    pub table: Arc<ProgramTable>,
    /// How to reach a server.
    pub make_upstream: UpstreamMaker,
}

/// Longest head of a CONNECT request, in bytes: it has two or three short fields.
const CONNECT_HEAD: usize = 16 << 10;

/// Time that a client has for its ClientHello. In some protocols the server speaks first, so silence means no TLS.
const HELLO_TIME: Duration = Duration::from_secs(5);

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Serves one client of the proxy.
pub(super) async fn serve_client(recorder: &Recorder, rules: &ProxyRules, mut client: TcpStream) {
    let Some(first) = read_method(&mut client).await else {
        return;
    };
    if !first.starts_with(CONNECT) {
        let upstreams = Upstreams::ByUrl(Arc::clone(&rules.make_upstream));
        return Relay::new(recorder, &upstreams, Rewound::new(first, client))
            .run()
            .await;
    }
    let Some((authority, early)) = read_connect(&mut client, first).await else {
        let reason = "the CONNECT request cannot be read";
        let _ = client.write_all(&OwnReply::BadRequest.bytes(reason)).await;
        return;
    };
    let connect = ConnectRequest {
        recorder,
        rules,
        client,
        authority,
        early,
        is_established: false,
    };
    match rules.table.is_api_host(connect.host()) {
        true => connect.open().await,
        false => connect.tunnel(TunnelReason::NoApi).await,
    }
}

const CONNECT: &[u8] = b"CONNECT ";

/// Reads until it is known whether the method is CONNECT. `None`: the client left.
async fn read_method(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut first = Vec::new();
    while first.len() < CONNECT.len() && CONNECT.starts_with(&first) {
        if client.read_buf(&mut first).await.ok()? == 0 {
            return None;
        }
    }
    Some(first)
}

/// Reads the rest of a CONNECT request. Returns its target and the bytes after the head.
async fn read_connect(client: &mut TcpStream, mut bytes: Vec<u8>) -> Option<(TargetUrl, Vec<u8>)> {
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut fields);
        if let httparse::Status::Complete(length) = request.parse(&bytes).ok()? {
            let target = TargetUrl::parse(&format!("https://{}", request.path?)).ok()?;
            return Some((target, bytes.split_off(length)));
        }
        if bytes.len() > CONNECT_HEAD || client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A client that asked for a tunnel.
struct ConnectRequest<'a> {
    recorder: &'a Recorder,
    rules: &'a ProxyRules,
    client: TcpStream,
    /// The server, as an `https` URL.
    authority: TargetUrl,
    /// Bytes of the tunnel that were read already.
    early: Vec<u8>,
    /// Whether the client has the answer to its request.
    is_established: bool,
}

impl ConnectRequest<'_> {
    fn host(&self) -> &str {
        self.authority.host.as_str()
    }

    /// Opens the TLS of the client, and relays what is inside.
    async fn open(mut self) {
        if self.establish().await.is_none() {
            return;
        }
        let hello = tokio::time::timeout(HELLO_TIME, self.read_hello()).await;
        match hello {
            Ok(Some(FirstBytes::Hello(hello))) if hello.offers_http1() => {}
            Ok(Some(FirstBytes::Hello(hello))) => {
                let names = hello
                    .alpn
                    .iter()
                    .map(|name| name.escape_ascii().to_string());
                let names = names.collect::<Vec<_>>().join(", ");
                return self.tunnel(TunnelReason::NoHttp1(names)).await;
            }
            Ok(None) => return,
            Ok(Some(_)) | Err(_) => return self.tunnel(TunnelReason::NoTls).await,
        }
        let config = self
            .rules
            .authority
            .server_config(self.host(), Clock::start().started());
        let (config, upstream) = match (config, (self.rules.make_upstream)(self.authority.clone()))
        {
            (Ok(config), Ok(upstream)) => (config, upstream),
            (Err(error), _) => return self.note(TunnelReason::Failed(error.to_string())),
            (_, Err(error)) => return self.note(TunnelReason::Failed(error.error)),
        };
        let Self {
            recorder,
            client,
            authority,
            early,
            ..
        } = self;
        let client = Rewound::new(early, client);
        match TlsAcceptor::from(config).accept(client).await {
            Ok(client) => {
                let upstreams = Upstreams::one(upstream);
                Relay::new(recorder, &upstreams, client).run().await;
            }
            Err(error) => {
                let reason = TunnelReason::CertificateRefused(error.to_string());
                recorder.note_tunnel(&authority.host_and_port(), reason);
            }
        }
    }

    /// Answers the request, if that was not done. `None`: the client left.
    async fn establish(&mut self) -> Option<()> {
        if !self.is_established {
            self.client.write_all(ESTABLISHED).await.ok()?;
            self.is_established = true;
        }
        Some(())
    }

    /// Reads the first bytes of the tunnel. `None`: the client left.
    async fn read_hello(&mut self) -> Option<FirstBytes> {
        loop {
            match net::read_client_hello(&self.early) {
                FirstBytes::NeedMore => {}
                known => return Some(known),
            }
            if self.client.read_buf(&mut self.early).await.ok()? == 0 {
                return None;
            }
        }
    }

    fn note(&self, reason: TunnelReason) {
        self.recorder
            .note_tunnel(&self.authority.host_and_port(), reason);
    }

    /// Passes the bytes of the tunnel on, unread.
    async fn tunnel(mut self, reason: TunnelReason) {
        let mut upstream = match (self.rules.make_upstream)(self.authority.clone()) {
            Ok(upstream) => upstream,
            Err(error) => return self.note(TunnelReason::Failed(error.error)),
        };
        upstream.route.is_tunnel = true;
        let clock = Clock::start();
        let limit = Some(self.recorder.connect_timeout);
        let cut = self.recorder.cut();
        let mut no_sink = None::<Tape>;
        let (route, tls) = (&upstream.route, &upstream.tls);
        let server = net::connect(route, tls, &clock, limit, &mut no_sink, cut).await;
        let mut server = match server {
            Ok(server) => server,
            Err(failure) => {
                if !self.is_established {
                    let reply = OwnReply::BadGateway.bytes(&failure.error);
                    let _ = self.client.write_all(&reply).await;
                }
                return self.note(TunnelReason::Failed(failure.error));
            }
        };
        self.note(reason);
        if self.establish().await.is_none() {
            return;
        }
        let early = std::mem::take(&mut self.early);
        let mut client = Rewound::new(early, self.client);
        let mut stop = self.recorder.stop.clone();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
            // A tunnel has no end that could be waited for.
            _ = stop.wait_for(|state| *state != StopState::Running) => {}
        }
    }
}
