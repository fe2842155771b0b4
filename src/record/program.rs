//! Runs the program that is recorded: in the recorder's own process group and terminal, with its exit code passed on.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGQUIT};
use signal_hook::flag;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// A running program. It is killed if this is dropped before it has ended.
#[derive(Debug)]
pub struct RunningProgram {
    child: Child,
    pid: u32,
}

impl RunningProgram {
    /// Starts `command` with `variables` set besides those of this process. It inherits standard input, output and
    /// error, and belongs to this process group, so that the terminal treats both as one.
    ///
    /// From now on this process does not end on SIGINT and SIGQUIT, which the terminal sends to the whole group: what
    /// they mean is the program's decision. The program itself gets them as usual. A caller that ends on a second signal
    /// (`cli::signals::exit_on_second_signal`) must not do so here.
    ///
    /// # Errors
    ///
    /// The command is empty, or cannot be started: `NotFound` (shells end with 127) or another reason (126).
    pub fn start(command: &[String], variables: &[(String, String)]) -> io::Result<Self> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        for keyboard_signal in [SIGINT, SIGQUIT] {
            // A handler, unlike SIG_IGN, is not inherited by the program.
            flag::register(keyboard_signal, Arc::new(AtomicBool::new(false)))?;
        }
        let variables = variables.iter().map(|(name, value)| (name, value));
        let child = Command::new(program)
            .args(arguments)
            .envs(variables)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { child, pid })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the program ends, and returns its exit code: 128 and the number of the signal if one ended it, as in
    /// shells. SIGTERM and SIGHUP that come meanwhile are passed on to the program; the waiting goes on.
    pub async fn wait(&mut self) -> io::Result<u8> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        loop {
            let passed_on = tokio::select! {
                status = self.child.wait() => return Ok(exit_code(status?)),
                _ = terminate.recv() => Signal::TERM,
                _ = hang_up.recv() => Signal::HUP,
            };
            self.send(passed_on);
        }
    }

    /// Sends a signal to the program. One that has ended gets none.
    fn send(&self, signal: Signal) {
        // The id is free for another process once the child was waited for; `Child::id` is `None` then.
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// The exit code that a shell reports for `status`.
fn exit_code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => signal.saturating_add(128),
        (None, None) => 1,
    };
    u8::try_from(code).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    async fn run(script: &str, variables: &[(String, String)]) -> u8 {
        let command = command(&["/bin/sh", "-c", script]);
        let mut program = RunningProgram::start(&command, variables).unwrap();
        program.wait().await.unwrap()
    }

    #[tokio::test]
    async fn the_exit_code_is_passed_on() {
        assert_eq!(run("exit 0", &[]).await, 0);
        assert_eq!(run("exit 7", &[]).await, 7);
        assert_eq!(run("kill -9 $$", &[]).await, 128 + 9);
        // The keyboard's signals end a program as usual, though this process lives on.
        assert_eq!(run("kill -INT $$", &[]).await, 128 + 2);
        assert_eq!(run("kill -QUIT $$", &[]).await, 128 + 3);
    }

    #[tokio::test]
    async fn the_program_gets_its_variables_and_stays_in_the_process_group() {
        let variables = [("WIRE_TEST_A".to_owned(), "it's $x".to_owned())];
        let script = r#"[ "$WIRE_TEST_A" = "it's \$x" ] && [ -n "$PATH" ]"#;
        assert_eq!(run(script, &variables).await, 0);
        let own = rustix::process::getpgrp().as_raw_nonzero();
        let script = format!("[ $(ps -o pgid= -p $$) -eq {own} ]");
        if std::process::Command::new("ps").output().is_ok() {
            assert_eq!(run(&script, &[]).await, 0);
        }
    }

    #[tokio::test]
    async fn sigterm_is_passed_on_and_the_keyboards_signals_are_not_fatal() {
        let command = command(&["sleep", "1000"]);
        let mut program = RunningProgram::start(&command, &[]).unwrap();
        assert!(program.pid() > 1);
        let ended = {
            let mut wait = std::pin::pin!(program.wait());
            // The first look installs the handlers.
            tokio::select! {
                biased;
                _ = &mut wait => panic!("the program has ended"),
                () = std::future::ready(()) => {}
            }
            for raised in [SIGINT, SIGQUIT, signal_hook::consts::SIGTERM] {
                signal_hook::low_level::raise(raised).unwrap();
            }
            wait.await.unwrap()
        };
        assert_eq!(ended, 128 + 15);
        // It has ended: a signal goes nowhere.
        program.send(Signal::KILL);
    }

    #[tokio::test]
    async fn a_program_that_cannot_be_started_is_an_error() {
        let start = |words: &[&str]| {
            RunningProgram::start(&command(words), &[])
                .unwrap_err()
                .kind()
        };
        assert_eq!(start(&["/no/such/program"]), io::ErrorKind::NotFound);
        assert_eq!(start(&["/etc/passwd"]), io::ErrorKind::PermissionDenied);
        assert_eq!(start(&[]), io::ErrorKind::InvalidInput);
    }
}
