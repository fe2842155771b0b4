//! The ClientHello of TLS, read from the first bytes of a connection (RFC 8446, section 4.1.2): the server name and the
//! protocols that the client offers. Pure: the caller holds the bytes and asks again when there are more.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

/// Most bytes of a ClientHello that are read. Those of browsers, with post-quantum keys, have some 2 KiB.
pub const HELLO_LIMIT: usize = 32 * 1024;

/// Size limit of the content of one record (RFC 8446, section 5.1).
const RECORD_LIMIT: usize = 1 << 14;

/// Types of a record and of a message that hold a ClientHello (RFC 8446, appendices B.1 and B.3).
const HANDSHAKE_RECORD: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// Types of extensions (RFC 6066, section 3; RFC 7301, section 3.1).
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// What the first bytes of a connection are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FirstBytes {
    /// The start of a ClientHello: more bytes are needed.
    NeedMore,
    /// No ClientHello, or one that is malformed or longer than [`HELLO_LIMIT`].
    NotTls,
    /// A whole ClientHello.
    Hello(ClientHello),
}

/// The offers of a TLS client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientHello {
    /// The host name that the client asks for, as it is written. `None` if there is none, such as for IP addresses, or
    /// it is no name.
    pub server_name: Option<String>,
    /// The application protocols, the preferred one first; empty without ALPN.
    pub alpn: Vec<Vec<u8>>,
}

impl ClientHello {
    /// Whether a server that speaks only HTTP/1.1 can serve the client. Without ALPN it is not known otherwise, and such
    /// clients speak HTTP/1.1.
    pub fn offers_http1(&self) -> bool {
        let mut names = self.alpn.iter().map(Vec::as_slice);
        self.alpn.is_empty() || names.any(|name| name == b"http/1.1")
    }
}

/// Reads the ClientHello that `bytes`, the first of a connection, begin with. Once the answer is another one than
/// [`FirstBytes::NeedMore`], further bytes do not change it.
pub fn read_client_hello(bytes: &[u8]) -> FirstBytes {
    match message_body(bytes) {
        Ok(Some(body)) => read_body(&body).map_or(FirstBytes::NotTls, FirstBytes::Hello),
        Ok(None) => FirstBytes::NeedMore,
        Err(Malformed) => FirstBytes::NotTls,
    }
}

/// Bytes that are no ClientHello.
struct Malformed;

/// The body of the handshake message, joined from the records that carry it. `None`: it is not whole yet.
fn message_body(bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        if let [kind, length @ ..] = message.as_slice() {
            if *kind != CLIENT_HELLO {
                return Err(Malformed);
            }
            if let [high, middle, low, body @ ..] = length {
                let length = big_endian(&[*high, *middle, *low]);
                if length > HELLO_LIMIT {
                    return Err(Malformed);
                }
                if let Some(body) = body.get(..length) {
                    return Ok(Some(body.to_vec()));
                }
            }
        }
        let Some(record) = next_record(rest)? else {
            return Ok(None);
        };
        message.extend_from_slice(record.content);
        match record.after {
            Some(after) => rest = after,
            // A part of a record's content is enough to see that the message is no ClientHello, but not to go on.
            None if matches!(message.first(), None | Some(&CLIENT_HELLO)) => return Ok(None),
            None => return Err(Malformed),
        }
    }
}

/// A TLS record that holds a piece of the handshake (RFC 8446, section 5.1).
struct HandshakeRecord<'a> {
    /// Its content, as far as it is there.
    content: &'a [u8],
    /// The bytes after it, if it is whole.
    after: Option<&'a [u8]>,
}

/// The record that `bytes` begin with. `None`: not even its header is whole.
fn next_record(bytes: &[u8]) -> Result<Option<HandshakeRecord<'_>>, Malformed> {
    let kind_fits = bytes.first().is_none_or(|kind| *kind == HANDSHAKE_RECORD);
    // Version 3.x: SSL 3 and TLS have it, and TLS 1.3 keeps it (RFC 8446, section 5.1).
    let version_fits = bytes.get(1).is_none_or(|major| *major == 3);
    if !kind_fits || !version_fits {
        return Err(Malformed);
    }
    let [_, _, _, high, low, content @ ..] = bytes else {
        return Ok(None);
    };
    let length = big_endian(&[*high, *low]);
    // Empty fragments of handshakes are forbidden, and would be an endless way to send nothing.
    if length == 0 || length > RECORD_LIMIT {
        return Err(Malformed);
    }
    Ok(Some(match content.split_at_checked(length) {
        Some((content, after)) => HandshakeRecord {
            content,
            after: Some(after),
        },
        None => HandshakeRecord {
            content,
            after: None,
        },
    }))
}

