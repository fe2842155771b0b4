//! What `wire record` prints at its end: the calls, their findings, and what was not seen.

use std::io::Write;

use super::error::CliError;
use super::exit::ExitReason;
use super::record_setup::{RecordedRun, Setup, write_log};
use super::{ls, output};
use crate::capture::store;
use crate::chat::Severity;
use crate::lint;
use crate::record::LISTED_CAPTURES;
use crate::render::program;
use crate::render::wording;
use crate::{Call, ReadOptions};

/// Findings that are printed at most; `wire lint` lists all.
const MOST_FINDINGS: usize = 20;

/// Prints the calls, their findings, and the coverage. Returns how to end.
pub(super) fn print(setup: &Setup<'_>, run: &RecordedRun) -> Result<ExitReason, CliError> {
    let style = output::stderr_style(setup.common);
    let mut text = Vec::new();
    let written = (|| {
        let folder = output::capture_store(setup.common);
        let count = run.written.count;
        if count > 0 {
            ls::write_table(setup.common, &run.written.paths, &style, &mut text)?;
            write_findings(run, &mut text)?;
        }
        program::write_tunnels(&run.tunnels, &style, &mut text)?;
        program::write_missed_connections(&run.past, &style, &mut text)?;
        let noun = if count == 1 { "exchange" } else { "exchanges" };
        let shown = match count > LISTED_CAPTURES as u64 {
            true => format!(", the last {LISTED_CAPTURES} are listed"),
            false => String::new(),
        };
        let folder = folder.folder().display().to_string();
        writeln!(
            text,
            "* {count} {noun} recorded in {}{shown}",
            wording::escape_line(&folder)
        )
    })();
    written.map_err(CliError::usage)?;
    write_log(&run.log, &text);
    if let Some(error) = &run.written.error {
        let failed = run.written.failed;
        let text = format!("{failed} captures are not whole: {error}");
        return Err(CliError::new(ExitReason::WriteFailed, text));
    }
    if run.written.count > 0 {
        return Ok(ExitReason::Done);
    }
    let hint = match (
        setup.args.program.is_empty(),
        run.tunnels.is_empty() && run.past.is_empty(),
    ) {
        (true, _) => {
            "nothing was sent to the recorder: is the base URL or proxy of the program right?"
        }
        (false, true) => {
            "the program made no connection that was seen; `--explain` prints what was set for it"
        }
        (false, false) => "the lines above say why each connection was not recorded",
    };
    Err(CliError::new(ExitReason::FoundSomething, "no exchange was recorded").with_hint(hint))
}

/// Writes the findings of severity warning and above.
fn write_findings(run: &RecordedRun, text: &mut Vec<u8>) -> std::io::Result<()> {
    let mut found = 0usize;
    for path in &run.written.paths {
        let Ok(read) = store::open(path) else {
            continue;
        };
        let call = Call::read(read.tape, &ReadOptions::default());
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let tag = name.rsplit('-').next().unwrap_or_default();
        for finding in lint::check_call((&call).into()) {
            if finding.severity < Severity::Warning {
                continue;
            }
            found = found.saturating_add(1);
            if found <= MOST_FINDINGS {
                let words = wording::describe_finding(&finding);
                writeln!(text, "{tag}  {}", wording::escape_line(&words))?;
            }
        }
    }
    if found > MOST_FINDINGS {
        let more = found.saturating_sub(MOST_FINDINGS);
        writeln!(text, "{more} more findings: wire lint")?;
    }
    Ok(())
}
