//! Several exchanges at once: a row for each fact that is not equal in all, a column for each exchange.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::change::{Change, Difference, Layer, Value, What};

/// Facts that are not equal in all exchanges.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Matrix {
    /// What the exchanges are called: one a column.
    pub names: Vec<String>,
    /// In the order of the layers.
    pub rows: Vec<Row>,
}

/// One fact.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Which layer it belongs to.
    pub layer: Layer,
    /// Where, as in [`Change::at`].
    pub at: String,
    /// What it is about, where a layer has several kinds of fact.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub group: &'static str,
    /// Its value in each exchange; `None` where it is not there.
    pub cells: Vec<Option<Value>>,
    /// Why it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<String>,
}

impl Matrix {
    /// From the differences of the first exchange to each of the others.
    pub fn of(differences: &[Difference]) -> Self {
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
        let mut places = HashMap::new();
        for (column, difference) in (1usize..).zip(differences) {
            for (layer, change) in difference.changes() {
                matrix.take(&mut places, column, layer, change);
            }
        }
        for (column, difference) in (1usize..).zip(differences) {
            matrix.forget(column, difference);
        }
        // Stable: within a layer the rows stay in the order in which they were found.
        matrix.rows.sort_by_key(|row| row.layer);
        matrix
    }

    /// What lies within something that is another altogether in `column` is not there, and not as in the first.
    fn forget(&mut self, column: usize, difference: &Difference) {
        let told: HashSet<_> = difference
            .changes()
            .filter(|(_, change)| matches!(change.what, What::Changed | What::Removed))
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

    fn take(
        &mut self,
        places: &mut HashMap<(Layer, String), usize>,
        column: usize,
        layer: Layer,
        change: &Change,
    ) {
        // A place can be spelled, or stand, otherwise, and hold another value besides.
        let at = match change.what {
            What::Respelled | What::Reordered | What::Moved => {
                format!("{} ({})", change.at, change.what.name())
            }
            What::Added | What::Removed | What::Changed => change.at.clone(),
        };
        let columns = self.names.len();
        let place = *places.entry((layer, at.clone())).or_insert_with(|| {
            // Where no change is told, the value is that of the first.
            let value = change.left.as_ref().map(|left| left.value.clone());
            self.rows.push(Row {
                layer,
                at,
                group: change.group,
                cells: vec![value; columns],
                noise: change.noise.clone(),
            });
            self.rows.len().saturating_sub(1)
        });
        let value = change.right.as_ref().map(|right| right.value.clone());
        let cell = self
            .rows
            .get_mut(place)
            .and_then(|row| row.cells.get_mut(column));
        if let Some(cell) = cell {
            *cell = value;
        }
    }
}
