//! The page of rules, `captures/RULES.md`, is made from the table: `SNAPSHOTS=overwrite cargo test --test lint_rules` writes
//! it anew.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads and writes its snapshot"
)]

use std::fmt::Write as _;
use std::path::Path;

use wire::lint::{Rule, all_rules};

#[test]
fn the_page_of_rules_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/RULES.md");
    let page = page();
    if std::env::var("SNAPSHOTS").as_deref() == Ok("overwrite") {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept == page, "captures/RULES.md is not what the table says");
}

fn page() -> String {
    let mut page = String::from(
        "# Rules of `wire lint`\n\nMade from `src/lint/rules.txt` by `SNAPSHOTS=overwrite cargo test --test lint_rules`.\n\
         `{name}` is a fact of the finding. \"measured\" is a run with that version; the rest are public reports.\n",
    );
    let mut layer = "";
    for rule in all_rules() {
        if rule.layer.name() != layer {
            layer = rule.layer.name();
            write!(page, "\n## {layer}\n").unwrap();
        }
        write_rule(rule, &mut page);
    }
    page
}

fn write_rule(rule: &Rule, page: &mut String) {
    let severity = rule.severity.name();
    let legal = rule.legal.describe();
    write!(
        page,
        "\n**`{}`** ({severity}, {legal}): {}.\nSource: {}.\n",
        rule.id, rule.says, rule.source
    )
    .unwrap();
    if !rule.right.is_empty() {
        writeln!(page, "Right: `{}`", rule.right).unwrap();
    }
    for client in &rule.breaks {
        writeln!(page, "- breaks: {client}").unwrap();
    }
}
