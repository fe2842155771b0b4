//! Endpoints beside chat: batch files, images, lists of models, moderations, token counts, files.

use super::read;
use crate::call::{Call, ReadOptions};
use crate::chat::{AnswerVerdict, BodyMediaType, Completion, fuzz};
use crate::import;

/// The answer to a request to `path`, with a body of that type.
fn answer(path: &str, content_type: &str, body: &str) -> Completion {
    fuzz(body.as_bytes());
    let message = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let tape = import::read_message(message.as_bytes());
    let call = Call::read(tape, &ReadOptions::default());
    call.meaning.completion
}

fn json(path: &str, body: &str) -> Completion {
    answer(path, "application/json", body)
}

/// Dialect, verdict and facts of an answer, on one line.
fn describe(found: &Completion) -> String {
    let details = found.details.iter();
    let details: Vec<_> = details
        .map(|detail| format!("{} {}", detail.name, detail.text))
        .collect();
    let name = found.dialect_name().unwrap_or("none");
    format!("{name}: {}: {}", found.verdict, details.join(" | "))
}

const CHAT_LINE: &str = r#"{"id":"b1","custom_id":"q-1","response":{"status_code":200,"body":{"object":"chat.completion","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}},"error":null}"#;
const FAILED_LINE: &str = r#"{"id":"b2","custom_id":"q-2","response":{"status_code":400,"body":{"error":{"message":"too large","type":"invalid_request_error"}}},"error":null}"#;
const EXPIRED_LINE: &str = r#"{"id":"b3","custom_id":"q-3","response":null,"error":{"code":"batch_expired","message":"took too long"}}"#;

#[test]
fn the_lines_of_a_batch_output_are_counted_and_their_answers_added_up() {
    let body = [CHAT_LINE, FAILED_LINE, CHAT_LINE, EXPIRED_LINE].join("\n");
    for kind in [
        "application/octet-stream",
        "application/jsonl",
        "application/json",
        "",
    ] {
        let found = answer("/v1/files/file-1/content", kind, &body);
        assert_eq!(found.media, BodyMediaType::Ndjson, "{kind}");
        assert_eq!(
            describe(&found),
            "batch-results: complete: results 4 results, 2 failed \
             | failed q-2: 400 invalid_request_error: too large | failed q-3: batch_expired: took too long"
        );
        let usage = found.usage.unwrap();
        assert_eq!((usage.input, usage.output), (Some(20), Some(4)));
        assert_eq!(
            found.served_model.as_deref(),
            Some("gpt-4o-mini-2024-07-18")
        );
        assert_eq!(found.service_tier.as_deref(), Some("batch"));
        assert_eq!(found.errors, []);
    }
}

#[test]
fn a_batch_output_that_is_cut_or_unreadable_is_not_complete() {
    let cut = [CHAT_LINE, &CHAT_LINE[..80]].join("\n");
    let found = answer("/v1/files/file-1/content", "", &cut);
    assert!(
        matches!(found.verdict, AnswerVerdict::CutInEvent { .. }),
        "{}",
        found.verdict
    );
    let broken = [CHAT_LINE, "{\"custom_id\":}", CHAT_LINE, ""].join("\n");
    let found = answer("/v1/files/file-1/content", "", &broken);
    assert_eq!(found.verdict, AnswerVerdict::Damaged);
}

#[test]
fn the_results_of_an_anthropic_batch_are_read() {
    let body = concat!(
        r#"{"custom_id":"a","result":{"type":"succeeded","message":{"type":"message","model":"claude-x","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":3}}}}"#,
        "\n",
        r#"{"custom_id":"b","result":{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error","message":"no max_tokens"}}}}"#,
        "\n",
        r#"{"custom_id":"c","result":{"type":"expired"}}"#,
        "\n",
    );
    let path = "/v1/messages/batches/msgbatch_1/results";
    let found = answer(path, "application/binary", body);
    assert_eq!(
        describe(&found),
        "batch-results: complete: results 3 results, 2 failed \
         | failed b: invalid_request_error: no max_tokens | failed c: expired"
    );
    assert_eq!(found.usage.unwrap().input, Some(7));
}

#[test]
fn results_of_several_models_have_no_price() {
    let other = CHAT_LINE.replace("gpt-4o-mini-2024-07-18", "gpt-4o");
    let found = read("batch-results", &[CHAT_LINE, &other, CHAT_LINE].join("\n"));
    assert_eq!(found.served_model, None);
    assert_eq!(found.usage.unwrap().input, Some(30));
}

