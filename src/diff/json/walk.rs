//! The walk down both trees at once, which tells what differs.

use super::super::effort::Effort;
use super::classes::{Classes, between_quotes};
use super::items::{Items, List, Tables};
use super::members::{Duplicates, Heads};
use super::pairing::{Event, Pairing};
use super::place::Trail;
use super::side::{Entries, Entry, Side};
use super::told::Told;
use super::{ChangeKind, Comparison, Duplicate, members, spelling};
use crate::json::{JsonDocument, JsonKind as Value, MAX_DEPTH};
use crate::span::Span;

/// How many strings that hold JSON may stand inside each other.
const STRINGS: usize = 4;

pub(super) fn compare(
    left: &JsonDocument<'_>,
    right: &JsonDocument<'_>,
    effort: Effort,
) -> Comparison {
    let mut told = Told::new(effort);
    // Both ways round the same one is searched; the other is its mirror image.
    let size = |document: &JsonDocument<'_>| document.bytes().len();
    let flipped = (size(left), left.bytes()) > (size(right), right.bytes());
    let mut walk = Walk::new(
        [left, right],
        [Trail::new(), Trail::new()],
        flipped,
        &mut told,
    );
    walk.pair([0, 0], [None; 2]);
    told.finish()
}

struct Walk<'a, 't> {
    sides: [Side<'a>; 2],
    loose: Vec<u32>,
    tables: Option<Tables>,
    heads: Option<Heads>,
    /// Whether the right side is the first wherever one has to be.
    flipped: bool,
    /// Containers, and strings, that the walk is inside of.
    depth: usize,
    strings: usize,
    told: &'t mut Told,
}

impl<'a, 't> Walk<'a, 't> {
    fn new(
        [left, right]: [&'a JsonDocument<'a>; 2],
        [to_left, to_right]: [Trail<'a>; 2],
        flipped: bool,
        told: &'t mut Told,
    ) -> Self {
        let Classes { exact, loose } = Classes::of(left, right);
        let [in_left, in_right] = exact;
        let side = |document, classes, trail| Side {
            document,
            classes,
            trail,
        };
        Self {
            sides: [
                side(left, in_left, to_left),
                side(right, in_right, to_right),
            ],
            loose,
            tables: None,
            heads: None,
            flipped,
            depth: 0,
            strings: 0,
            told,
        }
    }

    fn is_same(&self, nodes: [usize; 2]) -> bool {
        self.sides[0].classes[nodes[0]] == self.sides[1].classes[nodes[1]]
    }

    fn loose(&self, side: usize, node: usize) -> u32 {
        self.loose[self.sides[side].classes[node] as usize]
    }

    fn tell(&mut self, kind: ChangeKind, nodes: [usize; 2], duplicates: [Option<Duplicate>; 2]) {
        let places = [0, 1].map(|side| {
            let own = &self.sides[side];
            own.place(own.node(nodes[side]).span(), duplicates[side])
        });
        self.told.tell(kind, places, Vec::new());
    }

    /// Tells what differs between two values that belong together.
    fn pair(&mut self, nodes: [usize; 2], duplicates: [Option<Duplicate>; 2]) {
        if self.is_same(nodes) {
            return;
        }
        match [0, 1].map(|side| self.sides[side].node(nodes[side]).kind()) {
            [Value::Object, Value::Object] | [Value::Array, Value::Array] => {
                self.containers(nodes, duplicates);
            }
            _ if self.loose(0, nodes[0]) == self.loose(1, nodes[1]) => {
                self.tell(ChangeKind::Respelled, nodes, duplicates);
            }
            [Value::String, Value::String] if self.strings(nodes) => {}
            _ => self.tell(ChangeKind::Changed, nodes, duplicates),
        }
    }

    fn containers(&mut self, nodes: [usize; 2], duplicates: [Option<Duplicate>; 2]) {
        let mark = self.told.mark();
        if !self.told.is_full() && self.depth < MAX_DEPTH {
            self.depth += 1;
            let whole = self.entries(nodes, duplicates);
            self.depth -= 1;
            if whole {
                return;
            }
        }
        self.told.back_to(mark);
        self.told.coarsen();
        self.tell(ChangeKind::Changed, nodes, duplicates);
    }

    /// Tells what differs inside of two containers, and says whether it was not too much.
    fn entries(&mut self, nodes: [usize; 2], own: [Option<Duplicate>; 2]) -> bool {
        if let Some(both) = self.lone(nodes) {
            self.both(both, false);
            return !self.told.is_overfull();
        }
        let entries = [0, 1].map(|side| self.sides[side].entries(nodes[side]));
        let (pairing, duplicates) = match self.sides[0].node(nodes[0]).kind() {
            Value::Object => self.pair_members(nodes, own, &entries),
            _ => (self.pair_items(&entries), Duplicates::default()),
        };
        if self.told.would_overfill(pairing.told()) {
            return false;
        }
        for event in pairing.events() {
            match event {
                _ if self.told.is_overfull() => return false,
                Event::Only { side, at, stands } => {
                    let gap = self.sides[1 - side].gap(&entries[1 - side], stands);
                    let at = entries[side].entry(at, duplicates.of(side, at));
                    self.only(side, at, stands, gap);
                }
                Event::Both { at, moved } => {
                    let both = [0, 1]
                        .map(|side| entries[side].entry(at[side], duplicates.of(side, at[side])));
                    self.both(both, moved);
                }
            }
        }
        !self.told.is_overfull()
    }

    /// The only entries of two containers, if each has one and these plainly belong together: deep towers of
    /// brackets are gone down without making lists.
    fn lone(&self, nodes: [usize; 2]) -> Option<[Entry; 2]> {
        let [left, right] = [0, 1].map(|side| self.sides[side].lone_entry(nodes[side]));
        let both = [left?, right?];
        let kinds = [0, 1].map(|side| self.sides[side].node(both[side].value).kind());
        let belong = match both.map(|entry| entry.key) {
            [Some(left), Some(right)] => self.loose(0, left) == self.loose(1, right),
            _ => kinds[0] == kinds[1] && kinds[0] != Value::Object,
        };
        belong.then_some(both)
    }

    /// Pairs the members of two objects, and tells which of them stand in another order.
    fn pair_members(
        &mut self,
        nodes: [usize; 2],
        own: [Option<Duplicate>; 2],
        entries: &[Entries; 2],
    ) -> (Pairing, Duplicates) {
        let keys = [0, 1].map(|side| -> Vec<u32> {
            let keys = (0..entries[side].len()).filter_map(|at| entries[side].key(at));
            keys.map(|key| self.loose(side, key)).collect()
        });
        let heads = (self.heads).get_or_insert_with(|| Heads::new(self.loose.len()));
        let (pairing, duplicates) = members::pair([&keys[0], &keys[1]], heads);
        let moved = members::moved(&pairing, usize::from(self.flipped));
        if !moved.is_empty() {
            let keys = moved.into_iter().filter_map(|at| entries[1].key(at));
            let keys = keys
                .map(|key| self.sides[1].text(key).into_owned())
                .collect();
            let places = [0, 1].map(|side| {
                let at = &self.sides[side];
                at.place(at.node(nodes[side]).span(), own[side])
            });
            self.told.tell(ChangeKind::Reordered, places, keys);
        }
        (pairing, duplicates)
    }

    fn pair_items(&mut self, entries: &[Entries; 2]) -> Pairing {
        let lengths = entries.each_ref().map(Entries::len);
        let least = lengths[0].min(lengths[1]);
        let same = |left: usize, right: usize| {
            self.is_same([entries[0].value(left), entries[1].value(right)])
        };
        let before = (0..least).take_while(|&at| same(at, at)).count();
        let after = (1..=least - before)
            .take_while(|&end| same(lengths[0] - end, lengths[1] - end))
            .count();
        let list = |side: usize| List {
            document: self.sides[side].document,
            classes: &self.sides[side].classes,
            nodes: entries[side].items(before..lengths[side] - after),
        };
        let first = usize::from(self.flipped);
        let items = Items {
            lists: [list(first), list(1 - first)],
            loose: &self.loose,
        };
        let tables = (self.tables).get_or_insert_with(|| Tables::new(self.loose.len()));
        let (pairing, coarse) = items.pair(tables, &mut self.told.meter);
        if coarse {
            self.told.coarsen();
        }
        pairing.flip(self.flipped).behind(before)
    }

    /// Tells an entry that only one side has.
    fn only(&mut self, side: usize, entry: Entry, stands: usize, gap: Span) {
        let name = entry.key.map(|key| self.sides[side].text(key).into_owned());
        let own = self.sides[side]
            .trail
            .enter(name.as_deref(), entry.index, entry.duplicate);
        let other = self.sides[1 - side]
            .trail
            .enter(name.as_deref(), stands, None);
        let place = {
            let side = &self.sides[side];
            side.place(side.node(entry.value).span(), entry.duplicate)
        };
        let stands = self.sides[1 - side].place(gap, None);
        match side {
            0 => self
                .told
                .tell(ChangeKind::Removed, [place, stands], Vec::new()),
            _ => self
                .told
                .tell(ChangeKind::Added, [stands, place], Vec::new()),
        }
        self.sides[side].trail.leave(own);
        self.sides[1 - side].trail.leave(other);
    }

    /// Tells what differs between two entries that belong together.
    fn both(&mut self, entries: [Entry; 2], moved: bool) {
        let values = entries.map(|entry| entry.value);
        let respelled = match entries.map(|entry| entry.key) {
            [Some(left), Some(right)] if !self.is_same([left, right]) => Some([left, right]),
            _ => None,
        };
        if !moved && respelled.is_none() && self.is_same(values) {
            return;
        }
        let duplicates = entries.map(|entry| entry.duplicate);
        let marks = [0, 1].map(|side| {
            let Entry {
                key,
                index,
                duplicate,
                ..
            } = entries[side];
            let name = key.map(|key| self.sides[side].text(key).into_owned());
            self.sides[side]
                .trail
                .enter(name.as_deref(), index, duplicate)
        });
        if moved {
            self.tell(ChangeKind::Moved, values, duplicates);
        }
        if let Some(keys) = respelled {
            self.tell(ChangeKind::KeyRespelled, keys, duplicates);
        }
        self.pair(values, duplicates);
        for (side, mark) in marks.into_iter().enumerate() {
            self.sides[side].trail.leave(mark);
        }
    }

    /// Compares what two strings hold, if that is JSON, and says whether that told the difference.
    fn strings(&mut self, nodes: [usize; 2]) -> bool {
        let texts = [0, 1].map(|side| self.sides[side].text(nodes[side]).into_owned());
        let begins = texts
            .each_ref()
            .map(|text| text.trim_start().bytes().next());
        let is_container = matches!(begins[0], Some(b'{' | b'[')) && begins[0] == begins[1];
        let length = texts[0].len() + texts[1].len();
        if !is_container || self.strings >= STRINGS || !self.told.meter.take(length as u64 / 8) {
            return false;
        }
        let (Ok(left), Ok(right)) = (
            JsonDocument::parse(texts[0].as_bytes()),
            JsonDocument::parse(texts[1].as_bytes()),
        ) else {
            return false;
        };
        let trails = [0, 1].map(|side| {
            let side_of = &self.sides[side];
            let span = side_of.node(nodes[side]).span();
            let offsets = spelling::offsets(between_quotes(side_of.document.slice(span)));
            side_of.trail.inside(span, offsets)
        });
        let mark = self.told.mark();
        let mut walk = Walk::new([&left, &right], trails, self.flipped, self.told);
        walk.depth = self.depth;
        walk.strings = self.strings + 1;
        walk.pair([0, 0], [None; 2]);
        if !walk.told.has_more_than(mark) && texts[0] != texts[1] {
            walk.tell(ChangeKind::Respelled, [0, 0], [None; 2]);
        }
        self.told.has_more_than(mark)
    }
}
