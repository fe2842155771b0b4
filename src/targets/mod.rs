//! Known APIs, and how a request to one is put together: base URL, path, key, head fields. The environment and the files
//! of the user are passed in as values.

pub mod api;
pub mod environment;
pub mod request;
