//! The changes that the recorder makes to a request head: the Host field, and the path where an upstream has one of its
//! own. Every other byte stays.

use std::ops::Range;

use super::reader::ClientHead;
use crate::span::Span;

/// New bytes in a head, and the text that the client wrote in their place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct HeadEdit {
    /// The new bytes in the edited head.
    pub(super) span: Span,
    pub(super) was: String,
}

/// Replaces the ranges of `head` by the texts, and returns the edited head with its edits in order. Equal text is no
/// edit. The ranges are in order and do not overlap.
pub(super) fn replace(
    head: &[u8],
    ranges: impl IntoIterator<Item = (Range<usize>, String)>,
) -> (Vec<u8>, Vec<HeadEdit>) {
    let (mut out, mut edits, mut at) = (Vec::with_capacity(head.len()), Vec::new(), 0);
    for (range, text) in ranges {
        let was = head.get(range.clone()).unwrap_or_default();
        out.extend_from_slice(head.get(at..range.start).unwrap_or_default());
        let start = out.len() as u64;
        out.extend_from_slice(text.as_bytes());
        if was != text.as_bytes() {
            edits.push(HeadEdit {
                span: Span::new(start, out.len() as u64),
                was: String::from_utf8_lossy(was).into_owned(),
            });
        }
        at = range.end;
    }
    out.extend_from_slice(head.get(at..).unwrap_or_default());
    (out, edits)
}

/// The head as it goes to a server with the Host value `authority`. The part `replaced` of the target becomes `path`.
pub(super) fn address_to(
    head: &ClientHead,
    authority: &str,
    replaced: &Range<usize>,
    path: &str,
) -> (Vec<u8>, Vec<HeadEdit>) {
    let place = |at: usize| head.target.start.saturating_add(at);
    let target = (place(replaced.start)..place(replaced.end), path.to_owned());
    let host = head.host.clone().map(|host| (host, authority.to_owned()));
    replace(&head.bytes, std::iter::once(target).chain(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_ranges_change() {
        let head = b"POST /a/v1/x?y HTTP/1.1\r\nhost:  h:1 \r\n\r\n".to_vec();
        let head = ClientHead {
            target: 5..14,
            host: Some(32..35),
            bytes: head,
            ..ClientHead::default()
        };
        let (edited, edits) = address_to(&head, "api.example", &(0..2), "");
        assert_eq!(
            edited,
            b"POST /v1/x?y HTTP/1.1\r\nhost:  api.example \r\n\r\n"
        );
        let new = |edit: &HeadEdit| edit.span.of(&edited).to_vec();
        assert_eq!(
            edits.iter().map(new).collect::<Vec<_>>(),
            [b"".to_vec(), b"api.example".to_vec()]
        );
        assert_eq!(edits[0].was, "/a");
        assert_eq!(edits[1].was, "h:1");
        let (same, none) = address_to(&head, "h:1", &(0..0), "");
        assert_eq!((same, none), (head.bytes.clone(), vec![]));
    }
}
