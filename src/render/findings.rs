//! Folds the findings of a report: a few lines for each rule, and one line that counts the rest.

use super::wording;
use crate::lint::Finding;

/// Most lines of one rule in a report: the second shows that the first is no exception.
const MAX_LINES_OF_A_RULE: usize = 2;

/// Most lines of findings in a report: they leave half of a terminal's 24 lines for the answer's own figures.
const MAX_LINES: usize = 12;

/// Most rules that the line about the rest names.
const MAX_NAMED_RULES: usize = 4;

/// The findings of a report that have a line of their own, and a line about the rest.
pub(super) struct FoldedFindings<'a> {
    /// Findings with a line of their own, in the order of the report.
    pub(super) shown: Vec<&'a Finding>,
    /// The line about the rest.
    pub(super) rest: Option<String>,
}

/// Folds `findings`. Where they are too many, the most serious ones keep their lines.
pub(super) fn fold_findings<'a>(findings: impl Iterator<Item = &'a Finding>) -> FoldedFindings<'a> {
    let all: Vec<_> = findings.collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|index| {
        all.get(*index)
            .map(|finding| std::cmp::Reverse(finding.severity))
    });
    let mut lines: Vec<usize> = Vec::new();
    let rule = |index: usize| all.get(index).map(|finding| finding.rule.id);
    for index in order {
        let alike = lines.iter().filter(|line| rule(**line) == rule(index));
        if lines.len() < MAX_LINES && alike.count() < MAX_LINES_OF_A_RULE {
            lines.push(index);
        }
    }
    let (mut shown, mut folded) = (Vec::new(), Vec::new());
    for (index, finding) in all.into_iter().enumerate() {
        match lines.contains(&index) {
            true => shown.push(finding),
            false => folded.push(finding),
        }
    }
    let rest = describe_rest(&folded);
    FoldedFindings { shown, rest }
}

fn describe_rest(folded: &[&Finding]) -> Option<String> {
    let mut rules: Vec<&str> = Vec::new();
    for finding in folded {
        if !rules.contains(&finding.rule.id) {
            rules.push(finding.rule.id);
        }
    }
    let named = rules.get(..MAX_NAMED_RULES.min(rules.len()))?.join(", ");
    let others = if rules.len() > MAX_NAMED_RULES {
        ", ..."
    } else {
        ""
    };
    let count = wording::format_count(folded.len() as u64);
    let noun = if folded.len() == 1 {
        "finding"
    } else {
        "findings"
    };
    let text = format!("{count} more {noun} ({named}{others}): `wire lint` lists them");
    (!folded.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::FindingPlace;

    fn findings(ids: &[&str]) -> Vec<Finding> {
        let finding = |id: &&str| Finding::new(id, FindingPlace::default(), vec![]).unwrap();
        ids.iter().map(finding).collect()
    }

    #[test]
    fn the_third_finding_of_a_rule_is_only_counted() {
        let all = findings(&["http-bare-lf", "sse-bom", "http-bare-lf", "http-bare-lf"]);
        let folded = fold_findings(all.iter());
        let shown: Vec<_> = folded.shown.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(shown, ["http-bare-lf", "sse-bom", "http-bare-lf"]);
        let rest = "1 more finding (http-bare-lf): `wire lint` lists them";
        assert_eq!(folded.rest.as_deref(), Some(rest));
        assert_eq!(fold_findings(all[..2].iter()).rest, None);
    }

    #[test]
    fn the_most_serious_findings_keep_their_lines() {
        let rules = crate::lint::all_rules();
        let ids: Vec<_> = rules.iter().map(|rule| rule.id).collect();
        let all = findings(&ids);
        let folded = fold_findings(all.iter());
        assert_eq!(folded.shown.len(), MAX_LINES);
        let is_error = |finding: &&Finding| finding.severity == crate::chat::Severity::Error;
        assert!(folded.shown.iter().all(is_error));
        assert!(folded.rest.unwrap().contains(", ...): `wire lint`"));
    }
}
