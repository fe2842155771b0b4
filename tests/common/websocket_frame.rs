//! The encoder of WebSocket frames, for the tests of the library and of the whole program.

#![allow(unreachable_pub, reason = "the library's own tests include it too")]

/// A frame with the first byte `first`, masked if `key` is there.
pub fn frame(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mask = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        size @ 0..=125 => bytes.push(mask | size as u8),
        size @ 126..=65_535 => {
            bytes.push(mask | 126);
            bytes.extend((size as u16).to_be_bytes());
        }
        size => {
            bytes.push(mask | 127);
            bytes.extend((size as u64).to_be_bytes());
        }
    }
    bytes.extend(key.into_iter().flatten());
    let key = key.unwrap_or_default();
    bytes.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}
