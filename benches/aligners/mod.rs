//! The aligners of sequences on the same symbols: that of JSON arrays (`similar` behind cuts at unique symbols),
//! `similar` alone and `imara-diff`, each as it can be used without a clock. For each case the time on the core, and how many symbols were found equal.

use std::collections::HashMap;

use imara_diff::{Algorithm as Imara, Diff, Token};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use wire::diff::json::aligner::align;
use wire::diff::work_limit::{StepMeter, WorkLimit};

use super::{on_core, random, shuffled, words};

/// A name, and two sequences of symbols, each below the length of both together.
type Case = (&'static str, fn() -> [Vec<u32>; 2]);

const CASES: [Case; 11] = [
    ("20,000 words, one in 100 changed", || {
        word_symbols(&prose(20_000), &changed_words(20_000, 100))
    }),
    ("100,000 words, one in 100 changed", || {
        word_symbols(&prose(100_000), &changed_words(100_000, 100))
    }),
    ("20,000 words, another text of the same words", || {
        word_symbols(&prose(20_000), &words(777, 20_000))
    }),
    ("100,000 words, another text of the same words", || {
        word_symbols(&prose(100_000), &words(777, 100_000))
    }),
    ("100,000 lines, one in 20 changed", || {
        [
            numbers(100_000, |n| n),
            numbers(100_000, |n| if n % 20 == 3 { n + 100_000 } else { n }),
        ]
    }),
    ("200,000 equal numbers, and one less", || {
        [numbers(200_000, |_| 7), numbers(199_999, |_| 7)]
    }),
    ("200,000 of two numbers in turn, shifted", || {
        [
            numbers(200_000, |n| n % 2),
            numbers(200_000, |n| (n + 1) % 2),
        ]
    }),
    ("200,000 of two numbers at random", || {
        [
            numbers(200_000, |n| random(n) % 2),
            numbers(200_000, |n| random(n + 200_000) % 2),
        ]
    }),
    ("200,000 different numbers, shuffled", || {
        [
            numbers(200_000, |n| n),
            numbers(200_000, |n| shuffled(n, 200_000)),
        ]
    }),
    ("1,000,000 numbers, all changed", || {
        [
            numbers(1_000_000, |n| n),
            numbers(1_000_000, |n| n + 1_000_000),
        ]
    }),
    ("1,200,000 different numbers, shuffled", || {
        [
            numbers(1_200_000, |n| n),
            numbers(1_200_000, |n| shuffled(n, 1_200_000)),
        ]
    }),
];

/// Runs each case whose name contains one of the wanted words.
pub(super) fn run(wanted: &[String]) {
    println!("{:>15} {:>15} {:>15}  case", "own", "similar", "imara-diff");
    for (name, symbols) in CASES {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let [left, right] = symbols();
        let columns = [own, similar, imara].map(|align| {
            let began = on_core();
            let equal = align(&left, &right);
            let millis = (on_core() - began).as_secs_f64() * 1000.0;
            format!("{millis:.0} ms {equal:>7}")
        });
        println!(
            "{:>15} {:>15} {:>15}  {name}",
            columns[0], columns[1], columns[2]
        );
    }
}

fn own(left: &[u32], right: &[u32]) -> usize {
    let mut meter = StepMeter::new(WorkLimit::default().max_steps);
    align(left, right, &mut meter).len()
}

fn similar(left: &[u32], right: &[u32]) -> usize {
    let length = |op: &DiffOp| match op {
        DiffOp::Equal { len, .. } => *len,
        _ => 0,
    };
    let ops = capture_diff_slices(Algorithm::Myers, left, right);
    ops.iter().map(length).sum()
}

fn imara(left: &[u32], right: &[u32]) -> usize {
    let [one, other] =
        [left, right].map(|side| -> Vec<_> { side.iter().copied().map(Token).collect() });
    let mut diff = Diff::default();
    diff.compute_with(
        Imara::Myers,
        &one,
        &other,
        (left.len() + right.len()) as u32,
    );
    left.len() - diff.count_removals() as usize
}

fn numbers(count: u64, number: fn(u64) -> u64) -> Vec<u32> {
    (0..count).map(|n| number(n) as u32).collect()
}

fn prose(count: u64) -> String {
    words(5, count)
}

fn changed_words(count: u64, one_in: usize) -> String {
    let text = prose(count);
    let words = text.split(' ').enumerate();
    let words = words.map(|(n, word)| if n % one_in == 3 { "changed" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn word_symbols(left: &str, right: &str) -> [Vec<u32>; 2] {
    let mut numbers = HashMap::new();
    [left, right].map(|text| {
        let words = text.split(' ').map(str::to_owned);
        let number = |word| {
            let next = numbers.len() as u32;
            *numbers.entry(word).or_insert(next)
        };
        words.map(number).collect()
    })
}
