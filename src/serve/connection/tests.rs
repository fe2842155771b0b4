//! Tests of `serve_stream` over an in-memory pipe: requests in, replies out.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::serve::reply::{BodyAction, BodyStep, ReplyBody};

/// A handler that echoes the request line and body; some paths stream, cut or stall.
struct Echo;

impl RequestHandler for Echo {
    fn handle(&self, request: &ServerRequest) -> ServerReply {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let text = format!("{} {} [{body}]", request.method(), request.path());
        let mut reply = ServerReply::whole(200, Vec::new(), text);
        let step = |text: &str| BodyStep::immediate(BodyAction::Bytes(text.into()));
        match request.path() {
            "/events" => {
                reply.body = ReplyBody::Chunked(Box::new([step("1"), step("2")].into_iter()))
            }
            "/cut" => {
                let steps = [step("1"), BodyStep::immediate(BodyAction::Disconnect)];
                reply.body = ReplyBody::Chunked(Box::new(steps.into_iter()));
            }
            "/stall" => {
                reply.body = ReplyBody::Chunked(Box::new(
                    [BodyStep::immediate(BodyAction::Stall)].into_iter(),
                ))
            }
            _ => {}
        }
        reply
    }

    fn refuse(&self, status: u16, fault: &str) -> ServerReply {
        ServerReply::whole(status, Vec::new(), fault)
    }
}

/// Sends `input` in pieces of `size` bytes, shuts down, and returns the replies.
async fn replies_to(input: &[u8], size: usize) -> String {
    let (mut client, server) = duplex(1 << 16);
    let talk = async {
        for piece in input.chunks(size) {
            client.write_all(piece).await.unwrap();
        }
        client.shutdown().await.unwrap();
        let mut output = Vec::new();
        client.read_to_end(&mut output).await.unwrap();
        String::from_utf8(output).unwrap()
    };
    let (served, output) = tokio::join!(serve_stream(server, &Echo), talk);
    served.unwrap();
    output
}

/// Asserts that `input` is answered with `output`, at any split of the input.
#[track_caller]
fn assert_conversation(input: &str, output: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    for size in [1, 7, 1 << 16] {
        let came = runtime.block_on(replies_to(input.as_bytes(), size));
        assert_eq!(came, output, "in pieces of {size}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    assert_conversation(
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi\
         POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 12\r\n\r\nPOST /a [hi]\
         HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 16\r\n\r\nPOST /b [onetwo]",
    );
}

#[test]
fn a_request_after_close_is_not_answered() {
    assert_conversation(
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nGET /a []",
    );
}

#[test]
fn http10_is_closed_unless_it_asks_for_keep_alive() {
    assert_conversation(
        "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /events HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 9\r\n\r\nGET /a []\
         HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12",
    );
}

#[test]
fn a_reply_to_head_has_no_body() {
    assert_conversation(
        "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /events HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 10\r\n\r\n\
         HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
}

#[test]
fn a_cut_and_a_stall_end_the_connection() {
    assert_conversation(
        "GET /cut HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n",
    );
    assert_conversation(
        "GET /stall HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
}

#[test]
fn an_unreadable_request_is_refused_with_its_offset() {
    #[track_caller]
    fn refused(input: &str, status: &str, fault: &str) {
        let length = fault.len();
        let output = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{fault}"
        );
        assert_conversation(input, &output);
    }
    refused(
        "GET /a HTTP/1.1\r\nHost x\r\n\r\n",
        "400 Bad Request",
        "At byte 17 of this connection: a field line has no colon (RFC 9112, 5).",
    );
    refused(
        "POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "400 Bad Request",
        "At byte 56 of this connection: several Content-Length values disagree (RFC 9112, 6.3, clause 5).",
    );
    refused(
        "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nhi",
        "400 Bad Request",
        "The request ended inside the body.",
    );
    // Nothing after these is read as a second request.
    let next = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
    let both =
        "POST /a HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    refused(
        &format!("{both}{next}"),
        "400 Bad Request",
        "At byte 0 of this connection: Content-Length beside Transfer-Encoding, which wins \
         (RFC 9112, 6.3, clause 3). Such a request can be read in two ways.",
    );
    let spaced = "POST /a HTTP/1.1\r\nContent-Length : 0\r\n\r\n";
    refused(
        &format!("{spaced}{next}"),
        "400 Bad Request",
        "At byte 32 of this connection: white space between a field name and its colon \
         (RFC 9112, 5.1). Such a request can be read in two ways.",
    );
    refused(
        "POST /a HTTP/1.1\r\nContent-Length: 67108865\r\n\r\nhi",
        "413 Content Too Large",
        "The request body is longer than 67108864 bytes.",
    );
}

#[tokio::test]
async fn continue_is_sent_before_the_body() {
    let (mut client, server) = duplex(1 << 16);
    let talk = async {
        let head =
            "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut seen = [0; 25];
        client.read_exact(&mut seen).await.unwrap();
        assert_eq!(&seen, interim);
        client.write_all(b"hi").await.unwrap();
        client.shutdown().await.unwrap();
        let mut rest = String::new();
        client.read_to_string(&mut rest).await.unwrap();
        assert!(rest.ends_with("\r\n\r\nPOST /a [hi]"), "{rest}");
    };
    let (served, ()) = tokio::join!(serve_stream(server, &Echo), talk);
    served.unwrap();
}
