//! Which items of two arrays belong together.

use super::super::effort::Meter;
use super::super::sequence::Aligner;
use super::pairing::Pairing;

/// Pairs items by their exact classes first.
pub(super) fn pair(classes: [&[u32]; 2], aligner: &mut Aligner, meter: &mut Meter) -> Pairing {
    let mut pairing = Pairing::of(classes.map(<[u32]>::len));
    for run in aligner.align(classes[0], classes[1], meter) {
        for n in 0..run.len {
            pairing.join([run.left + n, run.right + n]);
        }
    }
    pair_by_place(&mut pairing);
    pairing
}

/// Between items that are paired, pairs those that are left if they are as many on either side.
fn pair_by_place(pairing: &mut Pairing) {
    let (mut x, mut y) = (0, 0);
    while x < pairing.len(0) && y < pairing.len(1) {
        let free = |side: usize, from: usize| {
            let rest = from..pairing.len(side);
            rest.take_while(|&at| pairing.partner(side, at).is_none())
                .count()
        };
        let (in_left, in_right) = (free(0, x), free(1, y));
        if in_left == in_right {
            for at in 0..in_left {
                pairing.join([x + at, y + at]);
            }
        }
        (x, y) = (x + in_left + 1, y + in_right + 1);
    }
}
