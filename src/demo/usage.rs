//! Token counts of an answer, before a dialect names them.

/// The tokens of a prompt and of the generated answers, reasoning included.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct GeneratedUsage {
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    /// The part of `completion` that is reasoning.
    pub(super) reasoning_tokens: u64,
}

impl GeneratedUsage {
    /// The cached tokens of the prompt: from 1024 tokens on, all whole runs of 128
    /// (<https://platform.openai.com/docs/guides/prompt-caching>).
    pub(super) fn cached_tokens(self) -> u64 {
        if self.prompt_tokens < 1024 {
            return 0;
        }
        (self.prompt_tokens / 128).saturating_mul(128)
    }

    pub(super) fn total_tokens(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    /// The generated tokens without reasoning.
    pub(super) fn answer_tokens(self) -> u64 {
        self.completion_tokens.saturating_sub(self.reasoning_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_whole_runs_of_128() {
        #[track_caller]
        fn case(prompt: u64, cached: u64) {
            let usage = GeneratedUsage {
                prompt_tokens: prompt,
                ..GeneratedUsage::default()
            };
            assert_eq!(usage.cached_tokens(), cached);
        }
        case(1023, 0);
        case(1024, 1024);
        case(1300, 1280);
    }
}
