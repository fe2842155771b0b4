//! What differs between two exchanges: plain values, from the structure of their JSON down to single words.

pub mod effort;
pub mod json;
pub mod sequence;
pub mod text;
