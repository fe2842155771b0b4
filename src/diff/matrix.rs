//! Several exchanges at once: a row for each fact that is not equal in all, a column for each exchange.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::change::{ChangeKind, DiffChange, DiffLayer, DiffValue, ExchangeDiff};

/// Facts that are not equal in all exchanges.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DiffMatrix {
    /// What the exchanges are called: one a column.
    pub names: Vec<String>,
    /// In the order of the layers.
    pub rows: Vec<MatrixRow>,
}

/// One fact.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixRow {
    /// Which layer it belongs to.
    pub layer: DiffLayer,
    /// Where, as in [`DiffChange::at`].
    pub at: String,
    /// What it is about, where a layer has several kinds of fact.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub group: &'static str,
    /// Its value in each exchange; `None` where it is not there.
    pub cells: Vec<Option<DiffValue>>,
    /// Why it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<crate::diff::NoiseReason>,
}

/// Where each row is, and in which columns a change was told of it.
type RowIndex = HashMap<(DiffLayer, String), (usize, Vec<bool>)>;

impl DiffMatrix {
    /// From the differences of the first exchange to each of the others.
    pub fn from_differences(differences: &[ExchangeDiff]) -> Self {
        let Some(first) = differences.first() else {
            return Self::default();
        };
        let rights = differences
            .iter()
            .map(|difference| difference.right.clone());
        let mut matrix = Self {
            names: std::iter::once(first.left.clone()).chain(rights).collect(),
            rows: Vec::new(),
        };
        let mut places = RowIndex::new();
        for (column, difference) in (1usize..).zip(differences) {
            for (layer, change) in difference.changes() {
                matrix.add_change(&mut places, column, layer, change);
            }
        }
        for (column, difference) in (1usize..).zip(differences) {
            matrix.clear_replaced_cells(column, difference);
        }
        // Stable: within a layer the rows stay in the order in which they were found.
        matrix.rows.sort_by_key(|row| row.layer);
        matrix
    }

    /// What lies within something that is another altogether in `column` is not there, and not as in the first.
    fn clear_replaced_cells(&mut self, column: usize, difference: &ExchangeDiff) {
        let told: HashSet<_> = difference
            .changes()
            .filter(|(_, change)| matches!(change.what, ChangeKind::Changed | ChangeKind::Removed))
            .map(|(layer, change)| (layer, change.at.as_str()))
            .collect();
        for row in &mut self.rows {
            let within = row.at.rmatch_indices('/').any(|(end, _)| {
                let around = row.at.get(..end).unwrap_or_default();
                told.contains(&(row.layer, around))
            });
            if let (true, Some(cell)) = (within, row.cells.get_mut(column)) {
                *cell = None;
            }
        }
    }

    fn add_change(
        &mut self,
        places: &mut RowIndex,
        column: usize,
        layer: DiffLayer,
        change: &DiffChange,
    ) {
        // A place can be spelled, or stand, otherwise, and hold another value besides.
        let at = match change.what {
            ChangeKind::Respelled | ChangeKind::Reordered | ChangeKind::Moved => {
                format!("{} ({})", change.at, change.what.name())
            }
            ChangeKind::Added | ChangeKind::Removed | ChangeKind::Changed => change.at.clone(),
        };
        let columns = self.names.len();
        let (place, told) = places.entry((layer, at.clone())).or_insert_with(|| {
            self.rows.push(MatrixRow {
                layer,
                at,
                group: change.group,
                cells: vec![None; columns],
                noise: change.noise,
            });
            (self.rows.len().saturating_sub(1), vec![false; columns])
        });
        let Some(row) = self.rows.get_mut(*place) else {
            return;
        };
        // Noise in some, but not in all.
        row.noise = row.noise.take().filter(|_| change.noise.is_some());
        // Where no change is told, the value is that of the first: of an item that another pushed away too.
        if let Some(left) = &change.left
            && row.cells.first().is_some_and(Option::is_none)
        {
            let untold = row.cells.iter_mut().zip(told.iter());
            for (cell, _) in untold.filter(|(_, told)| !**told) {
                *cell = Some(left.value.clone());
            }
        }
        // What left one place may be followed there by what was put in.
        if let (Some(cell), Some(told)) = (row.cells.get_mut(column), told.get_mut(column))
            && (!*told || change.right.is_some())
        {
            *told = true;
            *cell = change.right.as_ref().map(|right| right.value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::ReadOptions;
    use crate::diff::input::DiffInput;
    use crate::diff::{compare, noise};

    fn rows(bodies: &[&str]) -> Vec<(String, Vec<String>)> {
        let subject = |body: &&str| {
            DiffInput::from_request(
                "x".to_owned(),
                body.as_bytes().to_vec(),
                &ReadOptions::default(),
            )
        };
        let subjects: Vec<_> = bodies.iter().map(subject).collect();
        let differences = subjects[1..].iter();
        let differences: Vec<_> = differences
            .map(|right| {
                compare(
                    &subjects[0],
                    right,
                    &DiffLayer::ALL,
                    &noise::noise_rules(&[]),
                )
            })
            .collect();
        let rows = DiffMatrix::from_differences(&differences).rows.into_iter();
        let cell = |cell: Option<DiffValue>| cell.map_or("-".to_owned(), |value| value.to_string());
        rows.map(|row| (row.at, row.cells.into_iter().map(cell).collect()))
            .collect()
    }

    #[test]
    fn each_column_has_what_stands_there() {
        let told = rows(&[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":1,"b":3}"#, r#"{"a":1}"#]);
        let row = |at: &str, cells: &[&str]| {
            let cells = cells.iter().map(|&cell| cell.to_owned());
            (at.to_owned(), cells.collect::<Vec<_>>())
        };
        assert_eq!(
            told,
            [
                row("/a", &["1", "2", "1", "1"]),
                row("/b", &["-", "-", "3", "-"])
            ]
        );
        // Put in before it by one, and changed by another.
        let told = rows(&[
            r#"["one two three","four five six"]"#,
            r#"["one two three","new","four five six"]"#,
            r#"["one two three","four five seven"]"#,
            r#"["one two three","four five six"]"#,
        ]);
        let six = "\"four five six\"";
        let cells = [six, "\"new\"", "\"four five seven\"", six];
        assert_eq!(told, [row("/1", &cells)]);
        // Something left the place, and something else came to it.
        let told = rows(&[r#"["one two",7]"#, r#"[{"k":1},7]"#]);
        assert_eq!(told, [row("/0", &["\"one two\"", r#"{"k":1}"#])]);
    }
}
