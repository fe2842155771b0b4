//! Answers that break off, have no end, or never come.

use crate::OK;
use crate::common::{Home, Run, Server, Step, check_schema, write};

#[test]
fn a_response_that_breaks_off_is_never_a_success() {
    #[track_caller]
    fn case(response: &str, code: i32, text: &str) {
        let home = Home::new();
        home.request();
        let server = Server::answering(response);
        home.wire(&["send", "r.json", "--url", &server.url()])
            .exits_with(code)
            .err_contains(text);
        let capture = home.capture();
        check_schema(&capture);
        // The same from the capture.
        let shown = home.wire(&["show"]).exits_with(code);
        assert!(shown.out().contains(text), "{}", shown.out());
        let document = home.wire(&["show", "--json"]).exits_with(code).json();
        assert_eq!(document["received"]["bytes"], response.len() as u64);
    }
    case("", 4, "no response");
    case(
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\"",
        4,
        "5 bytes missing",
    );
    case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        4,
        "CUT in a chunk",
    );
    case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        4,
        "CUT in a chunk-size line",
    );
    case("HTTP/1.1 200 OK\r\nTransfer-Enc", 4, "CUT in the head");
    case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n",
        4,
        "UNREADABLE from byte",
    );
    case("SSH-2.0-OpenSSH_9.2\r\n", 4, "this is not HTTP/1");
    case(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        4,
        "disagree",
    );
    case(
        "HTTP/1.1 200 OK\r\n\r\nuntil the close",
        0,
        "ended by the close",
    );
    case(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        0,
        "complete: 204",
    );
    case(
        "HTTP/1.1 200 OK\nContent-Length : 2\n\nok",
        0,
        "a line ends with LF alone",
    );
    case(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        4,
        "cannot be decoded",
    );
}

#[test]
fn a_stream_that_stops_without_an_end_is_no_success() {
    #[track_caller]
    fn case(events: &str, code: i32, text: &str) {
        let home = Home::new();
        home.request();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{events}",
            events.len()
        );
        let server = Server::answering(answer);
        home.wire(&["send", "r.json", "--url", &server.url(), "-q"])
            .exits_with(code)
            .err_contains(text);
        for how in ["--events", "--raw-events", "--summary", "--text", "--json"] {
            let shown = home.wire(&["show", how]).exits_with(code);
            let cut = text.contains("inside an event") && how == "--events";
            assert!(
                !cut || shown.out().contains("CUT data: "),
                "{}",
                shown.out()
            );
        }
    }
    let begin = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";
    let finish = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    case(&format!("{begin}{finish}data: [DONE]\n\n"), 0, "");
    case(&format!("{begin}{finish}"), 0, "");
    case(begin, 4, "broken off");
    case(&format!("{begin}data: {{\"choices\""), 4, "inside an event");
    case("", 4, "broken off");
    case(
        &format!("{begin}data: {{\"error\":{{\"message\":\"overloaded\"}}}}\n\n"),
        4,
        "an error came inside the answer",
    );
}

#[test]
fn interim_responses_and_masks_beyond_a_limit_are_only_counted() {
    let home = Home::new();
    home.request();
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(300);
    let server = Server::answering(format!("{interim}{OK}"));
    let run = home.wire(&["send", "r.json", "--url", &server.url()]);
    run.exits_with(0).err_contains("44 more interim responses");
    let document = home.wire(&["show", "--json"]).exits_with(0).json();
    assert_eq!(document["interim"].as_array().unwrap().len(), 256);
    assert_eq!(document["more_interim"], 44);

    let echo = "mysecret ".repeat(300);
    let server = Server::answering(format!("HTTP/1.1 200 OK\r\n\r\n{echo}"));
    let url = server.url();
    let mut command = home.command(&["send", "r.json", "--url", &url, "--capture", "c.wire"]);
    command.env("MY_KEY", "mysecret");
    let run = Run::from_output(command.output().unwrap()).exits_with(0);
    assert_eq!(run.out(), echo.replace("mysecret", "********"));
    assert_eq!(run.err.matches("masked known key").count(), 256);
    let run = run.err_contains("44 more masked places");
    assert!(!run.err.contains("mysecret"), "{}", run.err);
    let file = std::fs::read_to_string(home.path("c.wire")).unwrap();
    assert_eq!(file.matches("\"redacted\"").count(), 300);

    let server = Server::answering("\r\n".repeat(1 << 18));
    home.wire(&["send", "r.json", "--url", &server.url(), "--no-capture"])
        .exits_with(4)
        .err_contains("UNREADABLE from byte 262144");
}

