//! skeleton
pub mod capture;
pub mod exchange;
pub mod http1;
pub mod net;
pub mod span;
pub mod tape;
pub mod timing;
