//! The coverage of a recorded run: the outbound connections of the program that did not go through the recorder, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::net::{ProcessConnection, ProcessTree};
use crate::render::program::{MissReason, MissedConnection};
use crate::targets::programs::Via;

/// Most connections that are kept apart: a program that opens more has said what it does.
const CONNECTION_LIMIT: usize = 100_000;

/// The outbound connections of a program, as far as they were seen.
#[derive(Debug)]
pub struct Coverage {
    tree: ProcessTree,
    /// The recorder's own addresses.
    own: BTreeSet<SocketAddr>,
    seen: BTreeSet<ProcessConnection>,
}

impl Coverage {
    /// The coverage of the process `pid` and its children. Connections to `own`, the addresses that the recorder listens
    /// on, are not past it.
    pub fn new(pid: u32, own: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            tree: ProcessTree::new(pid),
            own: own.into_iter().collect(),
            seen: BTreeSet::new(),
        }
    }

    /// Looks at the connections that are open now. To be called again and again while the program runs, every 50 ms or
    /// so: a shorter connection can be missed. It reads a few hundred small files, so call it on a thread that may block.
    pub fn look(&mut self) {
        let found = self.tree.connections();
        self.add(found);
    }

    fn add(&mut self, found: Vec<ProcessConnection>) {
        let missed = found
            .into_iter()
            .filter(|connection| !self.own.contains(&connection.peer));
        for connection in missed {
            if self.seen.len() < CONNECTION_LIMIT {
                self.seen.insert(connection);
            }
        }
    }

    /// The connections that went past the recorder: one row for each peer and command.
    ///
    /// `via`: how the program was led. `proxy`: the addresses of the proxy that the user had.
    pub fn missed_connections(&self, via: Via, proxy: &[SocketAddr]) -> Vec<MissedConnection> {
        let mut rows: BTreeMap<(SocketAddr, &str), MissedConnection> = BTreeMap::new();
        // A connection that two processes share, such as after a fork, is one.
        let mut counted = BTreeSet::new();
        for connection in &self.seen {
            let ProcessConnection {
                local,
                peer,
                pid,
                command,
            } = connection;
            if !counted.insert((local, peer)) {
                continue;
            }
            let row = rows
                .entry((*peer, command))
                .or_insert_with(|| MissedConnection {
                    peer: peer.to_string(),
                    command: command.clone(),
                    pid: *pid,
                    count: 0,
                    reason: miss_reason(*peer, via, proxy),
                });
            row.count = row.count.saturating_add(1);
        }
        rows.into_values().collect()
    }
}

/// Why a connection to `peer` went past the recorder.
fn miss_reason(peer: SocketAddr, via: Via, proxy: &[SocketAddr]) -> MissReason {
    // Ports of services that speak no HTTP and take no proxy: SSH, SMTP, DNS, and databases.
    const OTHER_PORTS: [u16; 9] = [22, 25, 53, 465, 587, 853, 3306, 5432, 6379];
    match peer.port() {
        _ if proxy.contains(&peer) => MissReason::UserProxy,
        port if OTHER_PORTS.contains(&port) => MissReason::OtherProtocol,
        _ if peer.ip().is_loopback() => MissReason::ThisMachine,
        _ if via == Via::BaseUrl => MissReason::NoBaseUrl,
        _ => MissReason::ProxyIgnored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(local: u16, peer: &str, pid: u32, command: &str) -> ProcessConnection {
        ProcessConnection {
            local: SocketAddr::from(([10, 0, 0, 1], local)),
            peer: peer.parse().unwrap(),
            pid,
            command: command.to_owned(),
        }
    }

    #[test]
    fn connections_past_the_recorder_are_counted_by_peer_and_command() {
        let own = "127.0.0.1:4000".parse().unwrap();
        let mut coverage = Coverage::new(1, [own]);
        let first = connection(1, "93.184.216.34:443", 7, "node");
        coverage.add(vec![
            first.clone(),
            connection(2, "127.0.0.1:4000", 7, "node"),
        ]);
        // Seen again, and by a forked process too.
        coverage.add(vec![first, connection(1, "93.184.216.34:443", 8, "node")]);
        coverage.add(vec![
            connection(3, "93.184.216.34:443", 9, "node"),
            connection(4, "93.184.216.34:443", 10, "git"),
        ]);
        let rows = coverage.missed_connections(Via::Auto, &[]);
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.peer.as_str(), row.command.as_str(), row.count))
            .collect();
        assert_eq!(
            rows,
            [
                ("93.184.216.34:443", "git", 1),
                ("93.184.216.34:443", "node", 2)
            ]
        );
    }

    #[test]
    fn each_connection_has_its_reason() {
        let proxy = "10.0.0.9:3128".parse().unwrap();
        let reason = |peer: &str, via| miss_reason(peer.parse().unwrap(), via, &[proxy]);
        assert_eq!(
            reason("93.184.216.34:443", Via::Auto),
            MissReason::ProxyIgnored
        );
        assert_eq!(
            reason("93.184.216.34:443", Via::BaseUrl),
            MissReason::NoBaseUrl
        );
        assert_eq!(
            reason("127.0.0.1:11434", Via::Proxy),
            MissReason::ThisMachine
        );
        assert_eq!(reason("[::1]:11434", Via::Auto), MissReason::ThisMachine);
        assert_eq!(reason("10.0.0.9:3128", Via::Auto), MissReason::UserProxy);
        assert_eq!(
            reason("127.0.0.53:53", Via::Auto),
            MissReason::OtherProtocol
        );
    }
}
