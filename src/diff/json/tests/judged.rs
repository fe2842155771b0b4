//! Pairs of real bodies, and what a person would call their difference.

use super::case;

/// A request as SDKs send it, with `system`, and further messages, tools and settings.
fn request(system: &str, messages: &[&str], tools: &[&str], settings: &str) -> String {
    let system = format!(r#"{{"role":"system","content":"{system}"}}"#);
    let messages = [&[&*system], messages].concat().join(",");
    let tools = tools.join(",");
    format!(
        r#"{{"messages":[{messages}],"model":"gpt-4o-mini","max_tokens":64,"seed":7,{settings}"tools":[{tools}]}}"#
    )
}

const TERSE: &str = "You are terse.";
const QUESTION: &str =
    r#"{"role":"user","content":"Wie ist das Wetter in Köln? 🌍 日本 <b>&\"\\/ é\t"}"#;
const CALL: &str = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"call_8Xn2","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Köln\", \"days\": 1}"}}]}"#;
const RESULT: &str = r#"{"role":"tool","tool_call_id":"call_8Xn2","content":"{\"temp_c\": 4, \"sky\": \"overcast\"}"}"#;
const ANSWER: &str =
    r#"{"role":"assistant","content":"Four degrees and overcast, with some wind from the north."}"#;
const THANKS: &str = r#"{"role":"user","content":"Thanks!"}"#;
const WEATHER: &str = r#"{"type":"function","function":{"name":"get_weather","description":"Current weather for a city","parameters":{"type":"object","properties":{"city":{"type":"string","description":"City name, e.g. Köln"}},"required":["city"],"additionalProperties":false}}}"#;
const TIME: &str = r#"{"type":"function","function":{"name":"get_time","description":"Current local time in a city","parameters":{"type":"object","properties":{"city":{"type":"string","description":"City name, e.g. Köln"}},"required":["city"],"additionalProperties":false}}}"#;
const SEARCH: &str = r#"{"type":"function","function":{"name":"search","description":"Searches the web","parameters":{"type":"object","properties":{"query":{"type":"string","description":"What to look for"}},"required":["query"],"additionalProperties":false}}}"#;

fn messages(left: &[&str], right: &[&str], expected: &[&str]) {
    let body = |messages: &[&str]| request(TERSE, messages, &[WEATHER], "");
    case(&body(left), &body(right), expected);
}

fn tools(left: &[&str], right: &[&str], expected: &[&str]) {
    let body = |tools: &[&str]| request(TERSE, &[QUESTION], tools, "");
    case(&body(left), &body(right), expected);
}

#[test]
fn a_message_more_or_less() {
    let turn = [QUESTION, CALL, RESULT, ANSWER];
    messages(
        &turn,
        &[THANKS, QUESTION, CALL, RESULT, ANSWER],
        &["added /messages/1"],
    );
    messages(
        &turn,
        &[QUESTION, CALL, RESULT, ANSWER, THANKS],
        &["added /messages/5"],
    );
    // The oldest two are dropped from the window, and a turn comes at the end.
    messages(
        &[THANKS, ANSWER, QUESTION, CALL, RESULT],
        &[QUESTION, CALL, RESULT, ANSWER, THANKS],
        &[
            "moved /messages/2 -> /messages/4",
            "moved /messages/1 -> /messages/5",
        ],
    );
    messages(
        &[
            r#"{"role":"user","content":"Hi"}"#,
            r#"{"role":"assistant","content":"Hello! How can I help?"}"#,
            QUESTION,
            CALL,
        ],
        &[QUESTION, CALL, RESULT, ANSWER],
        &[
            "removed /messages/1",
            "removed /messages/2",
            "added /messages/3",
            "added /messages/4",
        ],
    );
}

