//! Handling of signals while the runtime cannot receive them: the program is blocked in a write, waits for the pager, or
//! has reached a size limit of files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use super::exit::ExitReason;

/// Whether Ctrl-C or SIGTERM came. It is global, since signals go to the process.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The condition is looked at before it is set. Where neither can be had, signals do what they always do.
        let status = i32::from(ExitReason::Interrupted.code());
        let _ = flag::register_conditional_shutdown(signal, status, Arc::clone(&interrupted));
        let _ = flag::register(signal, Arc::clone(&interrupted));
    }
    interrupted
});

/// Makes the second Ctrl-C or SIGTERM end the process at once. The first is left to the task that waits for it, which may
/// be blocked in a write to a pipe that is not read.
pub(super) fn exit_on_second_signal() {
    LazyLock::force(&INTERRUPTED);
}

/// Whether Ctrl-C or SIGTERM came since [`exit_on_second_signal`].
pub(super) fn was_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Ignores Ctrl-C from now on: the pager is in the foreground and would lose its terminal if this program ended.
pub(super) fn leave_interrupts_to_pager() {
    let _ = flag::register(SIGINT, Arc::new(AtomicBool::new(false)));
}

/// Makes a write past the size limit of files (`ulimit -f`) fail with an error that is reported; without a handler
/// SIGXFSZ ends the process without a word. Programs that this one starts are not affected.
pub(super) fn report_file_size_limit() {
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}
