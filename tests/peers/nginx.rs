//! `wire` against nginx: TLS, files, proxied answers, and error pages of a gateway.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::certificates::{Authority, authority};
use super::counterpart::{Running, program};
use crate::common::{Home, REQUEST, Run, Server, Step, check_schema, read_until, write};

const FILE: &str = "{\"object\": \"list\",\n \"data\": [\"ü\", 1.0e+2]}\n";

/// A running nginx, with a folder of its own.
struct Nginx {
    addr: SocketAddr,
    folder: TempDir,
    _running: Running,
}

/// The lines that turn TLS on at the start of a server block.
const TLS: &str = "ssl_certificate server.pem; ssl_certificate_key server.pem;";

impl Nginx {
    /// Starts nginx with TLS on loopback and a certificate of `authority`.
    #[track_caller]
    fn secure(authority: &Authority, server: &str) -> Option<Self> {
        Self::at("127.0.0.1:0", authority, &format!("{TLS} {server}"))
    }

    #[track_caller]
    fn plain(server: &str) -> Option<Self> {
        Self::at("127.0.0.1:0", &authority("unused"), server)
    }

    #[track_caller]
    fn at(address: &str, authority: &Authority, server: &str) -> Option<Self> {
        let nginx = program("nginx")?;
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: String| std::fs::write(folder.path().join(name), text);
        let issued = authority.issue(&["localhost", "127.0.0.1", "::1"], |_| {});
        put("server.pem", issued.both()).unwrap();
        put("clients.pem", authority.pem.clone()).unwrap();
        put("file.json", FILE.to_owned()).unwrap();
        let tls = if server.starts_with(TLS) { "ssl" } else { "" };
        let server = server.replace("{folder}", &folder.path().display().to_string());
        // nginx does not take port 0: it gets a port that was free, and another if that is in use by now.
        loop {
            let addr = TcpListener::bind(address).unwrap().local_addr().unwrap();
            let config = CONFIG
                .replace("{addr}", &addr.to_string())
                .replace("{tls}", tls)
                .replace("{server}", &server);
            put("nginx.conf", config).unwrap();
            let mut command = Command::new(&nginx);
            command
                .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
                .arg(folder.path());
            let running = Running::start(&mut command);
            let listens = running.wait_for(|line| match line {
                _ if line.contains("Address already in use") => Some(false),
                // nginx prints this line when all sockets listen.
                _ if line.contains("event method") => Some(true),
                _ => None,
            });
            if listens {
                return Some(Self {
                    addr,
                    folder,
                    _running: running,
                });
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.addr)
    }

    fn secure_url(&self, path: &str) -> String {
        format!("https://{}/{path}", self.addr)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

const CONFIG: &str = "
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    default_type application/json;
    server { listen {addr} {tls}; root .; {server} }
}
";

/// A home folder that holds the authority's certificate.
fn home_that_trusts(authority: &Authority) -> Home {
    let home = Home::new();
    home.request();
    home.file("ca.pem", &authority.pem);
    home
}

/// Asserts that `show` prints the same body from the capture and ends with the same exit code.
#[track_caller]
fn assert_capture_reads_back(home: &Home, run: &Run) {
    check_schema(&home.capture());
    let shown = home.wire(&["show", "-p", "b"]);
    assert_eq!(shown.code, run.code);
    assert!(shown.out == run.out, "show gives another body than send");
}

#[test]
fn files_arrive_complete_over_tls() {
    let authority = authority("authority");
    for version in ["TLSv1.3", "TLSv1.2"] {
        let server = format!("ssl_protocols {version};");
        let Some(nginx) = Nginx::secure(&authority, &server) else {
            return;
        };
        let url = nginx.secure_url("file.json");
        let home = home_that_trusts(&authority);
        let run = home
            .wire(&["send", "-X", "GET", "--url", &url, "--cacert", "ca.pem"])
            .exits_with(0)
            .err_contains("< Server: nginx")
            .err_contains("CN=leaf by CN=authority")
            .err_contains("complete: 200");
        assert!(run.err.contains(&format!("  {version} ")), "{}", run.err);
        assert!(!run.err.contains("NOT VERIFIED"), "{}", run.err);
        assert_eq!(run.out(), FILE);
        assert_capture_reads_back(&home, &run);
        let missing = nginx.secure_url("missing.json");
        home.wire(&[
            "send", "-X", "GET", "--url", &missing, "--cacert", "ca.pem", "-f",
        ])
        .exits_with(1);
    }
}

#[test]
fn a_stream_is_printed_as_it_arrives() {
    let upstream = Server::start(vec![
        Step::Read,
        write(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\n",
        ),
        Step::Wait,
        write("data: [DONE]\n\n"),
    ]);
    let authority = authority("authority");
    let pass = format!(
        "location / {{ proxy_pass http://{}; proxy_http_version 1.1; proxy_buffering off; }}",
        upstream.addr
    );
    let Some(nginx) = Nginx::secure(&authority, &pass) else {
        return;
    };
    let home = home_that_trusts(&authority);
    let url = nginx.secure_url("v1/chat/completions");
    let mut child = home
        .command(&["send", "r.json", "--url", &url, "--cacert", "ca.pem"])
        .spawn()
        .unwrap();
    read_until(child.stdout.as_mut().unwrap(), "data: 1\n\n");
    upstream.resume();
    let rest = Run::from_output(child.wait_with_output().unwrap())
        .exits_with(0)
        .err_contains("< Transfer-Encoding: chunked")
        .err_contains("2 chunks");
    assert_eq!(rest.out(), "data: [DONE]\n\n");
    let received = String::from_utf8(upstream.received()).unwrap();
    assert!(
        received.ends_with(&format!("\r\n\r\n{REQUEST}")),
        "{received}"
    );
    let shown = home.wire(&["show", "-p", "b"]).exits_with(0);
    assert_eq!(shown.out(), "data: 1\n\ndata: [DONE]\n\n");
}

#[test]
fn compressed_answers_are_decoded_or_printed_raw() {
    use std::io::Read as _;
    let gzip = "gzip on; gzip_min_length 1; gzip_types application/json;";
    let Some(nginx) = Nginx::plain(gzip) else {
        return;
    };
    let home = Home::new();
    let url = nginx.url("file.json");
    let accept = "Accept-Encoding: gzip";
    let get = ["send", "-X", "GET", "--url", &url, "-H", accept];
    let run = home
        .wire(&get)
        .exits_with(0)
        .err_contains("< Content-Encoding: gzip")
        .err_contains("< Transfer-Encoding: chunked");
    assert_eq!(run.out(), FILE);
    assert_capture_reads_back(&home, &run);

    let left = home.wire(&[&get[..], &["--undecoded=content"]].concat());
    let left = left.exits_with(0).out;
    assert!(left.starts_with(b"\x1f\x8b"));
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&left[..]);
    decoder.read_to_string(&mut text).unwrap();
    assert_eq!(text, FILE);

    let crossed = home
        .wire(&[&get[..], &["--undecoded"]].concat())
        .exits_with(0);
    let chunked = format!("{:x}\r\n", left.len()).into_bytes();
    let expected = [&chunked[..], &left, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(crossed.out, expected);
    let shown = home.wire(&["show", "-p", "b", "--undecoded"]).exits_with(0);
    assert_eq!(shown.out, expected);
}

#[test]
fn errors_of_a_gateway_are_answers() {
    // A server that never answers while the test runs.
    let silent = Server::start(vec![Step::Read, Step::Drain]);
    let server = format!(
        "client_max_body_size 1k;
         location /dead {{ proxy_pass http://unix:{{folder}}/nobody.sock; }}
         location /slow {{ proxy_pass http://{}; proxy_read_timeout 50ms; }}
         location /v1 {{ proxy_pass http://unix:{{folder}}/nobody.sock; }}",
        silent.addr
    );
    let Some(nginx) = Nginx::plain(&server) else {
        return;
    };
    let case = |path: &str, request: &[u8], status: &str| {
        let home = Home::new();
        home.file("r.json", request);
        let url = nginx.url(path);
        let run = home
            .wire(&["send", "r.json", "--url", &url])
            .exits_with(0)
            .err_contains(&format!("< HTTP/1.1 {status}"))
            .err_contains("< Content-Type: text/html");
        assert!(run.out().contains("<html>"), "{}", run.out());
        assert!(run.out().contains(status), "{}", run.out());
        assert_capture_reads_back(&home, &run);
        let code = &status[..3];
        assert!(
            run.err.contains(&format!("complete: {code}")),
            "{}",
            run.err
        );
        let run = home.wire(&["send", "r.json", "--url", &url, "-f", "-q"]);
        assert!(run.exits_with(1).out().contains("<html>"));
    };
    case("dead", b"{}", "502 Bad Gateway");
    // For the second request there is no server behind nginx at all.
    let url = nginx.url("slow");
    let home = Home::new();
    home.request();
    home.wire(&["send", "r.json", "--url", &url, "-f"])
        .exits_with(1)
        .err_contains("< HTTP/1.1 504 Gateway Time-out");
    case("v1", &[b' '; 4000], "413 Request Entity Too Large");
    // Refused after its head, while most of the body is still unsent.
    case("v1", &vec![b' '; 16 << 20], "413 Request Entity Too Large");
}

#[test]
fn wire_closes_a_kept_alive_connection() {
    let Some(nginx) = Nginx::plain("") else {
        return;
    };
    let home = Home::new();
    let url = nginx.url("file.json");
    let run = home
        .wire(&["send", "-X", "GET", "--url", &url])
        .exits_with(0)
        .err_contains("< Connection: keep-alive")
        .err_contains("closed by us");
    assert_eq!(run.out(), FILE);
    // Two requests in one file: the second answer belongs to no request that wire knows.
    let get = format!("GET /file.json HTTP/1.1\r\nHost: {}\r\n\r\n", nginx.addr);
    home.file("two.http", get.repeat(2));
    let run = home.wire(&["send", "two.http", "--raw", "--url", &url]);
    assert_eq!(run.exits_with(0).out(), FILE);
    let shown = home.wire(&["show", "-p", "b"]).exits_with(0);
    assert_eq!(shown.out(), FILE);
}

#[test]
fn http_1_0_requests_get_http_1_0_framing() {
    // The length is unknown, and chunks are unknown to HTTP/1.0: the close ends the body.
    let gzip = "gzip on; gzip_http_version 1.0; gzip_min_length 1; gzip_types application/json;";
    let Some(nginx) = Nginx::plain(gzip) else {
        return;
    };
    let home = Home::new();
    let url = nginx.url("file.json");
    let accept = "Accept-Encoding: gzip";
    let run = home
        .wire(&[
            "send",
            "-X",
            "GET",
            "--http1.0",
            "--url",
            &url,
            "-H",
            accept,
        ])
        .exits_with(0)
        .err_contains("> GET /file.json HTTP/1.0")
        .err_contains("< Connection: close")
        .err_contains("< Content-Encoding: gzip")
        .err_contains("ended by the close");
    assert_eq!(run.out(), FILE);
    assert_capture_reads_back(&home, &run);
}

#[test]
fn a_large_file_arrives_byte_for_byte() {
    let authority = authority("authority");
    let Some(nginx) = Nginx::secure(&authority, "") else {
        return;
    };
    // No two places alike, and nothing that is text.
    let mut state = 1_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let bytes: Vec<u8> = words.take(8 << 20).flatten().collect();
    std::fs::write(nginx.path("large.bin"), &bytes).unwrap();
    let home = home_that_trusts(&authority);
    let url = nginx.secure_url("large.bin");
    let run = home
        .wire(&["send", "-X", "GET", "--url", &url, "--cacert", "ca.pem"])
        .exits_with(0)
        .err_contains("67,108,864 bytes of body");
    assert!(run.out == bytes, "send gives other bytes");
    let shown = home.wire(&["show", "-p", "b"]).exits_with(0);
    assert!(shown.out == bytes, "show gives other bytes");
}

#[test]
fn client_certificates_are_shown_on_request() {
    let authority = authority("authority");
    let verify = "ssl_verify_client on; ssl_client_certificate clients.pem;";
    let Some(nginx) = Nginx::secure(&authority, verify) else {
        return;
    };
    let home = home_that_trusts(&authority);
    let me = authority.issue(&["me"], |_| {});
    let stranger = super::certificates::authority("stranger").issue(&["me"], |_| {});
    home.file("me.pem", &me.pem);
    home.file("me.key", &me.key);
    home.file("both.pem", me.both());
    home.file("stranger.pem", stranger.both());
    let url = nginx.secure_url("file.json");
    let get = |flags: &[&str]| {
        let get = [
            "send", "-X", "GET", "-f", "--url", &url, "--cacert", "ca.pem",
        ];
        home.wire(&[&get[..], flags].concat())
    };
    let run = get(&["--cert", "me.pem", "--key", "me.key"]).exits_with(0);
    assert_eq!(run.out(), FILE);
    assert_eq!(get(&["--cert", "both.pem"]).exits_with(0).out(), FILE);
    // nginx takes the connection all the same, and complains in HTTP.
    let none = get(&[])
        .exits_with(1)
        .err_contains("< HTTP/1.1 400 Bad Request");
    let text = "No required SSL certificate was sent";
    assert!(none.out().contains(text), "{}", none.out());
    let wrong = get(&["--cert", "stranger.pem"]).exits_with(1);
    let text = "The SSL certificate error";
    assert!(wrong.out().contains(text), "{}", wrong.out());
}

#[test]
fn requests_go_over_unix_sockets() {
    let authority = authority("authority");
    let server = format!("{TLS} listen unix:{{folder}}/s ssl; listen unix:{{folder}}/p;");
    let Some(nginx) = Nginx::at("127.0.0.1:0", &authority, &server) else {
        return;
    };
    for (socket, url) in [("p", "http://localhost/"), ("s", "https://localhost/")] {
        let home = home_that_trusts(&authority);
        let url = format!("{url}file.json");
        let path = nginx.path(socket).display().to_string();
        let run = home
            .wire(&[
                "send",
                "-X",
                "GET",
                "--url",
                &url,
                "--unix-socket",
                &path,
                "--cacert",
                "ca.pem",
            ])
            .exits_with(0)
            .err_contains(&format!("connected to {path}"))
            .err_contains("> Host: localhost\n");
        assert_eq!(run.out(), FILE);
        assert_capture_reads_back(&home, &run);
    }
}

#[test]
fn requests_go_over_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("SKIPPED: this machine has no ::1");
        return;
    }
    let authority = authority("authority");
    let Some(nginx) = Nginx::at("[::1]:0", &authority, TLS) else {
        return;
    };
    let home = home_that_trusts(&authority);
    let url = nginx.secure_url("file.json");
    let run = home
        .wire(&["send", "-X", "GET", "--url", &url, "--cacert", "ca.pem"])
        .exits_with(0)
        .err_contains(&format!("connected to {}", nginx.addr))
        .err_contains(&format!("> Host: {}", nginx.addr));
    assert_eq!(run.out(), FILE);
    assert_capture_reads_back(&home, &run);
    home.wire(&["send", "-X", "GET", "-4", "--url", &url])
        .exits_with(3);
}
