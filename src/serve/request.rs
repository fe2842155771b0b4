//! A request as a server answers it: whole, with its framing undone.

/// What was asked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ServerRequest {
    /// The method, as spelled.
    pub method: String,
    /// The target of the request line, as spelled.
    pub target: String,
    /// The fields of the head in order and as spelled; bytes that are not UTF-8 are replaced.
    pub fields: Vec<(String, String)>,
    /// The body without chunk lines.
    pub body: Vec<u8>,
}

impl ServerRequest {
    /// The first value of the fields called `name`, in any spelling.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Every value of the fields called `name`, in order.
    pub fn field_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The path of the target: without scheme and authority (RFC 9112, 3.2.2) and without query.
    pub fn path(&self) -> &str {
        let target = match self.target.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
            }
            _ => &self.target,
        };
        target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The first value of the parameter `name` in the query, as spelled.
    pub fn query_param(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split('#').next()?.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Whether a comma-separated field called `name` lists `token`, in any case.
    pub fn field_lists(&self, name: &str, token: &str) -> bool {
        self.field_values(name)
            .flat_map(|value| value.split(','))
            .any(|one| one.trim().eq_ignore_ascii_case(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_query() {
        let request = ServerRequest {
            target: "/a?alt=sse&key=x=y&empty#key=z".to_owned(),
            ..ServerRequest::default()
        };
        assert_eq!(request.query_param("alt"), Some("sse"));
        assert_eq!(request.query_param("key"), Some("x=y"));
        assert_eq!(request.query_param("empty"), None);
        assert_eq!(request.query_param("other"), None);
    }

    #[test]
    fn the_path_of_every_form_of_target() {
        #[track_caller]
        fn case(target: &str, path: &str) {
            let target = target.to_owned();
            let request = ServerRequest {
                target,
                ..ServerRequest::default()
            };
            assert_eq!(request.path(), path);
        }
        case("/v1/models", "/v1/models");
        case("/v1/models?limit=2", "/v1/models");
        case("https://localhost:1/v1/models?x", "/v1/models");
        case("http://localhost", "/");
        case("/proxy?to=http://a/b", "/proxy");
        case("*", "*");
        case("", "");
    }
}
