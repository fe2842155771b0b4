//! Exchanges of one connection as text, one event a line; splits and interleavings by property tests.

use super::checks::{fuzz_connection, read_in_steps};
use super::*;

/// The starts, interesting spans and ends of both directions, one a line.
fn story(sent: &str, received: &str) -> String {
    let (requests, responses) = read_in_steps(sent.as_bytes(), received.as_bytes(), &[]);
    let lines = |events: Vec<ConnectionEvent>, text: &str, mark: char| {
        let line = |found: ConnectionEvent| {
            let slice = |span: Span| {
                let text = &text[span.start as usize..span.end as usize];
                text.trim_end().to_owned()
            };
            let what = match found.event {
                Event::Start(start) => slice(start.line()),
                Event::Data(span) => format!("data {}", slice(span)),
                Event::Unframed(span) => format!("unframed {}", slice(span)),
                Event::End(end) => format!("end {end:?}"),
                _ => return None,
            };
            Some(format!("{mark}{} {what}\n", found.exchange))
        };
        events.into_iter().filter_map(line).collect::<String>()
    };
    lines(requests, sent, '>') + &lines(responses, received, '<')
}

const GET: &str = "GET / HTTP/1.1\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

#[test]
fn pipelined_requests_get_their_responses_in_order() {
    assert_eq!(
        story(&format!("{HEAD}{GET}"), &format!("{OK}{OK}ab")),
        "\
>0 HEAD / HTTP/1.1
>0 end Complete
>1 GET / HTTP/1.1
>1 end Complete
<0 HTTP/1.1 200 OK
<0 end Complete
<1 HTTP/1.1 200 OK
<1 data ab
<1 end Complete
"
    );
}

#[test]
fn interim_responses_belong_to_the_exchange_of_the_final_one() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n";
    assert_eq!(
        story(GET, &format!("{interim}{OK}ab")),
        "\
>0 GET / HTTP/1.1
>0 end Complete
<0 HTTP/1.1 100 Continue
<0 end Complete
<0 HTTP/1.1 103 Early Hints
<0 end Complete
<0 HTTP/1.1 200 OK
<0 data ab
<0 end Complete
"
    );
}

#[test]
fn a_switch_of_protocols_ends_http_in_both_directions() {
    let asked = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(
        story(
            &format!("{asked}ping"),
            "HTTP/1.1 101 Switching\r\n\r\npong"
        ),
        "\
>0 GET /ws HTTP/1.1
>0 end Complete
>0 unframed ping
<0 HTTP/1.1 101 Switching
<0 end Complete
<0 unframed pong
"
    );
    let connect = "CONNECT a:443 HTTP/1.1\r\n\r\n";
    assert_eq!(
        story(&format!("{connect}ping"), "HTTP/1.1 200 Open\r\n\r\npong"),
        "\
>0 CONNECT a:443 HTTP/1.1
>0 end Complete
>0 unframed ping
<0 HTTP/1.1 200 Open
<0 end Complete
<0 unframed pong
"
    );
}

#[test]
fn a_refused_switch_goes_on_with_the_next_request() {
    let asked = "CONNECT a:443 HTTP/1.1\r\n\r\n";
    let refused = "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        story(&format!("{asked}{GET}"), &format!("{refused}{OK}ab")),
        "\
>0 CONNECT a:443 HTTP/1.1
>0 end Complete
>1 GET / HTTP/1.1
>1 end Complete
<0 HTTP/1.1 407 No
<0 end Complete
<1 HTTP/1.1 200 OK
<1 data ab
<1 end Complete
"
    );
}

#[test]
fn a_request_without_a_response_has_a_truncated_one() {
    assert_eq!(
        story(
            &format!("{GET}{GET}"),
            "HTTP/1.1 200 OK\r\n\r\nall the rest"
        ),
        "\
>0 GET / HTTP/1.1
>0 end Complete
>1 GET / HTTP/1.1
>1 end Complete
<0 HTTP/1.1 200 OK
<0 data all the rest
<0 end Closed
<1 end Truncated { within: StartLine, missing: None }
"
    );
}

