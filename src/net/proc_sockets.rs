//! The outbound TCP connections of a process and its children, read from Linux's `/proc` (proc(5)). Other systems have
//! no such files: there the answer is empty, and [`ProcessTree::can_see`] says so.

#![expect(
    clippy::disallowed_methods,
    reason = "the kernel's own files: they hold connections, not data of the user"
)]
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// State of a socket that listens: `TCP_LISTEN` in Linux's `include/net/tcp_states.h`.
const LISTEN: u8 = 0x0a;

/// An outbound TCP connection of a process.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ProcessConnection {
    /// Address and port of this side.
    pub local: SocketAddr,
    /// Address and port of the other side.
    pub peer: SocketAddr,
    /// Process id.
    pub pid: u32,
    /// Name of the process's command, at most 15 bytes (proc(5), `comm`).
    pub command: String,
}

/// A process and all processes that it started, directly or not. One whose parent has ended stays in the tree if it was
/// seen before.
#[derive(Debug)]
pub struct ProcessTree {
    /// Start times of the known processes, by id: an id is used again for another process later.
    known: BTreeMap<u32, u64>,
    root: u32,
}

/// A process, as `/proc/PID/stat` describes it.
#[derive(Debug, Eq, PartialEq)]
struct ProcessStat {
    pid: u32,
    command: String,
    parent: u32,
    /// Ticks of the system's clock between its start and that of the process.
    started: u64,
}

/// A socket, as a line of `/proc/net/tcp` describes it.
#[derive(Debug, Eq, PartialEq)]
struct TcpSocket {
    local: SocketAddr,
    peer: SocketAddr,
    state: u8,
    inode: u64,
}

impl ProcessTree {
    /// The tree below the process `root`.
    pub fn new(root: u32) -> Self {
        Self {
            known: BTreeMap::new(),
            root,
        }
    }

    /// Whether this system shows the connections of processes.
    pub fn can_see() -> bool {
        Path::new("/proc/net/tcp").exists()
    }

    /// Returns the outbound connections that the processes of the tree have now. Connections that live shorter than the
    /// pause between two calls can be missed, and so can those of processes of other users.
    pub fn connections(&mut self) -> Vec<ProcessConnection> {
        let processes = read_processes();
        let members = self.find_members(&processes);
        // Processes in other network namespaces have socket tables of their own.
        let mut tables: BTreeMap<OsString, Vec<TcpSocket>> = BTreeMap::new();
        let mut found = Vec::new();
        for process in members {
            let Some(namespace) = read_link(process.pid, "ns/net") else {
                continue;
            };
            let table = tables
                .entry(namespace)
                .or_insert_with(|| read_sockets(process.pid));
            let inodes = socket_inodes(process.pid);
            found.extend(outbound(table, &inodes).map(|socket| ProcessConnection {
                local: socket.local,
                peer: socket.peer,
                pid: process.pid,
                command: process.command.clone(),
            }));
        }
        found
    }

    /// The processes of `all` that belong to the tree, which are kept in mind.
    fn find_members<'a>(&mut self, all: &'a [ProcessStat]) -> Vec<&'a ProcessStat> {
        let started = |process: &ProcessStat| (process.pid, process.started);
        self.known.retain(|pid, start| {
            let mut all = all.iter().map(started);
            all.any(|process| process == (*pid, *start))
        });
        loop {
            let before = self.known.len();
            for process in all {
                if process.pid == self.root || self.known.contains_key(&process.parent) {
                    self.known.insert(process.pid, process.started);
                }
            }
            if self.known.len() == before {
                break;
            }
        }
        let is_member = |process: &&ProcessStat| self.known.contains_key(&process.pid);
        all.iter().filter(is_member).collect()
    }
}

