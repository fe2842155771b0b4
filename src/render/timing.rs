//! The waterfall: one line for each phase, with a bar at its place in time.

use std::io::{self, Write};

use super::{OutputStyle, wording};
use crate::exchange::phases::ExchangeMilestones;

/// Draws the phases between the milestones; nothing if the exchange reached none.
pub(super) fn draw_waterfall(
    milestones: &ExchangeMilestones,
    prefix: &str,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let phases = milestones.phases();
    let Some(end) = phases.last().map(|phase| phase.to.micros.max(1)) else {
        return Ok(());
    };
    let width = style
        .width
        .saturating_sub(prefix.len().saturating_add(24))
        .clamp(10, 60) as u64;
    let place = |micros: u64| usize::try_from(micros.saturating_mul(width) / end).unwrap_or(0);
    let (bar, gap) = if style.unicode {
        ("█", "·")
    } else {
        ("#", ".")
    };
    for phase in phases {
        let from = place(phase.from.micros);
        // A phase that took any time has at least one mark.
        let length = place(phase.to.micros).saturating_sub(from).max(1);
        let before = from.min((width as usize).saturating_sub(1));
        let after = (width as usize).saturating_sub(before.saturating_add(length));
        writeln!(
            out,
            "{prefix}{:<8} {:>10}  {}{}{}",
            phase.name,
            wording::format_duration(phase.to.micros_since(phase.from)),
            gap.repeat(before),
            bar.repeat(length.min((width as usize).saturating_sub(before))),
            gap.repeat(after),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Moment;

    #[test]
    fn the_bars_fill_the_width() {
        let at = |micros| Some(Moment::from_micros(micros));
        let milestones = ExchangeMilestones {
            connected: at(10_000),
            sent: at(10_100),
            first_byte: at(60_000),
            last_byte: at(100_000),
            ..ExchangeMilestones::default()
        };
        let style = OutputStyle {
            width: 46,
            ..OutputStyle::default()
        };
        let mut out = Vec::new();
        draw_waterfall(&milestones, "* ", &style, &mut out).unwrap();
        let expected = "\
* connect    10.00 ms  ##..................
* send        0.10 ms  ..#.................
* wait       49.90 ms  ..##########........
* receive    40.00 ms  ............########
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
