//! The reasons why a difference is noise.

use serde::{Serialize, Serializer};

use super::layer::DiffLayer;

/// Why a difference is noise. Code decides by the value; its text is made for people and for JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoiseReason {
    /// Ids of calls, responses and traces.
    NewId,
    /// Dates, times of day and ages.
    Clock,
    /// Remaining requests or tokens of a rate limit, and when it resets.
    LimitRemaining,
    /// Durations.
    TimeVaries,
    /// Fields that a CDN or gateway adds.
    EdgeMark,
    /// Sizes and counts that depend on how long the answer is.
    AnswerLength,
    /// Our own address and port.
    LocalEnd,
    /// Random padding that hides the sizes of events.
    Padding,
    /// The `system_fingerprint` of the configuration that served the call.
    ServerFingerprint,
    /// The order in which DNS returned the addresses.
    AddressOrder,
    /// The version of `wire` that captured the exchange.
    ToolVersion,
    /// The verb of `wire` that captured the exchange.
    CapturingVerb,
    /// A length that depends on the body.
    BodyLength,
    /// Sizes of reads.
    ReadSizes,
    /// Comments and pings that a server sends while it works.
    KeepAlive,
    /// The user's own rule (`--ignore`).
    IgnoredByUser,
    /// The value varies in the baseline too (`--noise`).
    VariesInBaseline,
}

impl NoiseReason {
    /// The reason in words, as reports and JSON show it.
    pub fn text(self) -> &'static str {
        match self {
            Self::NewId => "ids are new each time",
            Self::Clock => "dates and clocks go on",
            Self::LimitRemaining => "what is left of a limit counts down",
            Self::TimeVaries => "times differ between any two calls",
            Self::EdgeMark => "the edge's own marks",
            Self::AnswerLength => "follows from the length of the answer",
            Self::LocalEnd => "our own end of the connection",
            Self::Padding => "padding against traffic analysis",
            Self::ServerFingerprint => "the configuration that served changes without notice",
            Self::AddressOrder => "an order of addresses that changes",
            Self::ToolVersion => "which version of wire looked on",
            Self::CapturingVerb => "which verb of wire looked on",
            Self::BodyLength => "follows from the body",
            Self::ReadSizes => "how the network cut the stream",
            Self::KeepAlive => "signs of life follow from time",
            Self::IgnoredByUser => "--ignore",
            Self::VariesInBaseline => "varies in the baseline",
        }
    }

    /// Returns whether a baseline can have a usual range for values that differ for this reason: durations and
    /// sizes. Dates and ids have none.
    pub(super) fn has_usual_range(self) -> bool {
        matches!(self, Self::TimeVaries | Self::AnswerLength)
    }

    /// Returns whether the place may also be absent from one of two equal calls. An id that only one of two servers
    /// sends is a difference.
    pub(super) fn may_be_absent(self, layer: DiffLayer) -> bool {
        let by_reason = matches!(
            self,
            Self::EdgeMark | Self::AnswerLength | Self::LocalEnd | Self::IgnoredByUser
        );
        layer == DiffLayer::Timing || by_reason
    }
}

impl Serialize for NoiseReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}
