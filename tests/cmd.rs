//! Runs the console blocks of README.md and `tests/cmd/*.md`: each command must print what its block shows, and end
//! with the exit code that its block shows. `SNAPSHOTS=overwrite cargo test --test cmd` writes the blocks anew.
//!
//! The blocks of one file run in order, in one fresh folder that holds a copy of `captures/` and a link to `tests/`.
//! Each command is a line of `sh`, with standard output and standard error on one pipe. A line `...` in a block matches
//! any number of lines. A line `? 4` behind a command is its exit code, as is `$ echo $?` after it; otherwise it is 0.
//! This is our own runner, since trycmd runs no pipes, no redirections and no `$?`, which the README has.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

mod common;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::Home;
use regex::{Captures, Regex};

const ECHO: &str = "echo $?";

/// One command of a block and what the block shows of it.
struct Example {
    command: String,
    code: i32,
    output: Vec<String>,
}

/// A piece of a file: lines that are kept as they are, or a command with its output.
enum Piece {
    Prose(String),
    Example(Example),
}

fn parse(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        let last = pieces.last_mut();
        match (in_block, last, line.strip_prefix("$ ")) {
            (true, _, Some(command)) => pieces.push(Piece::Example(Example {
                command: command.to_owned(),
                code: 0,
                output: vec![],
            })),
            (true, Some(Piece::Example(example)), None) if line != "```" => {
                match line.strip_prefix("? ") {
                    Some(code) if example.output.is_empty() => example.code = code.parse().unwrap(),
                    _ => example.output.push(line.to_owned()),
                }
            }
            _ => {
                in_block = line == "```console";
                pieces.push(Piece::Prose(line.to_owned()));
            }
        }
    }
    pieces
}

/// The folder in which the blocks of one file run.
fn prepare() -> Home {
    let home = Home::new();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["captures", "captures/demo"] {
        std::fs::create_dir(home.path(folder)).unwrap();
        for entry in std::fs::read_dir(project.join(folder)).unwrap() {
            let file = entry.unwrap().path();
            if file.is_file() {
                let name = file.file_name().unwrap();
                std::fs::copy(&file, home.path(folder).join(name)).unwrap();
            }
        }
    }
    std::os::unix::fs::symlink(project.join("tests"), home.path("tests")).unwrap();
    home
}

/// Runs a line of `sh`, with `last` as the exit code of the command before it.
fn run(home: &Home, last: i32, command: &str) -> (i32, Vec<String>) {
    let program = Path::new(env!("CARGO_BIN_EXE_wire"));
    let path = std::env::var("PATH").unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", &format!("(exit {last})\n{command}")])
        .env_clear()
        .env(
            "PATH",
            format!("{}:{path}", program.parent().unwrap().display()),
        )
        .env("HOME", home.path("."))
        .env("LANG", "C.UTF-8")
        .current_dir(home.path("."))
        .stdin(Stdio::null())
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut output = Vec::new();
    reader.read_to_end(&mut output).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    let output = String::from_utf8_lossy(&output);
    // `lines` takes a carriage return off the end of a line: Markdown cannot show it.
    (code, output.lines().map(str::to_owned).collect())
}

