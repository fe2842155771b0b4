//! The limit of work of a JSON comparison, counted and not timed: the result is the same on every machine.

/// The most work of a comparison, and the most memory of its result. Beyond either, differences are reported in less
/// detail, never wrongly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WorkLimit {
    /// Steps: a step is about one symbol compared, some nanoseconds.
    pub max_steps: u64,
    /// About the bytes of memory that the result may take.
    pub max_bytes: u64,
}

/// Measured with benches/json_diff.rs: no pair of 10 MB takes more than about two seconds, and its changes about 64 MiB.
impl Default for WorkLimit {
    fn default() -> Self {
        Self {
            max_steps: 60_000_000,
            max_bytes: 64 << 20,
        }
    }
}

/// A counter of the steps of work that are left.
#[derive(Clone, Debug)]
pub struct StepMeter {
    steps_left: u64,
    ran_out: bool,
}

impl StepMeter {
    /// A meter with `steps` to go.
    pub fn new(steps: u64) -> Self {
        Self {
            steps_left: steps,
            ran_out: false,
        }
    }

    /// Takes `steps`, or nothing and returns false if too few are left.
    pub fn spend(&mut self, steps: u64) -> bool {
        let left = self.steps_left.checked_sub(steps);
        self.steps_left = left.unwrap_or(self.steps_left);
        self.ran_out |= left.is_none();
        left.is_some()
    }

    /// Whether `spend` ever returned false.
    pub fn ran_out(&self) -> bool {
        self.ran_out
    }
}