/// Reads the body of a ClientHello. `None` if it is malformed.
fn read_body(body: &[u8]) -> Option<ClientHello> {
    let mut fields = StructureReader(body);
    // Version and random.
    fields.take(2 + 32)?;
    // Session id, cipher suites, compression methods.
    fields.vector(1)?;
    fields.vector(2)?;
    fields.vector(1)?;
    let mut hello = ClientHello {
        server_name: None,
        alpn: Vec::new(),
    };
    if fields.0.is_empty() {
        return Some(hello);
    }
    let mut extensions = StructureReader(fields.vector(2)?);
    if !fields.0.is_empty() {
        return None;
    }
    let mut seen = Vec::new();
    while !extensions.0.is_empty() {
        let kind = u16::try_from(big_endian(extensions.take(2)?)).ok()?;
        let data = extensions.vector(2)?;
        match kind {
            SERVER_NAME | ALPN if seen.contains(&kind) => return None,
            SERVER_NAME => hello.server_name = read_server_name(data)?,
            ALPN => hello.alpn = read_protocols(data)?,
            _ => continue,
        }
        seen.push(kind);
    }
    Some(hello)
}

/// The host name of a `server_name` extension. `None` if the extension is malformed.
fn read_server_name(data: &[u8]) -> Option<Option<String>> {
    let mut data = StructureReader(data);
    let mut names = StructureReader(data.vector(2)?);
    let mut host = None;
    while !names.0.is_empty() {
        let kind = names.take(1)?;
        let name = names.vector(2)?;
        // Type 0 is a host name; there is no other (RFC 6066, section 3).
        if kind == [0] && host.is_none() {
            host = host_name(name);
        }
    }
    data.0.is_empty().then_some(host)
}

/// A host name, which is ASCII and has at most 255 bytes (RFC 1035, section 2.3.4).
fn host_name(name: &[u8]) -> Option<String> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let fits = !name.is_empty() && name.len() <= 255 && name.iter().all(is_plain);
    fits.then(|| String::from_utf8_lossy(name).into_owned())
}

/// The names of an `application_layer_protocol_negotiation` extension. `None` if it is malformed.
fn read_protocols(data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut data = StructureReader(data);
    let mut list = StructureReader(data.vector(2)?);
    let mut names = Vec::new();
    while !list.0.is_empty() {
        let name = list.vector(1)?;
        if name.is_empty() {
            return None;
        }
        names.push(name.to_vec());
    }
    data.0.is_empty().then_some(names)
}

/// Reads the fields of a TLS structure one after another (RFC 8446, section 3).
struct StructureReader<'a>(&'a [u8]);

impl<'a> StructureReader<'a> {
    /// The next `length` bytes.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    /// The next vector, whose length is written before it in `width` bytes.
    fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = big_endian(self.take(width)?);
        self.take(length)
    }
}

/// The number that at most three bytes write.
fn big_endian(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, byte| (number << 8) | usize::from(*byte))
}

/// Reads `bytes` as growing prefixes, and as records that the first byte cuts, and asserts what the functions promise.
/// The body of a fuzz target.
#[doc(hidden)]
pub fn fuzz_client_hello(bytes: &[u8]) {
    let whole = read_client_hello(bytes);
    let mut decided = None;
    for end in 0..=bytes.len() {
        let found = read_client_hello(bytes.get(..end).unwrap_or_default());
        if let Some(decided) = &decided {
            assert_eq!(*decided, found, "more bytes changed the answer");
        } else if found != FirstBytes::NeedMore {
            decided = Some(found);
        }
    }
    assert_eq!(decided.unwrap_or(FirstBytes::NeedMore), whole);
    if let FirstBytes::Hello(hello) = &whole {
        assert!(hello.alpn.iter().all(|name| !name.is_empty()));
        let size = usize::from(bytes.first().copied().unwrap_or(1)).max(1);
        if let Ok(Some(body)) = message_body(bytes) {
            let records = to_records(&body, size);
            assert_eq!(read_client_hello(&records), whole, "the records matter");
        }
    }
}

