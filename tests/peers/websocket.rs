//! WebSocket frames as two Python libraries write them: our reader finds the same messages.

use std::process::Command;

use serde_json::Value;
use wire::span::StreamSide;
use wire::tape::Window;
use wire::websocket::{DeflateParams, MessageLimits, MessageReader};

use super::counterpart::{python, script};

#[test]
fn the_messages_of_websockets_and_wsproto_are_read() {
    let Some(python) = python("websockets, wsproto") else {
        return;
    };
    let output = Command::new(python)
        .arg(script("websocket.py"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    // Two libraries, four modes, two sides.
    assert_eq!(lines.lines().count(), 16);
    for line in lines.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = format!("{} {} {}", case["library"], case["mode"], case["side"]);
        let extensions = case["extensions"].as_str().unwrap().as_bytes();
        let deflate = DeflateParams::read([extensions]);
        assert_eq!(deflate.is_some(), case["mode"] != "none", "{name}");
        let side = match case["side"].as_str() {
            Some("sent") => StreamSide::Sent,
            _ => StreamSide::Received,
        };
        let bytes = hex::decode(case["bytes"].as_str().unwrap()).unwrap();
        let mut reader = MessageReader::new(side, 0, deflate, MessageLimits::default());
        let window = Window {
            base: 0,
            bytes: &bytes,
            ended: true,
        };
        let mut read = Vec::new();
        while let Some(message) = reader.step(window) {
            assert_eq!(message.faults, [], "{name}");
            read.push((message.opcode.to_string(), hex::encode(&message.payload)));
        }
        let written = case["messages"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let written: Vec<_> = written
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect();
        assert!(
            read == written,
            "{name}: {} of {} messages",
            read.len(),
            written.len()
        );
        assert_eq!(reader.at(), bytes.len() as u64, "{name}");
    }
}
