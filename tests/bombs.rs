//! Bodies of which far more comes out than went in: every view stops early, says where and why, and what came
//! is kept.

mod common;

use std::io::Write as _;

use common::{Home, Server};

/// How much comes out of the bomb: ten times as much as is decoded at any ratio.
const SIZE: usize = 160 << 20;

/// A JSON string of `SIZE` letters and a bit, as `gzip`.
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

/// A folder whose capture `c.wire` is of an exchange that was answered with the bomb.
fn bombed(flags: &[&str], code: i32) -> (Home, common::Run) {
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
    let run = home.wire(&[&fixed[..], &kept, flags].concat()).ends(code);
    // All that came is in the capture, whatever was decoded of it.
    let raw = home.wire(&["show", "-q", "--undecoded"]);
    assert!(raw.out == coded, "the coded bytes are kept");
    (home, run)
}

const REASON: &str = "gzip: more than 200 bytes come out for each that went in (byte ";

#[test]
fn every_view_stops_early_and_says_so() {
    let (home, run) = bombed(&[], 4);
    let passed = run.says(REASON).says("--max-ratio").out.len();
    assert!(passed < SIZE / 8, "{passed} bytes passed by");

    home.wire(&["show", "--summary"]).ends(4).says(REASON);
    home.wire(&["show", "--usage"]).ends(4).says(REASON);
    home.wire(&["ls", "--grep", "no such words"])
        .ends(0)
        .says(REASON);
    home.wire(&["ls", "--answer", "no such words"])
        .ends(0)
        .says(REASON);
    home.wire(&["diff", "@", "@"]).says(REASON);
    let found = home.wire(&["ls", "--grep", "\"first\""]).ends(0);
    assert!(found.out().contains(" 200 "), "{}", found.out());

    let document = home.wire(&["show", "--json"]).ends(4).json();
    let told = document["response"]["body"]["trouble"].as_str();
    assert!(told.is_some_and(|told| told.contains(REASON)), "{told:?}");
}

#[test]
fn the_limits_are_the_users_own() {
    let (home, run) = bombed(&["--max-ratio", "2000"], 0);
    assert!(run.out.len() > SIZE, "it passes by whole");
    let flags = ["show", "--summary", "--max-ratio", "2000"];
    home.wire(&flags).ends(0);
    let lower = [&flags[..], &["--max-decoded", "20M"]].concat();
    home.wire(&lower)
        .ends(4)
        .says("more than 20971520 bytes come out")
        .says("--max-decoded");
    let document = [&["show", "--json"][..], &flags[2..]].concat();
    let document = home.wire(&document).ends(0);
    assert!(document.out.len() > SIZE, "it is held whole");
}
