//! Ids that look random and are not: equal seeds give equal ids.

/// Mixes a number so that each bit of the result depends on each of its bits (splitmix64, <https://prng.di.unimi.it/splitmix64.c>).
pub(super) fn mix_bits(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash of `text` (FNV-1a, 64 bits).
pub(super) fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// An id of `prefix` and `length` letters and digits.
pub(super) fn alphanumeric_id(prefix: &str, seed: u64, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    pseudo_random_text(prefix, seed, length, ALPHABET)
}

/// An id of `prefix` and `length` hexadecimal digits.
pub(super) fn hex_id(prefix: &str, seed: u64, length: usize) -> String {
    pseudo_random_text(prefix, seed, length, b"0123456789abcdef")
}

fn pseudo_random_text(prefix: &str, seed: u64, length: usize, alphabet: &[u8]) -> String {
    let mut text = prefix.to_owned();
    let mut state = seed;
    let count = alphabet.len().max(1) as u64;
    for _ in 0..length {
        state = mix_bits(state);
        let at = usize::try_from(state % count).unwrap_or(0);
        text.extend(alphabet.get(at).map(|&byte| char::from(byte)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_ids() {
        assert_eq!(
            alphanumeric_id("call_", 7, 24),
            alphanumeric_id("call_", 7, 24)
        );
        assert_ne!(
            alphanumeric_id("call_", 7, 24),
            alphanumeric_id("call_", 8, 24)
        );
        assert_eq!(hex_id("req_", 1, 32).len(), 36);
    }
}
