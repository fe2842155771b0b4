//! The times of two exchanges: connection phases, milestones of the answer, pace. Times differ between any two
//! exchanges; a baseline shows which differences matter.

use crate::call::Call;
use crate::diff::change::DiffValue;
use crate::diff::fact_sheet::FactSheet;
use crate::exchange::phases::ExchangeMilestones;

/// Returns the phases of a connection, the milestones of its answer and the pace of the events.
pub(crate) fn collect_facts(call: &Call) -> FactSheet {
    let mut sheet = FactSheet::default();
    let milestones = ExchangeMilestones::from_exchange(&call.exchange);
    for phase in milestones.phases() {
        sheet.put_micros(phase.name, Some(phase.to.micros_since(phase.from)));
    }
    let timeline = &call.meaning.timeline;
    // Counted from the end of the request: the phases above have the time of the connection.
    let sent = milestones.sent.unwrap_or_default();
    let moments = [
        ("first event", timeline.first_event),
        ("first reasoning", timeline.first_reasoning),
        ("first content (TTFT)", timeline.first_content),
        ("first tool call", timeline.first_tool),
        ("last content", timeline.last_content),
        ("end mark", timeline.done),
        ("last byte", milestones.last_byte),
    ];
    for (name, moment) in moments {
        sheet.put_micros(name, moment.map(|moment| moment.micros_since(sent)));
    }
    let gaps = timeline.gaps.as_ref();
    sheet.put_micros("gap p50", gaps.map(|gaps| gaps.p50));
    sheet.put_micros("gap p95", gaps.map(|gaps| gaps.p95));
    sheet.put_micros("longest gap", gaps.map(|gaps| gaps.longest.micros));
    let speed = timeline.speed.as_ref().map(|speed| speed.per_second);
    sheet.put("tokens a second", speed.map(DiffValue::Number));
    for time in &call.meaning.service.times {
        let metric = time.metric.as_ref();
        let metric = metric
            .map(|metric| format!(" {metric}"))
            .unwrap_or_default();
        let name = format!("{}{metric}", time.field.to_ascii_lowercase());
        sheet.put_micros(name, Some(time.micros));
    }
    sheet
}