/// The ClientHello with this body, in records of at most `size` bytes.
fn to_records(body: &[u8], size: usize) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let mut message = vec![CLIENT_HELLO];
    message.extend(length.get(1..).unwrap_or_default());
    message.extend_from_slice(body);
    let mut records = Vec::new();
    for fragment in message.chunks(size.clamp(1, RECORD_LIMIT)) {
        let length = u16::try_from(fragment.len()).unwrap_or_default();
        records.extend([HANDSHAKE_RECORD, 3, 1]);
        records.extend(length.to_be_bytes());
        records.extend_from_slice(fragment);
    }
    records
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::*;

    /// The first bytes that a real client sends.
    fn real_hello(server: &str, alpn: &[&str]) -> Vec<u8> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = server.to_owned().try_into().unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    fn hello(bytes: &[u8]) -> ClientHello {
        match read_client_hello(bytes) {
            FirstBytes::Hello(hello) => hello,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_offers_of_a_real_client_are_read() {
        let read = hello(&real_hello("api.openai.com", &["h2", "http/1.1"]));
        assert_eq!(read.server_name.as_deref(), Some("api.openai.com"));
        assert_eq!(read.alpn, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert!(read.offers_http1());
        let only_h2 = hello(&real_hello("h", &["h2"]));
        assert!(!only_h2.offers_http1());
        let bare = hello(&real_hello("127.0.0.1", &[]));
        assert_eq!(bare.server_name, None);
        assert!(bare.alpn.is_empty() && bare.offers_http1());
    }

    #[test]
    fn every_prefix_and_every_cut_into_records_gives_the_same() {
        let bytes = real_hello("api.openai.com", &["http/1.1"]);
        for end in 0..bytes.len() {
            assert_eq!(
                read_client_hello(&bytes[..end]),
                FirstBytes::NeedMore,
                "{end}"
            );
        }
        let whole = read_client_hello(&bytes);
        let body = message_body(&bytes).ok().flatten().unwrap();
        for size in [1, 2, 3, 5, 100, 1000] {
            let mut records = to_records(&body, size);
            assert_eq!(read_client_hello(&records), whole, "{size}");
            records.extend(b"early data");
            assert_eq!(read_client_hello(&records), whole, "{size}");
        }
    }

    #[test]
    fn other_protocols_are_seen_at_their_first_bytes() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"G",
            b"\x16\x02",
            // A ServerHello.
            b"\x16\x03\x01\x00\x30\x02",
            // A record without content, and one that is too long.
            b"\x16\x03\x01\x00\x00",
            b"\x16\x03\x01\x40\x01",
            // A message beyond the limit.
            b"\x16\x03\x01\x00\x04\x01\x00\x80\x01",
            // SSL 2.
            b"\x80\x2e\x01\x03\x01",
        ] {
            assert_eq!(read_client_hello(bytes), FirstBytes::NotTls, "{bytes:?}");
        }
        assert_eq!(read_client_hello(b""), FirstBytes::NeedMore);
    }

    #[test]
    fn malformed_hellos_are_no_hellos() {
        let bytes = real_hello("api.openai.com", &["http/1.1"]);
        let body = message_body(&bytes).ok().flatten().unwrap();
        for cut in 34..body.len() {
            let read = read_client_hello(&to_records(&body[..cut], 500));
            // Without any extension it is a ClientHello of old.
            let is_bare = matches!(&read, FirstBytes::Hello(hello) if hello.server_name.is_none());
            assert!(read == FirstBytes::NotTls || is_bare, "{cut}: {read:?}");
        }
        let at = memchr::memmem::find(&body, b"api.openai.com").unwrap();
        let mut odd = body.clone();
        odd[at] = b'\n';
        assert_eq!(hello(&to_records(&odd, 500)).server_name, None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_promises(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            at in 0..400_usize,
            size in 1..400_usize,
        ) {
            fuzz_client_hello(&bytes);
            let body = message_body(&real_hello("a.example", &["h2"])).ok().flatten().unwrap();
            let mut records = to_records(&body, size);
            if let (Some(place), Some(byte)) = (records.get_mut(at), bytes.first()) {
                *place = *byte;
            }
            fuzz_client_hello(&records);
        }
    }
}
