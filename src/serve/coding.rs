//! Content codings of replies: chosen from Accept-Encoding and applied piece by piece, so that a client can
//! decode each event of a stream as soon as it arrives.

use std::io::{self, Write};

use flate2::write::GzEncoder;

/// The content coding of a reply.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReplyCoding {
    /// No coding.
    #[default]
    Identity,
    /// `gzip` (RFC 1952).
    Gzip,
    /// `zstd` (RFC 8878).
    Zstd,
}

impl ReplyCoding {
    /// The coding with the highest weight in an Accept-Encoding value; the first of equals (RFC 9110, 12.5.3).
    pub fn from_accept_encoding(value: &str) -> Self {
        let mut best = (Self::Identity, 0.0);
        for one in value.split(',') {
            let (name, parameters) = one.split_once(';').unwrap_or((one, ""));
            let coding = match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => Self::Gzip,
                "zstd" => Self::Zstd,
                _ => continue,
            };
            let weight = quality_value(parameters);
            if weight > best.1 {
                best = (coding, weight);
            }
        }
        best.0
    }

    /// The name of the coding in Content-Encoding; `None` for no coding.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// The weight in the parameters of a coding: 1 without `q=`, 0 if the number cannot be read (RFC 9110, 12.4.2).
fn quality_value(parameters: &str) -> f32 {
    let (name, value) = parameters.split_once('=').unwrap_or(("", ""));
    if name.trim().eq_ignore_ascii_case("q") {
        value.trim().parse().unwrap_or(0.0)
    } else {
        1.0
    }
}

/// The encoder of one reply body, piece by piece.
pub(super) enum BodyEncoder {
    Identity,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl BodyEncoder {
    pub(super) fn new(coding: ReplyCoding) -> io::Result<Self> {
        Ok(match coding {
            ReplyCoding::Identity => Self::Identity,
            ReplyCoding::Gzip => {
                Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::fast()))
            }
            ReplyCoding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
        })
    }

    /// Encodes `bytes`; the returned bytes can be decoded without waiting for more.
    pub(super) fn push(&mut self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(bytes),
            Self::Gzip(encoder) => {
                encoder.write_all(&bytes)?;
                encoder.flush()?;
                Ok(std::mem::take(encoder.get_mut()))
            }
            Self::Zstd(encoder) => {
                encoder.write_all(&bytes)?;
                encoder.flush()?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }

    /// The last bytes of the encoded body.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(Vec::new()),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_coding_with_the_highest_weight_is_chosen() {
        #[track_caller]
        fn case(value: &str, coding: ReplyCoding) {
            assert_eq!(ReplyCoding::from_accept_encoding(value), coding, "{value}");
        }
        case("", ReplyCoding::Identity);
        case("identity", ReplyCoding::Identity);
        case("br", ReplyCoding::Identity);
        case("gzip, deflate, br, zstd", ReplyCoding::Gzip);
        case("zstd, gzip", ReplyCoding::Zstd);
        case("gzip;q=0.5, ZSTD;q=0.8", ReplyCoding::Zstd);
        case("gzip;q=0, zstd; q=0.0", ReplyCoding::Identity);
        case("gzip;q=x", ReplyCoding::Identity);
    }

    #[test]
    fn each_piece_can_be_decoded_without_the_next() {
        for coding in [ReplyCoding::Gzip, ReplyCoding::Zstd] {
            let mut encoder = BodyEncoder::new(coding).unwrap();
            let first = encoder.push(b"data: 1\n\n".to_vec()).unwrap();
            let mut seen = [0; 9];
            match coding {
                ReplyCoding::Gzip => flate2::read::GzDecoder::new(&first[..])
                    .read_exact(&mut seen)
                    .unwrap(),
                _ => zstd::stream::read::Decoder::new(&first[..])
                    .unwrap()
                    .read_exact(&mut seen)
                    .unwrap(),
            }
            assert_eq!(&seen, b"data: 1\n\n");
            assert!(!encoder.finish().unwrap().is_empty());
        }
    }
}
