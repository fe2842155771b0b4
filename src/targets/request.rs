//! The exact bytes of a request to a known API: a body with edits by span, the URL, and a short head in a fixed order.

use super::api::ApiTarget;
use super::environment::Environment;
use crate::http1::{FieldEdit, FieldEditError, RequestHead};
use crate::json;
use crate::net::{ConnectRoute, Hint, HintedError, TargetUrl};

/// A request body, and what it asks for.
#[derive(Debug, Default)]
pub struct RequestBody {
    /// The bytes that are sent.
    pub bytes: Vec<u8>,
    /// The model it asks for.
    pub model: Option<String>,
    /// Whether it asks for a stream.
    pub wants_stream: bool,
    /// Why it is not JSON, if it is not.
    pub json_error: Option<String>,
}

/// A change of one value of a JSON body.
#[derive(Debug)]
pub struct BodyEdit {
    /// What the user calls the edit. Errors name it.
    pub label: &'static str,
    /// The value that is replaced or added.
    pub path: json::ValuePath,
    /// The new value, as JSON text.
    pub value: Vec<u8>,
}

impl RequestBody {
    /// A body of these bytes, which are not parsed.
    pub fn from_raw(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// The body in `bytes` after `edits`, which are applied in order. `source` names the bytes in errors.
    ///
    /// # Errors
    ///
    /// An edit has no place in this body.
    pub fn with_edits(
        mut bytes: Vec<u8>,
        edits: &[BodyEdit],
        source: &str,
    ) -> Result<Self, HintedError> {
        for BodyEdit { label, path, value } in edits {
            let edited = json::edit::set(&bytes, path, value).map_err(|error| {
                HintedError::new(format!("{label} cannot be applied to {source}: {error}"))
            })?;
            bytes = edited.bytes;
        }
        let (model, wants_stream, json_error) = match json::JsonDocument::parse(&bytes) {
            Err(error) => (None, false, Some(error.to_string())),
            Ok(document) => {
                let root = document.root();
                let model = root.get("model").and_then(|model| model.as_str());
                let streams = root.get("stream").and_then(|value| value.as_bool());
                (
                    model.map(|model| model.into_owned()),
                    streams.unwrap_or(false),
                    None,
                )
            }
        };
        Ok(Self {
            bytes,
            model,
            wants_stream,
            json_error,
        })
    }
}

/// A request to an API, before its URL and head are written.
pub struct RequestPlan<'a> {
    /// The name of the API, for errors.
    pub name: &'a str,
    /// The API, whose paths, fields and key are used.
    pub api: ApiTarget,
    /// Variables that may hold the key and the base URL.
    pub environment: &'a Environment,
    /// The request method.
    pub method: &'a str,
    /// Whether the request is HTTP/1.0.
    pub http10: bool,
    /// Head edits in curl's form: `Name: value`, `Name:`, `Name;`.
    pub head_edits: &'a [String],
    /// A full URL instead of that of the API.
    pub url: Option<&'a str>,
    /// A path instead of that of the API.
    pub path: Option<&'a str>,
    /// Whether the user named the API. The key goes to a full URL elsewhere only if so.
    pub is_named: bool,
}

/// A request message, ready to be sent.
pub struct RequestMessage {
    /// Head and body.
    pub bytes: Vec<u8>,
    /// Whether the key was left out because the URL belongs to no API that the user named.
    pub key_withheld: bool,
}

