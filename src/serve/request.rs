//! A whole request that the server has read, without its framing.

/// A whole request that the server has read: method, target, fields and body as bytes, and text views of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ServerRequest {
    /// The method, as spelled.
    pub method: Vec<u8>,
    /// The target of the request line, as spelled.
    pub target: Vec<u8>,
    /// Name and value of each field of the head, in order and as spelled.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

impl ServerRequest {
    /// The method as text; empty if it is not UTF-8.
    pub fn method(&self) -> &str {
        utf8_or_empty(&self.method)
    }

    /// The first UTF-8 value of the field `name`, in any case; `None` if there is none.
    pub fn field(&self, name: &str) -> Option<&str> {
        let known = |(known, _): &&(Vec<u8>, Vec<u8>)| known.eq_ignore_ascii_case(name.as_bytes());
        let mut values = self.fields.iter().filter(known).map(|(_, value)| value);
        values.find_map(|value| std::str::from_utf8(value).ok())
    }

    /// The UTF-8 values of all fields `name`, in any case and in order.
    pub fn field_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The path of the target, without scheme and authority (RFC 9112, 3.2.2) and without query; empty if the
    /// target is not UTF-8.
    pub fn path(&self) -> &str {
        let target = utf8_or_empty(&self.target);
        let target = match target.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
            }
            _ => target,
        };
        target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The first value of the query parameter `name`, as spelled.
    pub fn query_param(&self, name: &str) -> Option<&str> {
        let target = utf8_or_empty(&self.target);
        let (_, query) = target.split('#').next()?.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Whether a field `name`, read as a comma-separated list, contains `token`, in any case.
    pub fn field_lists(&self, name: &str, token: &str) -> bool {
        self.field_values(name)
            .flat_map(|value| value.split(','))
            .any(|one| one.trim().eq_ignore_ascii_case(token))
    }
}

fn utf8_or_empty(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_target(target: &[u8]) -> ServerRequest {
        ServerRequest {
            target: target.to_vec(),
            ..ServerRequest::default()
        }
    }

    #[test]
    fn query_parameters_are_found_by_name() {
        let request = with_target(b"/a?alt=sse&key=x=y&empty#key=z");
        assert_eq!(request.query_param("alt"), Some("sse"));
        assert_eq!(request.query_param("key"), Some("x=y"));
        assert_eq!(request.query_param("empty"), None);
        assert_eq!(request.query_param("other"), None);
    }

    #[test]
    fn the_path_is_found_in_every_form_of_target() {
        #[track_caller]
        fn case(target: &str, path: &str) {
            assert_eq!(with_target(target.as_bytes()).path(), path);
        }
        case("/v1/models", "/v1/models");
        case("/v1/models?limit=2", "/v1/models");
        case("https://localhost:1/v1/models?x", "/v1/models");
        case("http://localhost", "/");
        case("/proxy?to=http://a/b", "/proxy");
        case("*", "*");
        case("", "");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_kept_but_have_no_text() {
        let mut request = with_target(b"/a\xff");
        request.fields = vec![(b"X-Mine".to_vec(), b"\xff".to_vec())];
        assert_eq!(request.path(), "");
        assert_eq!(request.field("x-mine"), None);
        assert_eq!(request.fields[0].1, b"\xff");
    }
}