#[test]
fn the_failures_that_are_kept_are_bounded_and_all_are_counted() {
    let body = vec![FAILED_LINE; 1000].join("\n");
    let found = read("batch-results", &body);
    assert_eq!(found.details[0].text, "1000 results, 1000 failed");
    assert!(found.details.len() < 100);
}

#[test]
fn the_content_of_other_files_is_whole_in_any_format() {
    let path = "/v1/files/file-1/content";
    for (kind, body) in [
        ("application/pdf", "%PDF-1.7 ..."),
        ("text/plain", "hello"),
        ("text/html", "<html></html>"),
        ("application/json", "{\"error\":\"a word in a file\"}"),
        (
            "application/octet-stream",
            "{\"messages\":[]}\n{\"messages\":[]}\n",
        ),
        ("application/jsonl", "{\"error\":\"a word in a file\"}\n"),
    ] {
        let found = answer(path, kind, body);
        assert_eq!(describe(&found), "file-content: complete: ", "{body}");
        assert_eq!(found.notes, [], "{body}");
    }
    let asked = answer(
        path,
        "",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"body\":{}}\n",
    );
    assert_eq!(
        describe(&asked),
        "batch-results: complete: requests 1 request"
    );
}

#[test]
fn lists_of_models_are_counted() {
    let cases = [
        (
            "/v1/models",
            r#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"b","object":"model"}]}"#,
            "2 models: a, b",
        ),
        (
            "/v1/models?limit=1",
            r#"{"data":[{"type":"model","id":"claude-x"}],"has_more":true}"#,
            "1 model: claude-x; more follow on another page",
        ),
        (
            "/v1beta/models",
            r#"{"models":[{"name":"models/gemini-x"}],"nextPageToken":"t"}"#,
            "1 model: models/gemini-x; more follow on another page",
        ),
        (
            "/api/tags",
            r#"{"models":[{"name":"llama3:8b","size":1}]}"#,
            "1 model: llama3:8b",
        ),
        ("/api/tags", r#"{"models":[]}"#, "0 models"),
        (
            "/v1/models/a",
            r#"{"id":"a","object":"model"}"#,
            "1 model: a",
        ),
    ];
    for (path, body, expected) in cases {
        let found = json(path, body);
        assert_eq!(
            describe(&found),
            format!("models: complete: models {expected}"),
            "{path}"
        );
        assert_eq!(found.notes, []);
    }
}

#[test]
fn counts_of_tokens_are_facts_and_not_usage() {
    let cases = [
        ("/v1/messages/count_tokens", r#"{"input_tokens":14}"#),
        (
            "/v1beta/models/gemini-x:countTokens",
            r#"{"totalTokens":14}"#,
        ),
        (
            "/v1/responses/input_tokens",
            r#"{"object":"response.input_tokens","input_tokens":14}"#,
        ),
        (
            "/model/anthropic.claude-x/count-tokens",
            r#"{"inputTokens":14}"#,
        ),
    ];
    for (path, body) in cases {
        let found = json(path, body);
        let expected = "token-count: complete: counted 14 input tokens";
        assert_eq!(describe(&found), expected, "{path}");
        assert_eq!(found.usage, None);
    }
}

#[test]
fn moderations_name_what_they_flag() {
    let body = r#"{"id":"modr-1","model":"omni-moderation-latest","results":[{"flagged":true,"categories":{"violence":true,"hate":false}},{"flagged":false,"categories":{"hate":true}}]}"#;
    let found = json("/v1/moderations", body);
    let expected = "openai-moderations: complete: flagged 1 of 2 inputs: violence";
    assert_eq!(describe(&found), expected);
    assert_eq!(
        found.served_model.as_deref(),
        Some("omni-moderation-latest")
    );
}

#[test]
fn files_and_batches_are_named_with_their_state() {
    let case = |path: &str, body: &str, expected: &str| {
        assert_eq!(describe(&json(path, body)), expected, "{path}");
    };
    case(
        "/v1/files",
        r#"{"id":"file-1","object":"file","bytes":120,"filename":"in.jsonl","purpose":"batch","status":"processed"}"#,
        "files: complete: file file-1: in.jsonl, 120 bytes, purpose batch, status processed",
    );
    case(
        "/v1/files/file-1",
        r#"{"id":"file-1","object":"file","deleted":true}"#,
        "files: complete: file file-1: deleted",
    );
    case(
        "/upload/v1beta/files",
        r#"{"file":{"name":"files/a","mimeType":"image/png","sizeBytes":"12","state":"ACTIVE"}}"#,
        "files: complete: file files/a: 12 bytes, image/png, status ACTIVE",
    );
    case(
        "/v1/files",
        r#"{"object":"list","data":[{"id":"file-1","object":"file"}],"has_more":false}"#,
        "files: complete: files 1 file: file-1",
    );
    case(
        "/v1/batches/batch_1",
        r#"{"id":"batch_1","object":"batch","errors":{"object":"list","data":[{"code":"invalid","line":3,"message":"bad model"}]},"status":"failed","request_counts":{"total":4,"completed":3,"failed":1}}"#,
        "batches: complete: batch batch_1: failed, 3 completed, 1 failed, of 4 requests | failed line 3: bad model",
    );
    case(
        "/v1/messages/batches/msgbatch_1",
        r#"{"id":"msgbatch_1","type":"message_batch","processing_status":"in_progress","request_counts":{"processing":5,"succeeded":0}}"#,
        "batches: complete: batch msgbatch_1: in_progress, 5 processing, of 5 requests",
    );
    case(
        "/v1/batches",
        r#"{"object":"list","data":[{"id":"batch_1","object":"batch"},{"id":"batch_2","object":"batch"}]}"#,
        "batches: complete: batches 2 batches: batch_1, batch_2",
    );
}

#[test]
fn an_error_of_a_small_endpoint_is_an_error() {
    let message = concat!(
        "GET /v1/files/file-9/content HTTP/1.1\r\nHost: a\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n",
        "Content-Length: 36\r\n\r\n{\"error\":{\"message\":\"No such file\"}}",
    );
    let tape = import::read_message(message.as_bytes());
    let found = Call::read(tape, &ReadOptions::default()).meaning.completion;
    assert_eq!(found.verdict, AnswerVerdict::ErrorAnswer);
    assert_eq!(found.errors[0].message, "No such file");
}

#[test]
fn images_are_counted_with_their_tokens() {
    let body = r#"{"created":1,"size":"1024x1024","output_format":"png","data":[{"b64_json":"AAAA"},{"b64_json":"BBBB"}],"usage":{"input_tokens":10,"output_tokens":200,"total_tokens":210}}"#;
    let found = json("/v1/images/generations", body);
    let expected = "openai-images: complete: images 2 images 1024x1024, png";
    assert_eq!(describe(&found), expected);
    assert_eq!(found.choices[0].images, 2);
    assert_eq!(found.usage.unwrap().output, Some(200));
    let none = json("/v1/images/edits", r#"{"created":1,"data":[]}"#);
    assert_eq!(none.verdict, AnswerVerdict::Empty);
}

#[test]
fn a_streamed_image_ends_with_its_last_event() {
    let partial = "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"AA\",\"partial_image_index\":0}\n\n";
    let last = "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"AAAA\",\"size\":\"1024x1024\",\"usage\":{\"input_tokens\":5,\"output_tokens\":90}}\n\n";
    let path = "/v1/images/generations";
    let found = answer(path, "text/event-stream", &[partial, last].concat());
    let expected = "openai-images: complete: partial 1 partial image | images 1 image 1024x1024";
    assert_eq!(describe(&found), expected);
    let cut = answer(path, "text/event-stream", partial);
    assert_eq!(cut.verdict, AnswerVerdict::NoFinish);
}

#[test]
fn an_answer_of_gemini_with_nothing_but_an_image_is_not_empty() {
    let body = r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},"finishReason":"STOP"}]}"#;
    let found = read("gemini", body);
    assert_eq!(found.choices[0].images, 1);
    assert_eq!(found.verdict, AnswerVerdict::Complete);
}

#[test]
fn embeddings_of_other_apis_are_counted_with_their_tokens() {
    let cases = [
        (
            "/v2/embed",
            r#"{"id":"a","embeddings":{"float":[[1,2,3],[4,5,6]]},"meta":{"billed_units":{"input_tokens":7}}}"#,
            (2, 3, Some(7)),
        ),
        (
            "/api/embed",
            r#"{"model":"m","embeddings":[[1,2]],"total_duration":1,"prompt_eval_count":4}"#,
            (1, 2, Some(4)),
        ),
        (
            "/v1beta/models/m:embedContent",
            r#"{"embedding":{"values":[1,2,3,4]}}"#,
            (1, 4, None),
        ),
        (
            "/v1beta/models/m:batchEmbedContents",
            r#"{"embeddings":[{"values":[1,2]},{"values":[3,4]}]}"#,
            (2, 2, None),
        ),
    ];
    for (path, body, expected) in cases {
        let found = json(path, body);
        let vectors = found.vectors.unwrap();
        let input = found.usage.and_then(|usage| usage.input);
        assert_eq!((vectors.count, vectors.numbers, input), expected, "{path}");
        assert_eq!(found.verdict, AnswerVerdict::Complete, "{path}");
    }
}
