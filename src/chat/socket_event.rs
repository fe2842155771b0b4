//! [`SocketEvent`]: the role of a WebSocket message in the calls on its connection.

/// The role of one WebSocket message in the calls on its connection, as read by its dialect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SocketEvent {
    /// Its role in a call.
    pub role: SocketRole,
    /// The lane that it names (`stream_id`): answers in different lanes run at the same time.
    pub lane: Option<String>,
    /// The id of the response that it names; of a question, the response that it continues.
    pub response_id: Option<String>,
}

/// The role of a message in a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SocketRole {
    /// The client asks: a call begins.
    BeginsCall {
        /// Whether no answer is asked for: the server only prepares itself.
        is_warm_up: bool,
    },
    /// The server begins to answer.
    BeginsAnswer,
    /// A message of a call that has begun.
    Continues,
    /// The last message of an answer.
    EndsAnswer,
    /// An error: the end of the answer that runs, or the answer to the next question that waits.
    Error,
}
