//! `wire ls --grep`: captures whose bodies, or the text of whose answer, hold some words.

use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memmem::Finder;

use crate::capture::store::{self, Store};
use crate::chat::{Keep, Options};
use crate::content;
use crate::exchange::{Exchange, decoded};
use crate::http1::Limits;
use crate::price::Prices;
use crate::report::Report;
use crate::tape::Tape;

/// The names of those captures that hold `text`, in the order given. Each core looks at some.
pub(super) fn having(store: &Store, names: Vec<String>, text: &str) -> Vec<String> {
    let finder = Finder::new(text);
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let search = || {
        let mut found = Vec::new();
        while let Some((place, name)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            names.get(place).map(|name| (place, name))
        } {
            let reading = store::open(&store.path(name));
            if reading.is_ok_and(|reading| holds(&reading.tape, &finder)) {
                found.push(place);
            }
        }
        found
    };
    let mut found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(search)).collect();
        // A thread that panicked found nothing; the others did.
        let found = threads.into_iter().filter_map(|thread| thread.join().ok());
        found.flatten().collect::<Vec<_>>()
    });
    found.sort_unstable();
    found
        .iter()
        .filter_map(|&place| names.get(place).cloned())
        .collect()
}

/// Whether a body holds it, or a streamed answer whose pieces are joined.
fn holds(tape: &Tape, finder: &Finder<'_>) -> bool {
    let exchange = Exchange::read(tape, Limits::default());
    let limits = content::Limits::default();
    let sides = [
        (&exchange.request, &tape.sent),
        (&exchange.response, &tape.received),
    ];
    if sides.into_iter().any(|(message, stream)| {
        finder
            .find(&decoded(message, stream, limits).bytes)
            .is_some()
    }) {
        return true;
    }
    let options = Options {
        keep: Keep::Text,
        ..Options::default()
    };
    let report = Report::read(tape, &exchange, limits, options, &Prices::default());
    report.completion.choices.iter().any(|choice| {
        let calls = choice.tool_calls.iter().map(|call| &call.arguments);
        let mut texts = [&choice.text, &choice.reasoning].into_iter().chain(calls);
        texts.any(|text| finder.find(text.as_bytes()).is_some())
    })
}