#[test]
fn lost_framing_keeps_the_rest_of_its_direction() {
    assert_eq!(
        story("GET / HTTP/1.1\r\nno colon\r\n", &format!("{OK}ab{OK}cd")),
        "\
>0 GET / HTTP/1.1
>0 end FramingLost { at: 16, fault: NoColon }
>0 unframed no colon
<0 HTTP/1.1 200 OK
<0 data ab
<0 end Complete
<1 HTTP/1.1 200 OK
<1 data cd
<1 end Complete
"
    );
}

#[test]
fn an_idle_connection_that_ends_has_no_exchange() {
    assert_eq!(story("", ""), "");
}

#[test]
fn a_response_waits_for_the_method_of_its_request() {
    let mut connection = Connection::new(HttpLimits::default());
    let mut ends = 0;
    let mut feed = |side, bytes| {
        let mut count = 0;
        connection.feed(side, bytes, false, |found, _| {
            count += 1;
            ends += i32::from(found.event == Event::End(MessageEnd::Complete));
        });
        count
    };
    assert_eq!(feed(StreamSide::Received, OK.as_bytes()), 0);
    assert!(feed(StreamSide::Sent, b"HEAD / HTTP/1.1\r\n") > 1);
    assert_eq!(ends, 1);
}

#[test]
fn what_waits_is_bounded() {
    let mut connection = Connection::new(HttpLimits::default());
    let mut last = None;
    let many = vec![b'a'; MAX_WAITING as usize];
    for bytes in [OK.as_bytes(), &many, b"a"] {
        connection.feed(StreamSide::Received, bytes, false, |found, _| {
            last = Some(found.event)
        });
    }
    assert!(last.is_some(), "the response is read without its request");
}

#[test]
fn a_server_skips_its_own_responses() {
    let mut connection = Connection::new(HttpLimits::default());
    let mut starts = 0;
    for _ in 0..2 {
        let asked = b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n";
        connection.feed(StreamSide::Sent, asked, false, |found, _| {
            starts += i32::from(matches!(found.event, Event::Start(_)));
        });
        connection.skip_response();
    }
    assert_eq!(starts, 2);
}

proptest::proptest! {
    #[test]
    fn any_split_and_interleaving_gives_the_same_exchanges(
        steps in proptest::array::uniform4(0u8..),
        requests in proptest::collection::vec(proptest::sample::select(vec![
            GET, HEAD, "CONNECT a:1 HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "\r\n", "junk",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        ]), 0..5),
        responses in proptest::collection::vec(proptest::sample::select(vec![
            OK, "ab", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
            "HTTP/1.1 204 None\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "\r\n", "junk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        ]), 0..7),
    ) {
        let mut bytes = steps.to_vec();
        bytes.extend_from_slice(requests.concat().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(responses.concat().as_bytes());
        fuzz_connection(&bytes);
    }
}

#[test]
fn interim_responses_have_a_limit() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let end_of = |count: usize| {
        let mut connection = Connection::new(HttpLimits::default());
        let mut last = None;
        let mut take = |found: &ConnectionEvent, _: Window<'_>| {
            if let (StreamSide::Received, Event::End(end)) = (found.side, found.event) {
                last = Some(end);
            }
        };
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        connection.feed(StreamSide::Sent, request, true, &mut take);
        for _ in 0..count {
            connection.feed(StreamSide::Received, interim.as_bytes(), false, &mut take);
        }
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        connection.feed(StreamSide::Received, answer, true, &mut take);
        last
    };
    assert_eq!(end_of(10_000), Some(MessageEnd::Complete));
    let most = (256 << 10) / interim.len() + 1;
    assert_eq!(
        end_of(20_000),
        Some(MessageEnd::FramingLost {
            at: (most * interim.len()) as u64,
            fault: HttpFault::InterimTooLong
        })
    );
}
