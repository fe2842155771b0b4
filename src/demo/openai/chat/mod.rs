//! OpenAI's Chat Completions, whole and streamed (<https://platform.openai.com/docs/api-reference/chat>).

mod check;
mod completion;

use serde_json::Value;

use self::completion::ChatCompletion;
use super::rules::{RULES, reply_plan};
use crate::demo::api_answer::reply_with;
use crate::demo::api_error::ApiResult;
use crate::demo::context::DemoContext;
use crate::demo::json_values::{array_items, text_at};
use crate::demo::model_request::{
    AnswerFormat, ChatTurn, DeclaredTool, ModelRequest, ToolChoice, stop_sequences,
};
use crate::demo::models::CONTEXT_TOKENS;
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// `POST /v1/chat/completions`.
pub(super) fn create_completion(
    request: &ServerRequest,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    let body = RULES.parse_object(&request.body)?;
    RULES.required_model(&body)?;
    check::check_parameters(&body)?;
    let question = read_request(&body);
    RULES.check_length(question.prompt_tokens, CONTEXT_TOKENS, "messages_too_long")?;
    let completion = ChatCompletion::generate(&body, &question, context);
    let plan = reply_plan(&question, completion.usage, context);
    reply_with(&completion, plan, &question, context)
}

/// The model request in a body that was checked (<https://platform.openai.com/docs/api-reference/chat/create>).
fn read_request(body: &Value) -> ModelRequest {
    let number = |key: &str| body[key].as_u64();
    let turns = array_items(&body["messages"]).map(ChatTurn::from_message);
    let turns = turns.collect();
    let mut question = ModelRequest::new(text_at(body, "model"), turns, body.get("tools"));
    question.stream = body["stream"] == true;
    question.answer_count = number("n").unwrap_or(1);
    question.max_tokens = number("max_completion_tokens").or_else(|| number("max_tokens"));
    question.stop_sequences = stop_sequences(&body["stop"]);
    let format = &body["response_format"];
    question.format =
        AnswerFormat::from_name(text_at(format, "type"), format["json_schema"].get("schema"));
    question.seed = body["seed"].as_i64();
    let choice = &body["tool_choice"];
    let choice = ToolChoice::new(choice == "none", choice["function"]["name"].as_str());
    let tools = DeclaredTool::nested_in(&body["tools"]);
    question.choose_tools(tools, choice, body["parallel_tool_calls"] != false);
    question.thinks_first = question.model == "demo-reasoning" && question.tools_to_call.is_empty();
    question
}

#[cfg(test)]
mod tests;