impl RequestPlan<'_> {
    /// Whether this request names the model, and asks for a stream, in its path instead of its body.
    pub fn has_model_in_path(&self) -> bool {
        self.api.has_model_in_path() && self.path.is_none() && self.url.is_none()
    }

    /// The URL of the request with this body.
    ///
    /// # Errors
    ///
    /// The path needs a model, and there is none.
    pub fn request_url(&self, body: Option<&RequestBody>) -> Result<String, HintedError> {
        if let Some(url) = self.url {
            return Ok(url.to_owned());
        }
        let streams = body.is_some_and(|body| body.wants_stream);
        let path = match self.path {
            Some(path) => path,
            None if streams && !self.api.stream_path.is_empty() => &self.api.stream_path,
            None => &self.api.path,
        };
        let model = body.and_then(|body| body.model.as_deref());
        let path = match (path.contains("{model}"), model) {
            (false, _) => path.to_owned(),
            (true, Some(model)) => path.replace("{model}", model),
            (true, None) => {
                let text = "this API names the model in its path, and none is given";
                return Err(HintedError::new(text).with_hint(Hint::NameModel));
            }
        };
        Ok(self.api.url(self.environment, &path))
    }

    /// The message with the default head and its edits. The fields come in this order: `Host`, `User-Agent`, `Accept`, those
    /// of the API and of the proxy, and with a body `Content-Type` and `Content-Length`.
    ///
    /// # Errors
    ///
    /// The key is missing, or a part of the head holds a byte that cannot be there.
    pub fn build_message(
        &self,
        route: &ConnectRoute,
        body: Option<&[u8]>,
    ) -> Result<RequestMessage, HintedError> {
        let whole = route.target.to_url();
        let target = match route.uses_absolute_form() {
            true => &whole,
            false => &route.target.path,
        };
        check_start_line("method", self.method)?;
        check_start_line("path", target)?;
        let version = if self.http10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut fields = vec![
            field("Host", &route.target.authority()),
            field("User-Agent", concat!("wire/", env!("CARGO_PKG_VERSION"))),
            field("Accept", "*/*"),
        ];
        fields.extend_from_slice(&self.api.fields);
        let key_withheld = self.withholds_key(&route.target);
        if !key_withheld {
            fields.extend(self.credential_field(&route.target)?);
        }
        let for_proxy = route.proxy_authorization();
        fields.extend(for_proxy.map(|value| field("Proxy-Authorization", &value)));
        if let Some(body) = body {
            fields.push(field("Content-Type", "application/json"));
            fields.push(field("Content-Length", &body.len().to_string()));
        }
        let mut head = RequestHead {
            start_line: format!("{} {target} {version}", self.method),
            fields,
        };
        let edits = self.head_edits.iter().map(|edit| parse_head_edit(edit));
        head.apply_edits(&edits.collect::<Result<Vec<_>, _>>()?);
        let mut bytes = head.encode();
        bytes.extend_from_slice(body.unwrap_or_default());
        Ok(RequestMessage {
            bytes,
            key_withheld,
        })
    }

    /// Whether the head has a key without that of the environment: from an edit, or as a field of the API.
    fn has_own_key(&self) -> bool {
        let field = &self.api.key_field;
        let names_key = |edit: &String| {
            let name = edit.split([':', ';']).next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case(field)
        };
        let mut fields = self.api.fields.iter();
        fields.any(|(name, _)| name == field) || self.head_edits.iter().any(names_key)
    }

    /// Whether the key must not go to `target`: a URL on another host than the API's, and the user named no API.
    fn withholds_key(&self, target: &TargetUrl) -> bool {
        let is_foreign = self.url.is_some() && !self.is_named && !self.is_own_server(target);
        is_foreign && target.userinfo.is_none() && !self.has_own_key()
    }

    /// The field with the credentials of the URL, or else with the key.
    fn credential_field(
        &self,
        target: &TargetUrl,
    ) -> Result<Option<(String, String)>, HintedError> {
        if self.has_own_key() {
            return Ok(None);
        }
        if let Some(user) = &target.userinfo {
            let encoded = base64_simd::STANDARD.encode_to_string(user.as_bytes());
            let value = format!("Basic {encoded}");
            return Ok(Some(("Authorization".to_owned(), value)));
        }
        self.api.credential_field(self.name, self.environment)
    }

    /// Whether `target` is the API's own server.
    fn is_own_server(&self, target: &TargetUrl) -> bool {
        let own = TargetUrl::parse(&self.api.base_url(self.environment));
        own.is_ok_and(|own| {
            (own.scheme, &own.host, own.port) == (target.scheme, &target.host, target.port)
        })
    }
}

/// An error if `text`, the method or the path, is not one word of a start line.
fn check_start_line(what: &str, text: &str) -> Result<(), HintedError> {
    let stray = text.bytes().any(|byte| byte <= b' ' || byte == 0x7f);
    match stray || text.is_empty() {
        false => Ok(()),
        true => Err(HintedError::new(format!(
            "the {what} {text:?} holds a space or control character"
        ))
        .with_hint(Hint::SendRaw)),
    }
}

fn parse_head_edit(text: &str) -> Result<FieldEdit, HintedError> {
    FieldEdit::parse(text).map_err(|error| HintedError {
        error: error.to_string(),
        hint: matches!(error, FieldEditError::BadValue(_)).then_some(Hint::SendRaw),
    })
}

/// Values that must be masked everywhere: secret variables, and the credentials of URLs.
pub fn secret_values(environment: &Environment, route: &ConnectRoute) -> Vec<Vec<u8>> {
    let variables = environment.secret_values();
    variables.chain(route_credentials(route)).collect()
}

/// The credentials of the URLs of a route, as they are and as they are sent.
pub fn route_credentials(route: &ConnectRoute) -> Vec<Vec<u8>> {
    let proxy = route.proxy.as_ref();
    let users = [
        proxy.and_then(|proxy| proxy.userinfo.as_ref()),
        route.target.userinfo.as_ref(),
    ];
    // A user without a password is often a token.
    let passwords = users.into_iter().flatten().map(|user| {
        let password = user.split_once(':').map(|(_, password)| password);
        password.unwrap_or(user).as_bytes().to_vec()
    });
    let sent = proxy.and_then(|proxy| proxy.authorization());
    let sent = sent.and_then(|value| Some(value.strip_prefix("Basic ")?.as_bytes().to_vec()));
    passwords.chain(sent).collect()
}
