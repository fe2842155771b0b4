//! Decompression bombs: every view stops decoding early, prints where and why, and the capture keeps the coded bytes.

mod common;

use std::io::Write as _;

use common::{Home, Server};

/// Decoded size of the bomb: ten times the 16 MiB that are decoded at any ratio.
const SIZE: usize = 160 << 20;

/// A JSON object with a string of `SIZE` letters, coded with `gzip`.
fn bomb() -> Vec<u8> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    coder.write_all(b"{\"id\":\"first\",\"filler\":\"").unwrap();
    let letters = vec![b'a'; 1 << 20];
    for _ in 0..SIZE >> 20 {
        coder.write_all(&letters).unwrap();
    }
    coder.write_all(b"\"}").unwrap();
    coder.finish().unwrap()
}

/// Sends a request that is answered with the bomb. Returns the folder with the capture `c.wire`, and the run.
fn send_to_bomb(flags: &[&str], code: i32) -> (Home, common::Run) {
    let home = Home::new();
    home.request();
    let coded = bomb();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        coded.len()
    );
    let server = Server::answering([head.as_bytes(), &coded].concat());
    let url = server.url();
    let fixed = ["send", "r.json", "--url", &url, "-q"];
    let kept = ["--capture", "captures/c.wire"];
    std::fs::create_dir(home.path("captures")).unwrap();
    let run = home
        .wire(&[&fixed[..], &kept, flags].concat())
        .exits_with(code);
    // The capture holds all received bytes, also those that were not decoded.
    let raw = home.wire(&["show", "-q", "--undecoded"]);
    assert!(raw.out == coded, "the coded bytes are kept");
    (home, run)
}

const REASON: &str = "gzip: more than 200 bytes come out for each that went in (byte ";

#[test]
fn every_view_stops_early_and_reports_it() {
    let (home, run) = send_to_bomb(&[], 4);
    let passed = run
        .err_contains(REASON)
        .err_contains("--max-ratio")
        .out
        .len();
    assert!(passed < SIZE / 8, "{passed} bytes passed by");

    home.wire(&["show", "--summary"])
        .exits_with(4)
        .err_contains(REASON);
    home.wire(&["show", "--usage"])
        .exits_with(4)
        .err_contains(REASON);
    home.wire(&["ls", "--grep", "no such words"])
        .exits_with(0)
        .err_contains(REASON);
    home.wire(&["ls", "--answer", "no such words"])
        .exits_with(0)
        .err_contains(REASON);
    home.wire(&["diff", "@", "@"]).err_contains(REASON);
    let found = home.wire(&["ls", "--grep", "\"first\""]).exits_with(0);
    assert!(found.out().contains(" 200 "), "{}", found.out());

    let document = home.wire(&["show", "--json"]).exits_with(4).json();
    let trouble = document["response"]["body"]["trouble"].as_str();
    assert!(
        trouble.is_some_and(|trouble| trouble.contains(REASON)),
        "{trouble:?}"
    );
}

#[test]
fn the_user_can_set_the_limits() {
    let (home, run) = send_to_bomb(&["--max-ratio", "2000"], 0);
    assert!(run.out.len() > SIZE, "it passes by whole");
    let flags = ["show", "--summary", "--max-ratio", "2000"];
    home.wire(&flags).exits_with(0);
    let lower = [&flags[..], &["--max-decoded", "20M"]].concat();
    home.wire(&lower)
        .exits_with(4)
        .err_contains("more than 20971520 bytes come out")
        .err_contains("--max-decoded");
    let document = [&["show", "--json"][..], &flags[2..]].concat();
    let document = home.wire(&document).exits_with(0);
    assert!(document.out.len() > SIZE, "it is held whole");
}
