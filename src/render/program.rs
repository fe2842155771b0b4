//! The program that is recorded: the variables and arguments that it is run with, explained to a person and as shell
//! lines, and its connections that the recorder did not carry.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{OutputStyle, wording};

/// A variable that the recorder sets for the program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangedVariable {
    /// Its name.
    pub name: String,
    /// Its value under the recorder.
    pub value: String,
    /// Its value without the recorder; `None` if it is not set.
    pub before: Option<String>,
    /// Why it is set.
    pub reason: String,
}

/// The command of a program without the recorder and under it.
#[derive(Clone, Copy, Debug)]
pub struct CommandChange<'a> {
    /// Program and arguments as the user wrote them.
    pub before: &'a [String],
    /// Program and arguments under the recorder.
    pub after: &'a [String],
}

/// Writes what a run under the recorder changes: variables in groups by reason, the command, and notes.
pub fn write_explanation(
    variables: &[ChangedVariable],
    command: CommandChange<'_>,
    notes: &[String],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut reason = None;
    for variable in variables {
        if reason.replace(&variable.reason) != Some(&variable.reason) {
            writeln!(
                out,
                "{}",
                style.dim(&wording::escape_line(&variable.reason))
            )?;
        }
        let was = match &variable.before {
            Some(before) => format!("was {before}"),
            None => "was not set".to_owned(),
        };
        let line = format!("  {}={}", variable.name, variable.value);
        let was = wording::escape_line(&was).into_owned();
        writeln!(out, "{}  {}", wording::escape_line(&line), style.dim(&was))?;
    }
    match command.before == command.after {
        true => writeln!(out, "{}", style.dim("the command stays as it is"))?,
        false => writeln!(out, "{}", style.dim("the command becomes"))?,
    }
    let line = shell_words(command.after);
    writeln!(out, "  {}", wording::escape_line(&line))?;
    for note in notes {
        writeln!(out, "note: {}", wording::escape_line(note))?;
    }
    Ok(())
}

/// Writes the variables as `export` lines of a POSIX shell, and the command as a comment if it changes.
pub fn write_shell_lines(
    variables: &[(String, String)],
    command: CommandChange<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (name, value) in variables {
        writeln!(out, "export {name}={}", shell_word(value))?;
    }
    if command.before != command.after {
        // A line end in an argument would end the comment.
        let line = shell_words(command.after).replace('\n', " ");
        writeln!(out, "# run: {line}")?;
    }
    Ok(())
}

/// Connections of one command to one peer that the recorder did not carry: a row of the coverage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissedConnection {
    /// Address and port of the other side.
    pub peer: String,
    /// Name of the process's command.
    pub command: String,
    /// Id of the first process that had such a connection.
    pub pid: u32,
    /// Number of connections.
    pub count: u64,
    /// Why they went past the recorder.
    pub reason: MissReason,
}

/// Why the recorder did not carry a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MissReason {
    /// The program was led by base URLs alone, and none leads this connection.
    NoBaseUrl,
    /// The client ignores the proxy variables.
    ProxyIgnored,
    /// The peer is on this machine, where clients take no proxy.
    ThisMachine,
    /// The peer is the proxy that the user had.
    UserProxy,
    /// The port is one of another protocol.
    OtherProtocol,
}

impl MissReason {
    /// The reason in words, and what would bring such a connection to the recorder.
    fn words(self) -> &'static str {
        match self {
            Self::NoBaseUrl => "no base-URL variable leads it; the proxy of the recorder would",
            Self::ProxyIgnored => {
                "ignores the proxy variables; a base URL in its own settings would lead it"
            }
            Self::ThisMachine => {
                "a server on this machine, which takes no proxy; a base-URL variable would lead it"
            }
            Self::UserProxy => "goes to your proxy by its own settings",
            Self::OtherProtocol => "no HTTP, by its port",
        }
    }
}

/// Writes the connections that the recorder did not carry, a line for each peer and command.
pub fn write_missed_connections(
    rows: &[MissedConnection],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for row in rows {
        let times = times(row.count);
        let who = format!("{} [{}]", row.command, row.pid);
        writeln!(
            out,
            "past us  {:<24} {}{times}  {}",
            wording::escape_line(&who),
            row.peer,
            style.dim(row.reason.words())
        )?;
    }
    Ok(())
}

/// Connections to one server that passed through the recorder unread.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TunnelledHost {
    /// `host:port`.
    pub host: String,
    /// Why they were not opened.
    pub reason: TunnelReason,
    /// Number of connections.
    pub count: u64,
}

