//! The pairs of entries of two containers, and the order in which their changes are reported.

/// An entry of one of two containers, with a number that equal entries share.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberedEntry {
    pub(super) number: u32,
    pub(super) side: u8,
    pub(super) index: usize,
}

/// Returns the entries of both sides, given by index and number, sorted by number, side and index.
pub(super) fn entries_by_number(
    sides: [impl Iterator<Item = (usize, u32)>; 2],
) -> Vec<NumberedEntry> {
    let mut all = Vec::new();
    for (side, entries) in (0..).zip(sides) {
        all.extend(entries.map(|(index, number)| NumberedEntry {
            number,
            side,
            index,
        }));
    }
    // One integer is compared faster than three fields.
    all.sort_unstable_by_key(|entry| {
        u64::from(entry.number) << 32 | u64::from(entry.side) << 31 | entry.index as u64
    });
    all
}

/// The partner of an entry without one.
const NO_PARTNER: u32 = u32::MAX;

/// Which members of two objects, or items of two arrays, belong together, by index.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct EntryPairs {
    /// For each entry of both sides the index of its partner, or [`NO_PARTNER`].
    partners: [Vec<u32>; 2],
    /// For each entry of both sides whether its partner is elsewhere: the entry moved.
    moved: [Vec<bool>; 2],
    /// Equal entries on each side in front of these.
    equal_before: usize,
}

/// The entries of both sides without a partner between two pairs that are in order.
pub(super) type UnpairedEntries = [Vec<usize>; 2];

/// A pair of entries, or an entry without a partner, in the order of the report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PairEvent {
    /// An entry of one side without a partner.
    Unpaired {
        side: usize,
        index: usize,
        /// Index on the other side where it would be inserted.
        insert_at: usize,
    },
    /// A pair.
    Paired { indices: [usize; 2], moved: bool },
}

impl EntryPairs {
    /// No pairs, in containers of these lengths.
    pub(super) fn new(lengths: [usize; 2]) -> Self {
        Self {
            partners: lengths.map(|length| vec![NO_PARTNER; length]),
            moved: lengths.map(|length| vec![false; length]),
            equal_before: 0,
        }
    }

    /// The same pairs behind `before` equal entries.
    pub(super) fn with_equal_before(self, before: usize) -> Self {
        Self {
            equal_before: before,
            ..self
        }
    }

    /// Pairs two entries that are in order.
    pub(super) fn join(&mut self, at: [usize; 2]) {
        self.partners[0][at[0]] = at[1] as u32;
        self.partners[1][at[1]] = at[0] as u32;
    }

    /// Pairs two entries of which one moved.
    pub(super) fn join_moved(&mut self, at: [usize; 2]) {
        self.join(at);
        self.moved[0][at[0]] = true;
        self.moved[1][at[1]] = true;
    }

    pub(super) fn len(&self, side: usize) -> usize {
        self.partners[side].len()
    }

    pub(super) fn partner(&self, side: usize, at: usize) -> Option<usize> {
        let partner = *self.partners[side].get(at)?;
        (partner != NO_PARTNER).then_some(partner as usize)
    }

    /// The partner, if the pair is in order.
    fn partner_in_order(&self, side: usize, at: usize) -> Option<usize> {
        self.partner(side, at).filter(|_| !self.moved[side][at])
    }

    /// Returns the entries without a partner between each two pairs in order, where both sides have some.
    pub(super) fn unpaired_runs(&self) -> Vec<UnpairedEntries> {
        let mut runs = Vec::new();
        let (mut x, mut y) = (0, 0);
        loop {
            let anchor = (x..self.len(0)).find_map(|at| Some([at, self.partner_in_order(0, at)?]));
            let [end_x, end_y] = anchor.unwrap_or([self.len(0), self.len(1)]);
            let free = |side: usize, range: std::ops::Range<usize>| -> Vec<usize> {
                range
                    .filter(|&at| self.partner(side, at).is_none())
                    .collect()
            };
            let run = [free(0, x..end_x), free(1, y..end_y)];
            if run.iter().all(|side| !side.is_empty()) {
                runs.push(run);
            }
            if anchor.is_none() {
                return runs;
            }
            (x, y) = (end_x + 1, end_y + 1);
        }
    }

    /// The number of entries that were added, removed or moved.
    pub(super) fn change_count(&self) -> usize {
        let moved = self.moved[1].iter().filter(|moved| **moved).count();
        self.unpaired(0).count() + self.unpaired(1).count() + moved
    }

    /// The entries without a partner.
    pub(super) fn unpaired(&self, side: usize) -> impl Iterator<Item = usize> {
        (0..self.len(side)).filter(move |&at| self.partner(side, at).is_none())
    }

    /// The same pairs, with the sides exchanged if `flipped`.
    pub(super) fn flip(mut self, flipped: bool) -> Self {
        if flipped {
            self.partners.swap(0, 1);
            self.moved.swap(0, 1);
        }
        self
    }

    /// Returns entries and pairs in the order of the right side. A removed entry comes after the partner of the last entry
    /// before it that has one in order.
    pub(super) fn events(&self) -> impl Iterator<Item = PairEvent> {
        let mut stands = 0;
        let mut removed: Vec<(usize, usize)> = Vec::new();
        for at in 0..self.len(0) {
            match self.partner(0, at) {
                None => removed.push((stands, at)),
                Some(_) => {
                    stands = self
                        .partner_in_order(0, at)
                        .map_or(stands, |other| other + 1)
                }
            }
        }
        removed.sort_by_key(|&(stands, _)| stands);
        let mut removed = removed.into_iter().peekable();
        let (mut next, mut stands) = (0, 0);
        let before = self.equal_before;
        std::iter::from_fn(move || {
            if let Some((stands, at)) = removed.next_if(|&(stands, _)| stands <= next) {
                return Some(PairEvent::Unpaired {
                    side: 0,
                    index: before + at,
                    insert_at: before + stands,
                });
            }
            let at = (next < self.len(1)).then_some(next)?;
            next += 1;
            Some(match self.partner(1, at) {
                None => PairEvent::Unpaired {
                    side: 1,
                    index: before + at,
                    insert_at: before + stands,
                },
                Some(left) => {
                    let moved = self.moved[1][at];
                    stands = if moved { stands } else { left + 1 };
                    PairEvent::Paired {
                        indices: [before + left, before + at],
                        moved,
                    }
                }
            })
        })
    }
}
