//! How a socket listens.

/// How a socket listens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListenOptions {
    /// How many connections wait to be accepted; the platform's default, if it
    /// is not said. A system may allow fewer.
    pub backlog: Option<u32>,
    /// Whether the address may be one that earlier connections are still winding
    /// down on; if it is not said, it may on all systems but Windows, where it
    /// would let others take the port.
    pub reuse_address: Option<bool>,
    /// Whether several sockets may listen on the address, which share the connections.
    pub reuse_port: bool,
    /// Whether connections are asked now and then whether they still stand.
    pub keep_alive: bool,
}
