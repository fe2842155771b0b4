//! The provider behind a host. The dialects know the fields that only one provider sends.

/// The provider behind `host` (lower case, without port).
pub(super) fn provider_by_host(host: &str) -> Option<&'static str> {
    let is_under = |suffix: &str| {
        host.strip_suffix(suffix)
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    };
    let found = PROVIDER_HOSTS.iter().find(|(suffix, _)| is_under(suffix));
    // Regional hosts of Vertex put the region before a hyphen.
    let vertex = host
        .ends_with("aiplatform.googleapis.com")
        .then_some("vertex");
    found.map(|(_, name)| *name).or(vertex)
}

/// Hosts, each with its subdomains, and their providers.
const PROVIDER_HOSTS: &[(&str, &str)] = &[
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("openrouter.ai", "openrouter"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.mistral.ai", "mistral"),
    ("api.x.ai", "xai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
    ("api.moonshot.ai", "moonshot"),
    ("api.z.ai", "zai"),
    ("aliyuncs.com", "alibaba"),
    ("router.huggingface.co", "huggingface"),
    ("ollama.com", "ollama"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("amazonaws.com", "bedrock"),
];

#[cfg(test)]
mod tests {
    use super::provider_by_host;

    #[test]
    fn hosts_are_known_by_their_end() {
        assert_eq!(provider_by_host("api.groq.com"), Some("groq"));
        assert_eq!(provider_by_host("my.openai.azure.com"), Some("azure"));
        assert_eq!(
            provider_by_host("europe-west1-aiplatform.googleapis.com"),
            Some("vertex")
        );
        assert_eq!(provider_by_host("notapi.groq.com"), None);
        assert_eq!(provider_by_host("localhost"), None);
    }
}
