//! How much a comparison may do, counted and not timed: the same two texts give the same answer on every machine.

/// The most work that a comparison does, and the most that it tells. What goes beyond either is compared more
/// coarsely, never wrongly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WorkLimit {
    /// Steps: a step is about one symbol compared, some nanoseconds.
    pub max_steps: u64,
    /// Bytes of memory that the answer may take, about.
    pub max_bytes: u64,
}

/// Enough for all that people compare; the worst that 10 MB can hold takes a second and 64 MiB.
impl Default for WorkLimit {
    fn default() -> Self {
        Self {
            max_steps: 60_000_000,
            max_bytes: 64 << 20,
        }
    }
}

/// The steps that are left.
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

    /// Takes `steps`. Once there were too few left it takes none any more, and says false.
    pub fn spend(&mut self, steps: u64) -> bool {
        match self.steps_left.checked_sub(steps) {
            Some(left) if !self.ran_out => self.steps_left = left,
            _ => self.ran_out = true,
        }
        !self.ran_out
    }

    /// Whether steps were wanted that were not there.
    pub fn ran_out(&self) -> bool {
        self.ran_out
    }
}
