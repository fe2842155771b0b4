//! The layers that two exchanges are compared in, from the connection to the meaning: a file each.

pub(super) mod body;
pub(super) mod connection;
pub(super) mod framing;
pub(super) mod head;
pub(super) mod meaning;
pub(crate) mod stream;
pub(super) mod timing;