/// The sockets of `table` with these inodes that lead out: not those that listen, nor those that a listener accepted.
fn outbound<'a>(
    table: &'a [TcpSocket],
    inodes: &BTreeSet<u64>,
) -> impl Iterator<Item = &'a TcpSocket> {
    let listening = table.iter().filter(|socket| socket.state == LISTEN);
    let listening: BTreeSet<_> = listening.map(|socket| socket.local.port()).collect();
    let own: Vec<_> = table
        .iter()
        .filter(|socket| inodes.contains(&socket.inode) && socket.peer.port() != 0)
        .filter(|socket| !listening.contains(&socket.local.port()))
        .collect();
    own.into_iter()
}

/// Every process of this system. One that ends meanwhile is left out.
fn read_processes() -> Vec<ProcessStat> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
        })
        .filter_map(|entry| std::fs::read(entry.path().join("stat")).ok())
        .filter_map(|stat| parse_stat(&String::from_utf8_lossy(&stat)))
        .collect()
}

/// Parses `/proc/PID/stat`: `PID (COMMAND) STATE PARENT ...`. The command may hold spaces and parentheses.
fn parse_stat(text: &str) -> Option<ProcessStat> {
    let (pid, rest) = text.split_once(" (")?;
    let (command, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let parent = fields.nth(1)?.parse().ok()?;
    Some(ProcessStat {
        pid: pid.trim().parse().ok()?,
        command: command.to_owned(),
        parent,
        // The start time is field 22; the parent is field 4.
        started: fields.nth(22 - 4 - 1)?.trim().parse().ok()?,
    })
}

/// The inodes of the sockets that a process has open.
fn socket_inodes(pid: u32) -> BTreeSet<u64> {
    let folder = format!("/proc/{pid}/fd");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|link| parse_socket_link(link.to_str()?))
        .collect()
}

/// The inode in `socket:[INODE]`.
fn parse_socket_link(link: &str) -> Option<u64> {
    let inode = link.strip_prefix("socket:[")?.strip_suffix(']')?;
    inode.parse().ok()
}

fn read_link(pid: u32, name: &str) -> Option<OsString> {
    let path = std::fs::read_link(format!("/proc/{pid}/{name}")).ok()?;
    Some(path.into_os_string())
}

/// The TCP sockets in the network namespace of a process.
fn read_sockets(pid: u32) -> Vec<TcpSocket> {
    let mut sockets = Vec::new();
    for file in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{file}")).unwrap_or_default();
        sockets.extend(text.lines().filter_map(parse_socket));
    }
    sockets
}

/// Parses a line of `/proc/net/tcp` or `/proc/net/tcp6`. `None` for the heading.
fn parse_socket(line: &str) -> Option<TcpSocket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let local = parse_address(fields.next()?)?;
    let peer = parse_address(fields.next()?)?;
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    // Queues, timer, retransmits, user, timeout, inode.
    let inode = fields.nth(5)?.parse().ok()?;
    Some(TcpSocket {
        local,
        peer,
        state,
        inode,
    })
}

