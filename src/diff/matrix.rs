//! A table of several exchanges: a row for each fact that is not equal in all, a column for each exchange.

use std::collections::{HashMap, HashSet};

use serde::{Serialize, Serializer};

use super::change::{ChangeKind, DiffChange, DiffValue, ExchangeDiff};
use super::layer::DiffLayer;
use super::noise_reason::NoiseReason;
use super::place::DiffPlace;

/// A table of the facts that are not equal in all exchanges.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DiffMatrix {
    /// The names of the exchanges, one for each column.
    pub names: Vec<String>,
    /// The facts, in the order of the layers.
    pub rows: Vec<MatrixRow>,
}

/// A row of a [`DiffMatrix`]: one fact with its value in each exchange.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixRow {
    /// The layer of the fact.
    pub layer: DiffLayer,
    /// The path of the folder.
    pub at: RowPlace,
    /// What it is about, where a layer has several kinds of fact.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub group: &'static str,
    /// Its value in each exchange; `None` where it is absent.
    pub cells: Vec<Option<DiffValue>>,
    /// Why all its differences are noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseReason>,
}

/// The place of a row of a [`DiffMatrix`]. A place whose value is spelled otherwise, or is elsewhere, in one exchange may
/// have another value in a third: these are two rows.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RowPlace {
    /// The place of the changes.
    pub place: DiffPlace,
    /// Their kind, if it leaves the value as it is.
    pub kind: Option<ChangeKind>,
}

/// `/stop/0`, `/seed (respelled)`.
impl std::fmt::Display for RowPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{} ({})", self.place, kind.name()),
            None => write!(f, "{}", self.place),
        }
    }
}

impl Serialize for RowPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The index of each row, and the columns that have a change there.
type RowIndex = HashMap<(DiffLayer, RowPlace), (usize, Vec<bool>)>;

impl DiffMatrix {
    /// Makes the table from the differences of the first exchange to each of the others.
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

    /// Empties the cells of `column` whose place is inside a value that was replaced or removed there.
    fn clear_replaced_cells(&mut self, column: usize, difference: &ExchangeDiff) {
        let replaced: HashSet<_> = difference
            .changes()
            .filter(|(_, change)| matches!(change.what, ChangeKind::Changed | ChangeKind::Removed))
            .map(|(layer, change)| (layer, change.at.clone()))
            .collect();
        for row in &mut self.rows {
            let mut around = row.at.place.ancestors();
            let is_replaced = around.any(|place| replaced.contains(&(row.layer, place)));
            if let (true, Some(cell)) = (is_replaced, row.cells.get_mut(column)) {
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
        let leaves_value = matches!(
            change.what,
            ChangeKind::Respelled | ChangeKind::Reordered | ChangeKind::Moved
        );
        let at = RowPlace {
            place: change.at.clone(),
            kind: leaves_value.then_some(change.what),
        };
        let columns = self.names.len();
        let (index, has_change) = places.entry((layer, at.clone())).or_insert_with(|| {
            self.rows.push(MatrixRow {
                layer,
                at,
                group: change.group,
                cells: vec![None; columns],
                noise: change.noise,
            });
            (self.rows.len().saturating_sub(1), vec![false; columns])
        });
        let Some(row) = self.rows.get_mut(*index) else {
            return;
        };
        // A row is noise if it is in all columns.
        row.noise = row.noise.take().filter(|_| change.noise.is_some());
        // A column without a change has the value of the first: also of an item that another one pushed away.
        if let Some(left) = &change.left
            && row.cells.first().is_some_and(Option::is_none)
        {
            let cells = row.cells.iter_mut().zip(has_change.iter());
            for (cell, _) in cells.filter(|(_, has_change)| !**has_change) {
                *cell = Some(left.value.clone());
            }
        }
        // Of two changes at one place, the addition after the removal counts.
        let column = (row.cells.get_mut(column), has_change.get_mut(column));
        if let (Some(cell), Some(has_change)) = column
            && (!*has_change || change.right.is_some())
        {
            *has_change = true;
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
        rows.map(|row| {
            (
                row.at.to_string(),
                row.cells.into_iter().map(cell).collect(),
            )
        })
        .collect()
    }

    #[test]
    fn each_column_has_its_own_value() {
        let found = rows(&[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":1,"b":3}"#, r#"{"a":1}"#]);
        let row = |at: &str, cells: &[&str]| {
            let cells = cells.iter().map(|&cell| cell.to_owned());
            (at.to_owned(), cells.collect::<Vec<_>>())
        };
        assert_eq!(
            found,
            [
                row("/a", &["1", "2", "1", "1"]),
                row("/b", &["-", "-", "3", "-"])
            ]
        );
        // Put in before it by one, and changed by another.
        let found = rows(&[
            r#"["one two three","four five six"]"#,
            r#"["one two three","new","four five six"]"#,
            r#"["one two three","four five seven"]"#,
            r#"["one two three","four five six"]"#,
        ]);
        let six = "\"four five six\"";
        let cells = [six, "\"new\"", "\"four five seven\"", six];
        assert_eq!(found, [row("/1", &cells)]);
        // Something left the place, and something else came to it.
        let found = rows(&[r#"["one two",7]"#, r#"[{"k":1},7]"#]);
        assert_eq!(found, [row("/0", &["\"one two\"", r#"{"k":1}"#])]);
    }
}
