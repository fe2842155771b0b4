//! [`SocketCall`] and [`CallLanes`]: the call that each message of a WebSocket belongs to.
//!
//! Calls in one lane are answered in the order in which they were asked; lanes run at the same time
//! (developers.openai.com/api/docs/guides/websocket-mode). Messages without a `stream_id` share one lane.

use std::collections::{BTreeMap, VecDeque};

use crate::chat::{SocketEvent, SocketRole};
use crate::span::StreamSide;

/// One call of a WebSocket connection: the question of the client and the messages that answer it.
#[derive(Clone, Debug, Default)]
pub struct SocketCall {
    /// Indexes of its messages, in order. The first is the question.
    pub messages: Vec<usize>,
    /// The lane that it names.
    pub lane: Option<String>,
    /// Id of its response; `None` until the server names it.
    pub response_id: Option<String>,
    /// Index of the call that it continues: the one whose response it names, or else the last one in its lane.
    pub follows: Option<usize>,
    /// Whether it asks for no answer (`generate: false`).
    pub is_warm_up: bool,
    /// Whether the server began to answer.
    pub is_begun: bool,
    /// Whether the last message of its answer came.
    pub is_ended: bool,
}

/// The calls of a connection by lane and by the id of their response.
#[derive(Debug, Default)]
pub(super) struct CallLanes {
    lanes: BTreeMap<Option<String>, CallLane>,
    by_response: BTreeMap<String, usize>,
}

/// The calls of one lane that messages can still belong to, as indexes.
#[derive(Debug, Default)]
struct CallLane {
    /// The call whose answer began last.
    current: Option<usize>,
    /// Calls that wait for an answer.
    waiting: VecDeque<usize>,
}

impl CallLanes {
    /// The index of the call that a message belongs to; a question adds a call to `calls`. `None`: it belongs to none.
    pub(super) fn assign(
        &mut self,
        side: StreamSide,
        event: SocketEvent,
        calls: &mut Vec<SocketCall>,
    ) -> Option<usize> {
        if let SocketRole::BeginsCall { is_warm_up } = event.role {
            let number = calls.len();
            let named = event.response_id.as_ref();
            let named = named.and_then(|id| self.by_response.get(id)).copied();
            let lane = self.lanes.entry(event.lane.clone()).or_default();
            let last = lane.waiting.back().copied().or(lane.current);
            lane.waiting.push_back(number);
            calls.push(SocketCall {
                lane: event.lane,
                follows: named.or(last),
                is_warm_up,
                ..SocketCall::default()
            });
            return Some(number);
        }
        // An answer that begins is a new one, also if a mock server gives all of its answers one id.
        let begins = event.role == SocketRole::BeginsAnswer;
        let known = event.response_id.as_ref().filter(|_| !begins);
        let known = known.and_then(|id| self.by_response.get(id)).copied();
        let number = known.or_else(|| self.find_in_lane(side, &event, calls))?;
        let call = calls.get_mut(number)?;
        if side == StreamSide::Received {
            call.is_begun = true;
            call.is_ended |= matches!(event.role, SocketRole::EndsAnswer | SocketRole::Error);
            if begins {
                // The successor of a steered response is a part of the same call.
                call.is_ended = false;
            }
            if let Some(id) = event.response_id.filter(|_| begins) {
                self.by_response.insert(id.clone(), number);
                call.response_id = Some(id);
            }
        }
        Some(number)
    }

    fn find_in_lane(
        &mut self,
        side: StreamSide,
        event: &SocketEvent,
        calls: &[SocketCall],
    ) -> Option<usize> {
        let is_open = |number: &usize| calls.get(*number).is_some_and(|call| !call.is_ended);
        if !self.lanes.contains_key(&event.lane) {
            return only(self.lanes.values(), is_open);
        }
        let lane = self.lanes.get_mut(&event.lane)?;
        if side == StreamSide::Sent {
            let current = lane.current.filter(is_open);
            return current.or(lane.waiting.back().copied()).or(lane.current);
        }
        let is_running = lane.current.as_ref().is_some_and(is_open);
        let starts_next = event.role == SocketRole::BeginsAnswer || !is_running;
        if let Some(next) = starts_next.then(|| lane.waiting.pop_front()).flatten() {
            lane.current = Some(next);
            return Some(next);
        }
        // An error that no open call can have caused is about the connection, or about a message that was no question.
        let is_late_error = event.role == SocketRole::Error && !is_running;
        lane.current.filter(|_| !is_late_error)
    }
}

/// The only open call of all lanes; `None` if there are none or several.
fn only<'a>(
    lanes: impl Iterator<Item = &'a CallLane>,
    is_open: impl Fn(&usize) -> bool,
) -> Option<usize> {
    let calls = lanes.flat_map(|lane| lane.current.iter().chain(&lane.waiting));
    let mut open = calls.copied().filter(is_open);
    let first = open.next()?;
    open.next().is_none().then_some(first)
}
