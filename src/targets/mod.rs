//! Known APIs, and how a request to one is put together: base URL, path, key, head fields; known programs, and how they
//! are led through the recorder. The environment and the files of the user are passed in as values.

pub mod api;
pub mod environment;
mod own_settings;
pub mod program_settings;
mod program_table;
pub mod programs;
pub mod request;
