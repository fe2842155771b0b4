//! The layers of the library: each file imports only from layers above its own in the picture in `src/lib.rs`, no files
//! import each other in a circle, and the core does no I/O.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules in the order of the picture in `src/lib.rs`, and how many of them are the core, which does no I/O.
fn layers() -> (Vec<String>, usize) {
    let source = std::fs::read_to_string(src().join("lib.rs")).unwrap();
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

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
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

/// One source file as a module, without its comments and tests.
struct Module {
    code: String,
    /// Imported paths, as absolute module paths with the imported name last.
    imports: BTreeSet<Vec<String>>,
    /// Names that the module re-exports from elsewhere.
    exports: BTreeMap<String, Vec<String>>,
}

type ModulePath = Vec<String>;

/// Every file under `src` that is not for tests alone, by module path; `lib.rs` is the empty path.
fn modules() -> BTreeMap<ModulePath, Module> {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    files.retain(|file| !is_for_tests(file));
    assert!(files.len() > 100, "the sources are there");
    let paths: BTreeSet<_> = files.iter().map(|file| module_path(file)).collect();
    let read = |file: &PathBuf| {
        let path = module_path(file);
        let module = Module::read(&std::fs::read_to_string(file).unwrap(), &path, &paths);
        (path, module)
    };
    files.iter().map(read).collect()
}

fn module_path(file: &Path) -> ModulePath {
    let path = file.strip_prefix(src()).unwrap().with_extension("");
    let mut path: Vec<_> = path
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if matches!(path.last().unwrap().as_str(), "mod" | "lib") {
        path.pop();
    }
    path
}

/// Whether the file, or a folder that it is in, is declared as a module for tests alone: those may import anything.
fn is_for_tests(file: &Path) -> bool {
    let mut module = match file.ends_with("mod.rs") {
        true => file.parent().unwrap().to_owned(),
        false => file.with_extension(""),
    };
    while module != src() {
        let folder = module.parent().unwrap().to_owned();
        let name = module.file_name().unwrap().to_str().unwrap();
        let declared = format!("#[cfg(test)]\nmod {name};");
        let parents = [folder.join("mod.rs"), folder.with_extension("rs")];
        let mut parents = parents
            .iter()
            .filter_map(|parent| std::fs::read_to_string(parent).ok());
        if parents.any(|parent| parent.contains(&declared)) {
            return true;
        }
        module = folder;
    }
    false
}

impl Module {
    fn read(source: &str, path: &ModulePath, modules: &BTreeSet<ModulePath>) -> Self {
        let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let mut code: String = lines.flat_map(|line| [line, "\n"]).collect();
        let (mut imports, mut exports) = (BTreeSet::new(), BTreeMap::new());
        // `use` statements, groups expanded.
        while let Some((start, end)) = next_use(&code) {
            let statement = code[start..end].to_owned();
            code.replace_range(start..=end, "");
            let (visibility, tree) = statement.split_once("use ").unwrap();
            for name in expand_group(tree) {
                let (name, alias) = name.split_once(" as ").unwrap_or((&name, ""));
                let Some(target) = absolute(name, path, modules) else {
                    continue;
                };
                if visibility.contains("pub") {
                    let own = if alias.is_empty() {
                        target.last().unwrap()
                    } else {
                        alias
                    };
                    exports.insert(own.to_owned(), target);
                } else {
                    imports.insert(target);
                }
            }
        }
        // Paths written out in the code.
        let is_path = |char: char| char.is_alphanumeric() || matches!(char, '_' | ':');
        for written in code.split(|char: char| !is_path(char)) {
            if written.contains("::") {
                imports.extend(absolute(written, path, modules));
            }
        }
        // A re-exported name that the module itself uses is an import too.
        let declares = |line: &&str| line.contains("mod ") && line.ends_with(';');
        let words: BTreeSet<_> = code
            .lines()
            .filter(|line| !declares(line))
            .flat_map(|line| line.split(|char: char| !char.is_alphanumeric() && char != '_'))
            .collect();
        let used = exports
            .iter()
            .filter(|(name, _)| words.contains(name.as_str()));
        imports.extend(used.map(|(_, target)| target.clone()));
        Self {
            code,
            imports,
            exports,
        }
    }
}

/// The range of the next `use` statement, from its visibility up to its semicolon.
fn next_use(code: &str) -> Option<(usize, usize)> {
    let mut start = 0;
    for line in code.split_inclusive('\n') {
        let text = line.trim_start();
        let statement = match text.starts_with("pub") {
            true => text
                .find("use ")
                .filter(|at| !text[..*at].trim_end().contains(' '))
                .is_some(),
            false => text.starts_with("use "),
        };
        if statement {
            return Some((start, start + code[start..].find(';')?));
        }
        start += line.len();
    }
    None
}

/// The paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand_group(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((prefix, rest)) = tree.split_once('{') else {
        return vec![tree.to_owned()];
    };
    let inner = rest.trim_end().strip_suffix('}').unwrap();
    let (mut depth, mut items) = (0, vec![String::new()]);
    for char in inner.chars() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        items.last_mut().unwrap().push(char);
    }
    let items = items.iter().filter(|item| !item.trim().is_empty());
    items
        .flat_map(|item| expand_group(&format!("{prefix}{}", item.trim())))
        .collect()
}

