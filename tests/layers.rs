//! The layers of the library: each module imports only from those above it, and the core does no I/O.
//! Read from the `use` lines themselves, so that the picture in `src/lib.rs` stays true.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules in the order of the picture in `src/lib.rs`, and how many of them are the core, which does no I/O.
fn layers() -> (Vec<String>, usize) {
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let picture = source
        .split("//! ```text\n")
        .nth(1)
        .expect("lib.rs has a picture");
    let picture = picture.split("//! ```").next().unwrap();
    let (mut modules, mut core) = (Vec::new(), 0);
    for line in picture.lines() {
        let names = line.trim_start_matches("//! ");
        if names.starts_with("---") {
            core = modules.len();
            continue;
        }
        // The names end where the description begins, in this column.
        let names = names.get(..25).expect("a line has a description");
        modules.extend(names.split_whitespace().map(str::to_owned));
    }
    assert!(core > 0 && modules.len() > 20, "{modules:?}");
    (modules, core)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Files with a row of their own.
const OWN_ROWS: [&str; 2] = ["capture::store", "capture::keeper"];

/// The module of the table that a path below `src` belongs to.
fn module(path: &str) -> String {
    let path = path.trim_end_matches(".rs").replace('/', "::");
    if let Some(own) = OWN_ROWS.iter().find(|own| path.starts_with(**own)) {
        return (*own).to_owned();
    }
    path.split("::").next().unwrap().to_owned()
}

/// The modules that a source file uses, by its `crate::` paths outside comments and tests.
fn uses(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let code: Vec<_> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split("};").next().unwrap();
            found.extend(
                group
                    .split(',')
                    .map(|name| module(name.trim().split("::").next().unwrap())),
            );
        } else {
            let path: String = rest
                .chars()
                .take_while(|&char| char.is_alphanumeric() || matches!(char, '_' | ':'))
                .collect();
            found.insert(module(&path.replace("::", "/")));
        }
    }
    found.remove("");
    found
}

/// Whether the file is a module of tests alone, by the line that declares it: those may look anywhere.
fn is_for_tests(file: &Path) -> bool {
    let (Some(folder), Some(name)) = (file.parent(), file.file_stem()) else {
        return false;
    };
    let declared = format!("#[cfg(test)]\nmod {};", name.to_str().unwrap());
    [folder.join("mod.rs"), folder.with_extension("rs")]
        .iter()
        .filter_map(|parent| std::fs::read_to_string(parent).ok())
        .any(|parent| parent.contains(&declared))
}

#[test]
fn imports_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layers: BTreeMap<String, usize> = layers().0.into_iter().zip(0..).collect();
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "the sources are there");
    let mut wrong = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if name == "lib.rs" {
            continue;
        }
        if is_for_tests(&file) {
            continue;
        }
        let own = module(&name);
        let layer = layers
            .get(own.as_str())
            .unwrap_or_else(|| panic!("{name}: `{own}` has no layer"));
        for used in uses(&std::fs::read_to_string(&file).unwrap()) {
            let Some(below) = layers.get(used.as_str()) else {
                panic!("{name}: uses `{used}`, which has no layer");
            };
            if own != used && below >= layer {
                wrong.push(format!(
                    "{name} (layer {layer}) uses {used} (layer {below})"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_does_no_io() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (modules, core) = layers();
    let core: BTreeSet<_> = modules.iter().take(core).map(String::as_str).collect();
    let mut wrong = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if !core.contains(module(&name).as_str()) || is_for_tests(&file) {
            continue;
        }
        let source = std::fs::read_to_string(&file).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        for word in [
            "tokio",
            "std::net",
            "std::fs",
            "std::env",
            "std::process",
            "std::thread",
            "SystemTime",
            "Instant",
        ] {
            if code
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(word))
            {
                wrong.push(format!("{name}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_file_says_what_may_live_in_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "fuzz/fuzz_targets"] {
        sources(&root.join(folder), &mut files);
    }
    let silent: Vec<_> = files
        .into_iter()
        .filter(|file| !std::fs::read_to_string(file).unwrap().starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}
