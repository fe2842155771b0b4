//! The layers of the library: each module imports only from those above it, and the core does no I/O.
//! Read from the `use` lines themselves, so that the picture in `src/lib.rs` stays true.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules from the ground up: a module may use those of lower rows.
const LAYERS: [(&str, u8); 25] = [
    ("span", 0),
    ("tape", 10),
    ("http1", 20),
    ("content", 20),
    ("json", 20),
    ("sse", 21),
    ("capture", 30),
    ("exchange", 40),
    ("service", 41),
    ("sdk", 42),
    ("price", 41),
    ("chat", 42),
    ("call", 43),
    ("catalog", 44),
    ("diff", 45),
    ("prompt_cache", 46),
    ("render", 50),
    ("net", 60),
    ("capture::keeper", 60),
    ("capture::store", 60),
    ("client", 70),
    ("serve", 70),
    ("demo", 71),
    ("cli", 80),
    ("main", 90),
];

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
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
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
    let core: BTreeSet<_> = LAYERS
        .iter()
        .filter(|(_, layer)| *layer < 60)
        .map(|(name, _)| *name)
        .collect();
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
        if is_of_tests(&file) {
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

/// Whether its parent declares the module for tests alone.
fn is_of_tests(file: &Path) -> bool {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let parent = std::fs::read_to_string(file.with_file_name("mod.rs")).unwrap_or_default();
    parent.contains(&format!("#[cfg(test)]\nmod {name};"))
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
