//! Sockets, names, TLS and the clock: everything that touches a network, and nothing that knows HTTP
//! beyond what a proxy needs to hear.

mod clock;

pub use clock::Clock;