/// The text that replaces a match.
type Mask = fn(&Captures<'_>) -> String;

/// Replaces what differs from run to run, in the order of this list.
fn masks() -> Vec<(Regex, Mask)> {
    let table: [(&str, Mask); 15] = [
        // These lines, and whether the last of them is there, depend on how the stream was split into reads.
        ("^(\\* )?(times|pace|arrivals) .*", |found| {
            match &found[2] {
                "arrivals" => String::new(),
                name => name.to_owned(),
            }
        }),
        // The counts depend on whether a second passed between two exchanges.
        ("^noise: .*", |_| "noise".to_owned()),
        ("[▀-▟·]{3,}", |_| "BAR".to_owned()),
        // The widths of columns depend on the times in them: these lines are compared without their alignment, which
        // the files over stored captures hold.
        ("^TARGET .*", |found| {
            found[0].split_whitespace().collect::<Vec<_>>().join(" ")
        }),
        (" +[+-]?[0-9,]+(\\.[0-9]+)? (ms|s)\\b", |_| {
            " TIME".to_owned()
        }),
        // Tokens a second, in a table.
        (" +[0-9]+\\.[0-9]  ", |_| " RATE  ".to_owned()),
        ("(localhost|127\\.0\\.0\\.1):[0-9]{5}\\b", |found| {
            format!("{}:PORT-", &found[1])
        }),
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}([T ])[0-9:.]{8,}", |found| {
            format!("DATE{}CLOCK", &found[1])
        }),
        (
            "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT",
            |_| "HTTP-DATE".to_owned(),
        ),
        (
            "[0-9]{8}-[0-9]{6}\\.[0-9]{3}-([a-z0-9.-]+)-[0-9a-f]{4}\\.wire( \\([0-9,]+ bytes\\))?",
            |found| format!("NAME-{}.wire", &found[1]),
        ),
        ("^[0-9a-f]{4}  ", |_| "ID    ".to_owned()),
        ("key [0-9a-f]{8}\\b", |_| "key FINGERPRINT".to_owned()),
        ("(chatcmpl-demo|call_|req_|fp_)[0-9A-Za-z]+", |found| {
            format!("{}ID", &found[1])
        }),
        ("[0-9a-f]{64}", |_| "SHA-256".to_owned()),
        ("\"created\": ?[0-9]{10}", |_| "created".to_owned()),
    ];
    table
        .map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask))
        .into()
}

fn masked(lines: &[String]) -> Vec<String> {
    let masks = masks();
    let mask = |line: &String| {
        masks.iter().fold(line.clone(), |line, (pattern, mask)| {
            pattern.replace_all(&line, mask).into_owned()
        })
    };
    lines
        .iter()
        .map(mask)
        .filter(|line| !line.is_empty())
        .collect()
}

/// Whether the printed lines match the shown ones, in which `...` matches any number of lines.
fn matches(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, more)| first == line && matches(rest, more)),
    }
}

/// The printed lines with `...` where the old block had it, so that a block that is written anew stays short.
fn with_elisions(shown: &[String], printed: Vec<String>) -> Vec<String> {
    let Some(before) = shown.iter().position(|line| line == "...") else {
        return printed;
    };
    let after = shown.len() - before - 1;
    if before + after > printed.len() {
        return printed;
    }
    let (head, tail) = (&printed[..before], &printed[printed.len() - after..]);
    [head, &["...".to_owned()], tail].concat()
}

/// Runs the blocks of a file. Returns its text, with what was printed in place of what was shown where they differ.
fn run_blocks(text: &str) -> String {
    let home = prepare();
    let pieces = parse(text);
    // Captures in the repository never change: without an exchange of its own, a file is compared byte by byte.
    let is_masked = text.contains("$ wire send");
    let (mut lines, mut last) = (Vec::new(), 0);
    for (index, piece) in pieces.iter().enumerate() {
        let example = match piece {
            Piece::Prose(line) => {
                lines.push(line.clone());
                continue;
            }
            Piece::Example(example) => example,
        };
        let (code, printed) = run(&home, last, &example.command);
        let is_same = if is_masked {
            matches(&masked(&example.output), &masked(&printed))
        } else {
            matches(&example.output, &printed)
        };
        lines.push(format!("$ {}", example.command));
        let next = pieces.get(index + 1);
        let is_echoed = matches!(next, Some(Piece::Example(next)) if next.command == ECHO);
        if code != 0 && !is_echoed {
            lines.push(format!("? {code}"));
        }
        lines.extend(if is_same {
            example.output.clone()
        } else {
            with_elisions(&example.output, printed)
        });
        last = code;
    }
    lines.join("\n") + "\n"
}

fn check(files: &[PathBuf]) {
    std::thread::scope(|scope| {
        for path in files {
            scope.spawn(move || {
                let text = std::fs::read_to_string(path).unwrap();
                let shown = snapbox::Data::read_from(path, None).raw();
                let assert = snapbox::Assert::new().action_env("SNAPSHOTS");
                assert.eq(run_blocks(&text), shown);
            });
        }
    });
}

#[test]
fn readme_commands_print_what_the_readme_shows() {
    check(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")]);
}

#[test]
fn commands_print_what_their_files_show() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let files = std::fs::read_dir(folder).unwrap();
    let files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 5, "{files:?}");
    check(&files);
}
