//! The trait that a dialect implements, and what its methods are given: heads and request parameters.

use std::borrow::Cow;

use super::builder::AnswerBuilder;
use super::profile::{DialectProfile, EndSignal, EventNaming};
use super::provider;
use super::socket_event::SocketEvent;
use crate::exchange::Exchange;
use crate::http1::FieldSection;
use crate::json::JsonValue;
use crate::span::StreamSide;

/// One API shape for asking a model over HTTP. A new dialect is a file with this trait and a [`DialectProfile`], and a
/// line in [`super::DIALECTS`].
pub trait Dialect: Sync {
    /// Facts about the dialect that do not need its code.
    fn profile(&self) -> &'static DialectProfile;

    /// Name of the dialect, stable: `openai-chat`.
    fn name(&self) -> &'static str {
        self.profile().name
    }

    /// Why the request or the response head shows this dialect; `None` if it does not.
    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        let mut paths = self.profile().paths.iter();
        let (_, why) = paths.find(|(end, _)| asked.path_ends_with(end))?;
        Some(why)
    }

    /// Whether the body of a request, without path and head, shows this dialect by members that no other dialect has.
    fn recognise_request_body(&self, _: JsonValue<'_>) -> bool {
        false
    }

    /// Why an event or a plain body shows this dialect; `None` if it does not.
    fn recognise_body(&self, _name: &[u8], _root: JsonValue<'_>) -> Option<&'static str> {
        None
    }

    /// Reads one event of a stream: its type and its data. By default an event has the shape of a plain body.
    fn read_event(&self, _name: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        self.read_body(root, builder);
    }

    /// Whether clients of the dialect know events of this name.
    fn knows_event(&self, name: &[u8]) -> bool {
        match self.profile().event_naming {
            EventNaming::Unnamed => matches!(name, b"message" | b"error"),
            _ => true,
        }
    }

    /// The answer to another request that an event holds: a line of a batch file.
    fn inner_answer<'a>(&self, _root: JsonValue<'a>) -> Option<JsonValue<'a>> {
        None
    }

    /// Reads the body of an answer that is not streamed.
    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>);

    /// The role of `root`, a message of a WebSocket, in the calls on its connection. `None`: the dialect has no such
    /// message.
    fn read_socket_event(&self, _side: StreamSide, _root: JsonValue<'_>) -> Option<SocketEvent> {
        None
    }

    /// Whether an event with an error says that the answer failed.
    fn fails_answer(&self, _root: JsonValue<'_>) -> bool {
        true
    }

    /// The mark that ends a stream of this dialect, as `provider` serves it.
    fn end_signal(&self, _provider: Option<&str>) -> EndSignal {
        self.profile().end_signal
    }
}

impl std::fmt::Debug for dyn Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Host, path and header fields of an exchange: what is known before any body.
#[derive(Debug)]
pub struct ExchangeHeads<'a> {
    /// Host of the request, in lower case, without port.
    pub host: String,
    /// Path of the target, without query.
    pub path: String,
    /// Query of the target, without `?`.
    pub query: String,
    request_head: &'a FieldSection,
    response_head: &'a FieldSection,
    /// Status code of the response.
    pub status: Option<u16>,
}

impl<'a> ExchangeHeads<'a> {
    /// Reads the heads of `exchange`.
    pub fn from_exchange(exchange: &'a Exchange) -> Self {
        let target = exchange.request.target().unwrap_or_default();
        let target = String::from_utf8_lossy(target);
        let (authority, target) = split_target(&target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (request, response) = (&exchange.request.head, &exchange.response.head);
        let host = match authority {
            Some(authority) => authority.to_owned(),
            None => field_text(request.get("host")),
        };
        let host = host.to_ascii_lowercase();
        let without_port = host
            .rsplit_once(':')
            .filter(|(_, port)| !port.ends_with(']'));
        Self {
            host: without_port
                .map_or(host.as_str(), |(host, _)| host)
                .to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            request_head: request,
            response_head: response,
            status: exchange.response.status(),
        }
    }

    /// A field of the request; empty where there is none.
    pub fn request_field(&self, name: &str) -> String {
        field_text(self.request_head.get(name))
    }

    /// A field of the response; empty where there is none.
    pub fn response_field(&self, name: &str) -> String {
        field_text(self.response_head.get(name))
    }

    /// Whether the path ends with `end`, with or without a slash after it.
    pub fn path_ends_with(&self, end: &str) -> bool {
        self.path.trim_end_matches('/').ends_with(end)
    }

    /// Provider, by host or by a field that names the server.
    pub(super) fn provider(&self) -> Option<&'static str> {
        let by_server = || match self.response_field("server").as_str() {
            "llama.cpp" => Some("llama.cpp"),
            _ => None,
        };
        provider::provider_by_host(&self.host).or_else(by_server)
    }
}

fn field_text(value: Option<Cow<'_, [u8]>>) -> String {
    value.map_or(String::new(), |value| {
        String::from_utf8_lossy(&value).into_owned()
    })
}

/// The authority of an absolute target (RFC 9112, 3.2.2), and the rest.
fn split_target(target: &str) -> (Option<&str>, &str) {
    let after = ["http://", "https://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(scheme));
    let Some(after) = after else {
        return (None, target);
    };
    let (authority, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
    (Some(authority), rest)
}

/// The model in the path of a request target: Gemini's `models/NAME:`, Azure's `deployments/NAME/`, Bedrock's
/// `model/NAME/ACTION`.
pub(super) fn model_in_path(path: &str) -> Option<String> {
    let after = |mark: &str| path.split_once(mark).map(|(_, after)| after);
    let model = after("/models/").and_then(|after| after.split_once(':'));
    let deployment = after("/deployments/").and_then(|after| after.split_once('/'));
    let bedrock = after("/model/").and_then(|after| after.rsplit_once('/'));
    let bedrock = bedrock.filter(|(_, action)| {
        ["invoke", "converse", "count-tokens"]
            .iter()
            .any(|known| action.starts_with(known))
    });
    let (name, _) = model.or(deployment).or(bedrock)?;
    // The `:` and `/` in names of Bedrock are escaped.
    let unescaped = [("%3A", ":"), ("%3a", ":"), ("%2F", "/"), ("%2f", "/")].into_iter();
    let name = unescaped.fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    Some(name)
}