/// Parses `ADDRESS:PORT` in hex. The address is written as words of 32 bits, each in the byte order of the machine. An
/// IPv4 address within IPv6 becomes one of IPv4.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |start: usize| {
        let end = start.checked_add(8)?;
        let word = u32::from_str_radix(address.get(start..end)?, 16).ok()?;
        Some(u32::from_be_bytes(word.to_ne_bytes()))
    };
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bits = words
                .iter()
                .fold(0_u128, |bits, word| (bits << 32) | u128::from(*word));
            IpAddr::V6(Ipv6Addr::from(bits)).to_canonical()
        }
        _ => return None,
    };
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn process(pid: u32, parent: u32, started: u64) -> ProcessStat {
        ProcessStat {
            pid,
            command: "x".to_owned(),
            parent,
            started,
        }
    }

    #[test]
    fn the_kernels_lines_are_read() {
        let stat = "77 (a) b (c)) S 5 77 77 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 4242 100 1 2\n";
        let read = parse_stat(stat).unwrap();
        assert_eq!((read.pid, read.command.as_str()), (77, "a) b (c)"));
        assert_eq!((read.parent, read.started), (5, 4242));
        for broken in ["", "77", "77 (a", "77 (a) S", "x (a) S 5 1 1"] {
            assert_eq!(parse_stat(broken), None, "{broken}");
        }
        assert_eq!(parse_socket_link("socket:[123]"), Some(123));
        assert_eq!(parse_socket_link("pipe:[123]"), None);
        let heading =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid";
        assert_eq!(parse_socket(heading), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_are_read_in_the_machines_byte_order() {
        let line = "   0: 0100007F:1F90 0A00000A:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1";
        let socket = parse_socket(line).unwrap();
        assert_eq!(socket.local, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(socket.peer, "10.0.0.10:443".parse().unwrap());
        assert_eq!((socket.state, socket.inode), (1, 4711));
        let six = |text: &str| parse_address(text).unwrap().to_string();
        assert_eq!(six("00000000000000000000000001000000:0050"), "[::1]:80");
        assert_eq!(six("0000000000000000FFFF00000100007F:0050"), "127.0.0.1:80");
        assert_eq!(
            six("B80D0120000000000000000001000000:01BB"),
            "[2001:db8::1]:443"
        );
        for broken in [
            "",
            "0100007F",
            "01:0050",
            "0100007F:",
            "é00000F:0050",
            "0100007F:10000",
        ] {
            assert_eq!(parse_address(broken), None, "{broken}");
        }
    }

    #[test]
    fn children_stay_in_the_tree_when_their_parent_has_ended() {
        let mut tree = ProcessTree::new(10);
        let members = |tree: &mut ProcessTree, all: &[ProcessStat]| {
            let members = tree.find_members(all);
            members
                .iter()
                .map(|process| process.pid)
                .collect::<Vec<_>>()
        };
        // The child of a child may come first in the list.
        let all = [
            process(3, 12, 7),
            process(10, 1, 5),
            process(12, 10, 6),
            process(50, 1, 1),
        ];
        assert_eq!(members(&mut tree, &all), [3, 10, 12]);
        let orphaned = [process(3, 1, 7), process(60, 3, 9)];
        assert_eq!(members(&mut tree, &orphaned), [3, 60]);
        // The same id, but another process.
        assert!(members(&mut tree, &[process(3, 1, 99)]).is_empty());
    }

    #[test]
    fn listeners_and_what_they_accept_lead_nowhere() {
        let socket = |local: &str, peer: &str, state, inode| TcpSocket {
            local: local.parse().unwrap(),
            peer: peer.parse().unwrap(),
            state,
            inode,
        };
        let table = [
            socket("127.0.0.1:80", "0.0.0.0:0", LISTEN, 1),
            socket("127.0.0.1:80", "127.0.0.1:5000", 1, 2),
            socket("127.0.0.1:5001", "10.0.0.1:443", 1, 3),
            socket("127.0.0.1:5002", "10.0.0.1:443", 1, 4),
        ];
        let inodes = BTreeSet::from([1, 2, 3]);
        let found: Vec<_> = outbound(&table, &inodes)
            .map(|socket| socket.inode)
            .collect();
        assert_eq!(found, [3]);
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
    fn a_connection_of_this_process_is_seen() {
        if !ProcessTree::can_see() {
            eprintln!("SKIPPED: this system shows no connections of processes");
            assert!(
                ProcessTree::new(std::process::id())
                    .connections()
                    .is_empty()
            );
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = listener.local_addr().unwrap();
        let stream = TcpStream::connect(peer).unwrap();
        let accepted = listener.accept().unwrap();
        let found = ProcessTree::new(std::process::id()).connections();
        let ours = found.iter().filter(|connection| connection.peer == peer);
        let ours: Vec<_> = ours
            .map(|connection| (connection.local, connection.pid))
            .collect();
        assert_eq!(ours, [(stream.local_addr().unwrap(), std::process::id())]);
        assert!(!found.iter().any(|connection| connection.peer == accepted.1));
    }
}