/// Why the recorder did not see inside a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TunnelReason {
    /// The host is no known API, and was not named.
    NoApi,
    /// The bytes are no TLS.
    NoTls,
    /// The client does not offer HTTP/1.1, but these protocols.
    NoHttp1(String),
    /// The client refused the recorder's certificate, or broke off the handshake, with this error.
    CertificateRefused(String),
    /// There was no connection, for this reason.
    Failed(String),
}

impl TunnelReason {
    /// The state of the connections, the reason, and what would let the recorder see them.
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::NoApi => ("unread", "no known API; --host opens it".to_owned()),
            Self::NoTls => ("unread", "no TLS".to_owned()),
            Self::NoHttp1(names) => (
                "unread",
                format!("the program speaks {names} only, and not HTTP/1.1"),
            ),
            Self::CertificateRefused(error) => (
                "refused",
                format!("TLS with the program failed ({error}); it must trust the CA: `wire ca`"),
            ),
            Self::Failed(error) => ("failed", error.clone()),
        }
    }
}

/// Writes the connections that passed through the recorder unread, a line for each server and reason.
pub fn write_tunnels(
    rows: &[TunnelledHost],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for row in rows {
        let (state, reason) = row.reason.words();
        let times = times(row.count);
        let host = wording::escape_line(&row.host);
        let reason = wording::escape_line(&reason).into_owned();
        writeln!(out, "{state:<8} {host}{times}  {}", style.dim(&reason))?;
    }
    Ok(())
}

/// How many connections a line is about; nothing for one.
fn times(count: u64) -> String {
    match count {
        1 => String::new(),
        count => format!(" ({count} connections)"),
    }
}

fn shell_words(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
    words.join(" ")
}

/// `word` as a POSIX shell reads it back: in single quotes if it has other characters than those of plain words.
pub(super) fn shell_word(word: &str) -> Cow<'_, str> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=@%+,".contains(char);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_lines_back() {
        let words = ["", "a b", "it's", "$(x)\n`y`", "-c", "k=\"v\"", "é"].map(str::to_owned);
        let mut script = Vec::new();
        let variables: Vec<_> = (0..)
            .map(|number| format!("V{number}"))
            .zip(words.clone())
            .collect();
        let command = CommandChange {
            before: &[],
            after: &words,
        };
        write_shell_lines(&variables, command, &mut script).unwrap();
        let mut script = String::from_utf8(script).unwrap();
        script.push_str("printf '%s|' \"$V0\" \"$V1\" \"$V2\" \"$V3\" \"$V4\" \"$V5\" \"$V6\"\n");
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        let expected: String = words.iter().flat_map(|word| [word.as_str(), "|"]).collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        assert!(script.contains("# run: '' 'a b'"));
    }

    #[test]
    fn connections_past_the_recorder_have_a_line_each() {
        let row = |command: &str, count, reason| MissedConnection {
            peer: "93.184.216.34:443".to_owned(),
            command: command.to_owned(),
            pid: 7,
            count,
            reason,
        };
        let rows = [
            row("node", 1, MissReason::ProxyIgnored),
            row("\x1b[2J", 2, MissReason::NoBaseUrl),
        ];
        let mut text = Vec::new();
        write_missed_connections(&rows, &OutputStyle::default(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("past us  node [7]"), "{text}");
        assert!(lines[0].contains("93.184.216.34:443  ignores the proxy variables"));
        assert!(lines[1].contains("(2 connections)") && !text.contains('\x1b'));
    }

    #[test]
    fn an_explanation_groups_variables_and_escapes_foreign_text() {
        let variable = |name: &str, before: Option<&str>| ChangedVariable {
            name: name.to_owned(),
            value: "http://127.0.0.1:1".to_owned(),
            before: before.map(str::to_owned),
            reason: "the recorder is the proxy".to_owned(),
        };
        let mut text = Vec::new();
        let before = ["codex".to_owned()];
        let after = ["codex", "-c", "k=\"v\""].map(str::to_owned);
        write_explanation(
            &[variable("A", None), variable("B", Some("\x1b[2J"))],
            CommandChange {
                before: &before,
                after: &after,
            },
            &["one".to_owned()],
            &OutputStyle::default(),
            &mut text,
        )
        .unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "the recorder is the proxy");
        assert_eq!(lines[1], "  A=http://127.0.0.1:1  was not set");
        assert!(lines[2].starts_with("  B=") && !lines[2].contains('\x1b'));
        assert_eq!(lines[3], "the command becomes");
        assert_eq!(lines[4], "  codex -c 'k=\"v\"'");
        assert_eq!(lines[5], "note: one");
        assert_eq!(lines.len(), 6);
    }
}