#[test]
fn a_message_edited_between_two_that_are_new() {
    let edited = ANSWER.replace("Four", "Five");
    messages(
        &[QUESTION, ANSWER],
        &[
            QUESTION,
            r#"{"role":"user","content":"And tomorrow?"}"#,
            &edited,
            THANKS,
        ],
        &[
            "added /messages/2",
            "changed /messages/2/content -> /messages/3/content",
            "added /messages/4",
        ],
    );
    // An unrelated one in its place.
    messages(
        &[QUESTION, ANSWER, THANKS],
        &[
            QUESTION,
            r#"{"role":"assistant","content":"I cannot tell."}"#,
            THANKS,
        ],
        &["changed /messages/2/content"],
    );
    messages(
        &[QUESTION, ANSWER],
        &[QUESTION, r#"{"role":"user","content":"Never mind."}"#],
        &["removed /messages/2", "added /messages/2"],
    );
    messages(
        &[QUESTION, ANSWER],
        &[
            QUESTION,
            r#"{"role":"user","content":"Never mind."}"#,
            r#"{"role":"assistant","content":"Alright."}"#,
        ],
        &[
            "removed /messages/2",
            "added /messages/2",
            "added /messages/3",
        ],
    );
}

#[test]
fn another_speaker_of_the_same_words() {
    messages(
        &[QUESTION],
        &[&QUESTION.replace("user", "developer")],
        &["changed /messages/1/role"],
    );
}

#[test]
fn settings() {
    let body = |system: &str, settings: &str| request(system, &[QUESTION], &[WEATHER], settings);
    case(
        &body("You are terse. Today is Monday, 23 November 2026.", ""),
        &body("You are terse. Today is Tuesday, 24 November 2026.", ""),
        &["changed /messages/0/content"],
    );
    case(
        &body(TERSE, r#""temperature":1,"#),
        &body(TERSE, r#""temperature":1.0,"#),
        &["respelled /temperature"],
    );
    case(
        &body(TERSE, r#""temperature":0.2,"#),
        &body(TERSE, r#""temperature":0.2,"temperature":0.7,"#),
        &[
            "added /temperature (1 of 2) hidden",
            "changed /temperature -> /temperature (2 of 2)",
        ],
    );
    case(
        &body(TERSE, r#""stop":["\n\n"],"#),
        &body(TERSE, r#""stop":["\n\n","END"],"#),
        &["added /stop/1"],
    );
    case(
        &body(
            TERSE,
            r#""stream":true,"stream_options":{"include_usage":true},"#,
        ),
        &body(TERSE, ""),
        &["removed /stream", "removed /stream_options"],
    );
}

#[test]
fn tools_more_edited_and_in_another_order() {
    tools(
        &[WEATHER, SEARCH],
        &[WEATHER, TIME, SEARCH],
        &["added /tools/1"],
    );
    tools(
        &[WEATHER, TIME, SEARCH],
        &[SEARCH, WEATHER, TIME],
        &["moved /tools/2 -> /tools/0"],
    );
    tools(
        &[WEATHER, TIME, SEARCH],
        &[WEATHER, &TIME.replace("Current local", "Local"), SEARCH],
        &["changed /tools/1/function/description"],
    );
    // Edited, and moved.
    tools(
        &[WEATHER, TIME, SEARCH],
        &[&SEARCH.replace("Searches", "Looks through"), WEATHER, TIME],
        &[
            "moved /tools/2 -> /tools/0",
            "changed /tools/2/function/description -> /tools/0/function/description",
        ],
    );
    // Described alike, but another tool.
    tools(&[WEATHER], &[TIME], &["removed /tools/0", "added /tools/0"]);
    tools(
        &[WEATHER, SEARCH],
        &[TIME, SEARCH],
        &["removed /tools/0", "added /tools/0"],
    );
    tools(
        &[WEATHER],
        &[&WEATHER.replace("get_weather", "weather")],
        &["changed /tools/0/function/name"],
    );
    tools(
        &[WEATHER],
        &[&WEATHER.replace(
            r#""city":{"type":"string","description":"City name, e.g. Köln"}"#,
            r#""city":{"description":"City name, e.g. Köln","type":"string"}"#,
        )],
        &["reordered /tools/0/function/parameters/properties/city [description]"],
    );
    tools(
        &[WEATHER],
        &[&WEATHER.replace(r#"["city"]"#, r#"["city","days"]"#)],
        &["added /tools/0/function/parameters/required/1"],
    );
}

#[test]
fn calls_of_two_runs() {
    let again = CALL.replace("call_8Xn2", "call_q0Zz").replace("1}", "3}");
    messages(
        &[QUESTION, CALL, RESULT],
        &[QUESTION, &again, &RESULT.replace("call_8Xn2", "call_q0Zz")],
        &[
            "changed /messages/2/tool_calls/0/id",
            "changed /messages/2/tool_calls/0/function/arguments > /days",
            "changed /messages/3/tool_call_id",
        ],
    );
}

#[test]
fn content_as_a_string_and_as_parts() {
    let parts = QUESTION
        .replace(r#""content":"#, r#""content":[{"type":"text","text":"#)
        .replace("\"}", "\"}]}");
    messages(
        &[QUESTION, ANSWER],
        &[&parts, ANSWER],
        &["changed /messages/1/content"],
    );
    messages(
        &[QUESTION, ANSWER],
        &[THANKS, &parts, ANSWER],
        &[
            "added /messages/1",
            "changed /messages/1/content -> /messages/2/content",
        ],
    );
    let image = parts.replace(
        "}]",
        r#"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#,
    );
    messages(&[&parts], &[&image], &["added /messages/1/content/1"]);
}

#[test]
fn prompt_caching_switched_on() {
    case(
        r#"{"system":[{"type":"text","text":"Long instructions."}],"messages":[{"role":"user","content":"Hi"}]}"#,
        r#"{"system":[{"type":"text","text":"Long instructions.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Hi"}]}"#,
        &["added /system/0/cache_control"],
    );
}

#[test]
fn an_answer_of_another_run() {
    let answer = |id: &str, text: &str, tokens: u32| {
        format!(
            r#"{{"id":"chatcmpl-{id}","object":"chat.completion","created":1700000000,"choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":{tokens},"total_tokens":{}}}}}"#,
            tokens + 9
        )
    };
    case(
        &answer("AB12", "Four degrees.", 3),
        &answer("CD34", "It is cold outside, take a coat.", 9),
        &[
            "changed /id",
            "changed /choices/0/message/content",
            "changed /usage/completion_tokens",
            "changed /usage/total_tokens",
        ],
    );
}

#[test]
fn numbers_in_arrays() {
    case("[0.1,0.2,0.3]", "[0.1,0.25,0.3]", &["changed /1"]);
    case(
        "[0.1,0.2,0.3]",
        "[0.4,0.5,0.6]",
        &["changed /0", "changed /1", "changed /2"],
    );
    case(
        "[1,2,3,4]",
        "[1,9,4]",
        &["removed /1", "removed /2", "added /1"],
    );
    case(r#"["a","b","c"]"#, r#"["c","a","b"]"#, &["moved /2 -> /0"]);
    case("[5,1,2,3,4]", "[1,2,3,4,5]", &["moved /0 -> /4"]);
    // As common as that, it is not the same one.
    case("[5,1,5,2,3]", "[1,5,2,3,5]", &["removed /0", "added /4"]);
}