#[test]
fn a_failed_connection_names_the_address() {
    let home = Home::new();
    home.request();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("http://127.0.0.1:{port}/");
    home.wire(&["send", "r.json", "--url", &url])
        .exits_with(3)
        .err_contains(&format!("127.0.0.1:{port}"));
    home.wire(&["show"]).exits_with(3);
    home.wire(&["send", "r.json", "--url", &url, "-q"])
        .exits_with(3)
        .err_contains("wire: ");
    home.wire(&["send", "r.json", "--url", &url, "--json"])
        .exits_with(3);
    let plain = Server::start(vec![write("HTTP/1.1 400 Bad Request\r\n\r\n"), Step::Drain]);
    let url = format!("https://{}/", plain.addr);
    home.wire(&["send", "r.json", "--url", &url])
        .exits_with(3)
        .err_contains("http://");
}

#[test]
fn fail_turns_an_error_status_into_exit_code_1() {
    let home = Home::new();
    home.request();
    for (model, code) in [("error-429", 1), ("gpt-4o", 0), ("error-500", 1)] {
        home.wire(&["send", "r.json", "--to", "demo", "-f", "-m", model])
            .exits_with(code);
    }
    home.wire(&["send", "r.json", "--to", "demo", "-m", "error-429"])
        .exits_with(0);
}

#[test]
fn a_peer_that_never_ends_is_stopped() {
    #[track_caller]
    fn case(start: &str, pour: &str, flags: &[&str], text: &str, most: u64) {
        let home = Home::new();
        home.request();
        let server = Server::start(vec![
            Step::Read,
            write(start),
            Step::Pour(pour.repeat(1 << 12).into_bytes()),
        ]);
        let url = server.url();
        home.wire(&[&["send", "r.json", "--url", &url][..], flags].concat())
            .exits_with(4)
            .err_contains(text);
        let capture = home.capture();
        check_schema(&capture);
        home.wire(&["show"]).exits_with(4);
        let document = home.wire(&["show", "--json"]).exits_with(4).json();
        let received = document["received"]["bytes"].as_u64().unwrap();
        assert!(received < most, "{received}");
    }
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let lost = (1 << 20) + (512 << 10);
    case(
        ok,
        "X-A: b\r\n",
        &[],
        "the head is longer than the limit",
        lost,
    );
    case(
        "",
        "HTTP/1.1 103 Early\r\n\r\n",
        &[],
        "interim responses (1xx)",
        lost,
    );
    case(
        &format!("{chunked}0\r\n"),
        "A: b\r\n",
        &[],
        "the trailers are longer",
        lost,
    );
    case(
        &format!("{chunked}1;a="),
        "b",
        &[],
        "chunk-size line is longer",
        lost,
    );
    let extensions = format!("1;a={}\r\nx\r\n", "b".repeat(200));
    case(chunked, &extensions, &[], "far longer than the data", lost);
    case(
        "SSH-2.0-x\r\n",
        "noise\r\n",
        &[],
        "this is not HTTP/1",
        lost,
    );
    let limit = ["--max-capture", "100K"];
    let body = "HTTP/1.1 200 OK\r\n\r\n";
    case(body, "endless", &limit, "the limit is 102400", 200 << 10);
}
