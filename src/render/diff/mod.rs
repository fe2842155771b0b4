//! The differences between exchanges as text: layer by layer, noise folded into one line.

mod bytes;
mod cache;
mod change_lines;
mod markdown;
mod matrix;
mod side_by_side;
mod timing;
mod unified;
mod view;

pub use bytes::write_bytes;
pub use cache::write_cache;
pub use markdown::write_markdown;
pub use matrix::{write_markdown_matrix, write_matrix};
pub use side_by_side::write_side_by_side;
pub use unified::{write_noise_rules, write_stat, write_unified};
pub use view::{DiffView, NoiseView};