/// The absolute path of `written` in module `path`; `None` for a path that does not lead into this crate.
fn absolute(
    written: &str,
    path: &ModulePath,
    modules: &BTreeSet<ModulePath>,
) -> Option<Vec<String>> {
    let mut parts = written
        .split("::")
        .map(|part| part.trim().to_owned())
        .peekable();
    let mut from = path.clone();
    match parts.peek()?.as_str() {
        "crate" | "wire" => {
            parts.next();
            from = Vec::new();
        }
        "self" => {
            parts.next();
        }
        "super" => {
            while parts.next_if(|part| part == "super").is_some() {
                from.pop()?;
            }
        }
        child => {
            let child: ModulePath = from.iter().cloned().chain([child.to_owned()]).collect();
            if !modules.contains(&child) {
                return None;
            }
        }
    }
    from.extend(parts.filter(|part| !part.is_empty() && part != "self" && part != "*"));
    Some(from)
}

/// The module that defines the name at `target`: re-exports are followed to where the name comes from.
fn defining_module(target: &[String], modules: &BTreeMap<ModulePath, Module>) -> ModulePath {
    let mut owner = target.to_vec();
    while !modules.contains_key(&owner) {
        owner.pop();
    }
    let export = target
        .get(owner.len())
        .and_then(|name| modules[&owner].exports.get(name));
    match export {
        Some(export) if export.as_slice() != target => defining_module(export, modules),
        _ => owner,
    }
}

/// For each module, those that it imports from.
fn edges(modules: &BTreeMap<ModulePath, Module>) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
    let targets = |path: &ModulePath, module: &Module| {
        let targets = module
            .imports
            .iter()
            .map(|target| defining_module(target, modules));
        targets.filter(|target| target != path).collect()
    };
    modules
        .iter()
        .map(|(path, module)| (path.clone(), targets(path, module)))
        .collect()
}

/// The index in `layers` of the entry that is the longest prefix of `path`.
fn layer_of(path: &ModulePath, layers: &[String]) -> usize {
    let own = (1..=path.len())
        .rev()
        .map(|length| path[..length].join("::"));
    let mut rows = own.filter_map(|name| layers.iter().position(|layer| *layer == name));
    rows.next()
        .unwrap_or_else(|| panic!("{path:?} has no layer"))
}

#[test]
fn imports_point_one_way() {
    let (layers, _) = layers();
    let mut wrong = Vec::new();
    for (path, used) in edges(&modules()) {
        // The root re-exports `wire::open` and imports the modules that it needs.
        if path.is_empty() {
            continue;
        }
        let layer = layer_of(&path, &layers);
        for used in used {
            if used.is_empty() || layer_of(&used, &layers) > layer {
                wrong.push(format!("{} imports {}", path.join("::"), used.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_import_each_other_in_no_circle() {
    let edges = edges(&modules());
    let reached: BTreeMap<_, _> = edges
        .keys()
        .map(|path| (path, reachable(path, &edges)))
        .collect();
    let mut circles = BTreeSet::new();
    for (path, from_here) in &reached {
        let circle = from_here
            .iter()
            .filter(|other| reached[other].contains(*path));
        let circle: Vec<_> = circle.map(|path| path.join("::")).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

fn reachable(
    start: &ModulePath,
    edges: &BTreeMap<ModulePath, BTreeSet<ModulePath>>,
) -> BTreeSet<ModulePath> {
    let (mut found, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(path) = next.pop() {
        next.extend(
            edges[path]
                .iter()
                .filter(|target| found.insert((*target).clone())),
        );
    }
    found
}

#[test]
fn the_core_does_no_io() {
    let (layers, core) = layers();
    let mut wrong = Vec::new();
    for (path, module) in modules() {
        if path.is_empty() || layer_of(&path, &layers) >= core {
            continue;
        }
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
            let imported = module
                .imports
                .iter()
                .any(|path| path.contains(&word.to_owned()));
            if imported || module.code.contains(word) {
                wrong.push(format!("{}: {word}", path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_file_begins_with_a_module_comment() {
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
