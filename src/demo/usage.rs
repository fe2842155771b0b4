//! How many tokens an answer cost, before any API gives the numbers its names.

/// Tokens of a prompt and of what was generated for it, thinking included.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Usage {
    pub(super) prompt: u64,
    pub(super) completion: u64,
    /// The part of `completion` that was thinking.
    pub(super) reasoning: u64,
}

impl Usage {
    /// How much of the prompt a cache had: from 1024 tokens on, all whole runs of 128
    /// (<https://platform.openai.com/docs/guides/prompt-caching>).
    pub(super) fn cached(self) -> u64 {
        if self.prompt < 1024 {
            return 0;
        }
        (self.prompt / 128).saturating_mul(128)
    }

    pub(super) fn total(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }

    /// What was generated and is not thinking.
    pub(super) fn said(self) -> u64 {
        self.completion.saturating_sub(self.reasoning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_hold_whole_runs() {
        #[track_caller]
        fn case(prompt: u64, cached: u64) {
            let usage = Usage {
                prompt,
                ..Usage::default()
            };
            assert_eq!(usage.cached(), cached);
        }
        case(1023, 0);
        case(1024, 1024);
        case(1300, 1280);
    }
}
