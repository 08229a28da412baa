//! [`Host`]: the scenario, written before the run and usable for any number of runs.

use std::time::Duration;

use wasmi::StoreLimitsBuilder;

use crate::call::CallLog;
use crate::clock::{ClockStep, VirtualClock};
use crate::descriptor::{Connection, Descriptor, Inbound, Outbound, Queue, Standard, Table};
use crate::guest::{Guest, Reactor};
use crate::lie::{Lie, Lies, When};
use crate::machine::Machine;
use crate::outcome::{LoadError, Outcome};
use crate::script::{Input, Listener, Output, Peer};
use crate::transcript::{PeerRecord, Transcript};

/// The most linear memory that a guest gets.
const MEMORY_LIMIT: usize = 256 << 20;

#[derive(Debug, Clone)]
enum Preopened {
    Listener(Listener),
    Connection(Peer),
    Directory(String),
    File(Vec<u8>),
}

/// A scenario: descriptors, clock, limits and lies. Cloning it gives a variation to start from; each run starts afresh.
///
/// Defaults: stdin is [`Input::silent`], stdout and stderr take everything, no other descriptor is open, no argument, no
/// environment, the monotonic clock is at 0 and the realtime clock at 2020-01-01T00:00:00Z, host calls cost no time.
///
/// Preopened descriptors get the numbers 3, 4, … in the order in which they are added. As real hosts number sockets before
/// directories, add them in that order to see what they see.
#[derive(Debug, Clone)]
pub struct Host {
    arguments: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
    stdin: Option<Input>,
    stdout: Option<Output>,
    stderr: Option<Output>,
    preopened: Vec<Preopened>,
    descriptor_limit: Option<usize>,
    clock: VirtualClock,
    call_cost: Duration,
    call_limit: u64,
    fuel: u64,
    random: u64,
    lies: Lies,
}

impl Default for Host {
    fn default() -> Self {
        Host::new()
    }
}

impl Host {
    /// The honest host with the defaults above.
    #[must_use]
    pub fn new() -> Self {
        const NEW_YEAR_2020: Duration = Duration::from_secs(1_577_836_800);
        Host {
            arguments: Vec::new(),
            environment: Vec::new(),
            stdin: Some(Input::silent()),
            stdout: Some(Output::open()),
            stderr: Some(Output::open()),
            preopened: Vec::new(),
            descriptor_limit: None,
            clock: VirtualClock::new(NEW_YEAR_2020),
            call_cost: Duration::ZERO,
            call_limit: 1_000_000,
            fuel: 1_000_000_000,
            random: 0,
            lies: Lies::default(),
        }
    }

    /// Tells this lie always.
    #[must_use]
    pub fn lie(self, lie: Lie) -> Self {
        self.lie_when(When::Always, lie)
    }

    /// Tells these lies always, for example [`Lie::node_20`].
    #[must_use]
    pub fn lies(self, lies: impl IntoIterator<Item = Lie>) -> Self {
        lies.into_iter().fold(self, Host::lie)
    }

    /// Tells this lie for a while. Of several lies of one variant told at once, the first added counts.
    #[must_use]
    pub fn lie_when(mut self, when: When, lie: Lie) -> Self {
        self.lies.add(when, lie);
        self
    }

    /// Adds an argument; the first is the program's name.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<str>) -> Self {
        self.arguments.push(argument.as_ref().as_bytes().to_vec());
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push(format!("{name}={value}").into_bytes());
        self
    }

    /// What arrives at descriptor 0, which is a pipe. Reading it always blocks.
    #[must_use]
    pub fn stdin(mut self, input: Input) -> Self {
        self.stdin = Some(input);
        self
    }

    /// What takes descriptor 1. Writing to it blocks while its window is full.
    #[must_use]
    pub fn stdout(mut self, output: Output) -> Self {
        self.stdout = Some(output);
        self
    }

    /// What takes descriptor 2. Writing to it blocks while its window is full.
    #[must_use]
    pub fn stderr(mut self, output: Output) -> Self {
        self.stderr = Some(output);
        self
    }

    /// Descriptors 0, 1 and 2 are closed from the start.
    #[must_use]
    pub fn without_stdio(mut self) -> Self {
        (self.stdin, self.stdout, self.stderr) = (None, None, None);
        self
    }

    /// Adds a preopened listening socket.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.preopened.push(Preopened::Listener(listener));
        self
    }

    /// Adds a preopened connected socket, blocking until the guest sets NONBLOCK.
    #[must_use]
    pub fn connection(mut self, peer: Peer) -> Self {
        self.preopened.push(Preopened::Connection(peer));
        self
    }

    /// Adds a preopened directory of this name. It can be found, not read: `path_*` is `ENOSYS`.
    #[must_use]
    pub fn directory(mut self, name: impl Into<String>) -> Self {
        self.preopened.push(Preopened::Directory(name.into()));
        self
    }

    /// Adds an open regular file with these contents, positioned at its start, readable and writable.
    #[must_use]
    pub fn file(mut self, contents: impl AsRef<[u8]>) -> Self {
        self.preopened.push(Preopened::File(contents.as_ref().to_vec()));
        self
    }

    /// At most this many descriptors at once: beyond it `sock_accept` is `EMFILE` and the connection stays queued.
    #[must_use]
    pub fn descriptor_limit(mut self, limit: usize) -> Self {
        self.descriptor_limit = Some(limit);
        self
    }

    /// The realtime clock at the start, since the Unix epoch.
    #[must_use]
    pub fn realtime(mut self, since_epoch: Duration) -> Self {
        self.clock.set_realtime(since_epoch);
        self
    }

    /// When the monotonic clock reaches `at`, this happens to the clocks.
    #[must_use]
    pub fn clock_step(mut self, at: Duration, step: ClockStep) -> Self {
        self.clock.plan(at, step);
        self
    }

    /// Each host call takes this long before it does anything.
    #[must_use]
    pub fn call_cost(mut self, cost: Duration) -> Self {
        self.call_cost = cost;
        self
    }

    /// The run ends with [`Ending::CallLimit`](crate::Ending::CallLimit) after this many host calls (default a million).
    #[must_use]
    pub fn call_limit(mut self, calls: u64) -> Self {
        self.call_limit = calls;
        self
    }

    /// Fuel for `_start`, or for each call of an export of a reactor; about one unit per instruction (default 10⁹).
    #[must_use]
    pub fn fuel(mut self, fuel: u64) -> Self {
        self.fuel = fuel;
        self
    }

    /// The seed of `random_get`, which gives the same bytes for the same seed.
    #[must_use]
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.random = seed;
        self
    }

    /// Runs a command module: instantiates it and calls `_start`.
    ///
    /// # Errors
    /// The module is invalid, imports something else than preview 1, or has no `_start`. Whatever goes wrong after that is
    /// an [`Outcome`].
    pub fn run(&self, wasm: &[u8]) -> Result<Outcome, LoadError> {
        let mut guest = Guest::instantiate(self.machine(), self.fuel, wasm)?;
        guest.start()?;
        Ok(guest.into_outcome())
    }

    /// Instantiates a reactor module, calls its `_initialize` if it has one, and gives it to the test to drive.
    ///
    /// # Errors
    /// The module is invalid or imports something else than preview 1. If `_initialize` fails, the first
    /// [`Reactor::call`] says so.
    pub fn instantiate(&self, wasm: &[u8]) -> Result<Reactor, LoadError> {
        let mut guest = Guest::instantiate(self.machine(), self.fuel, wasm)?;
        guest.initialize();
        Ok(Reactor::new(guest))
    }

    fn machine(&self) -> Machine {
        let mut table = Table::default();
        let mut peers: Vec<PeerRecord> = Vec::new();
        if let Some(input) = &self.stdin {
            table.insert(0, Descriptor::Stdin(Inbound::new(input.clone())));
        }
        for (fd, which, output) in
            [(1, Standard::Output, &self.stdout), (2, Standard::Error, &self.stderr)]
        {
            if let Some(output) = output {
                table.insert(
                    fd,
                    Descriptor::Standard { which, outbound: Outbound::new(output.clone()) },
                );
            }
        }
        for (fd, preopened) in (3..).zip(&self.preopened) {
            let descriptor = match preopened.clone() {
                Preopened::Listener(listener) => {
                    Descriptor::Listener(Queue::new(listener, &mut peers))
                }
                Preopened::Connection(peer) => {
                    let mut record = PeerRecord::new(&peer.name);
                    record.fd = Some(fd);
                    record.accepted_at = Some(Duration::ZERO);
                    peers.push(record);
                    Descriptor::Stream(Connection::new(peer, peers.len() - 1, 0))
                }
                Preopened::Directory(name) => Descriptor::Directory { name },
                Preopened::File(contents) => Descriptor::File { contents, position: 0, flags: 0 },
            };
            table.insert(fd, descriptor);
        }
        table.set_limit(self.descriptor_limit);
        Machine {
            clock: self.clock.clone(),
            call_cost: self.call_cost,
            call_limit: self.call_limit,
            calls: 0,
            polls: 0,
            lies: self.lies.clone(),
            table,
            arguments: self.arguments.clone(),
            environment: self.environment.clone(),
            random: self.random,
            stdout: Transcript::default(),
            stderr: Transcript::default(),
            peers,
            log: CallLog::default(),
            limits: StoreLimitsBuilder::new().memory_size(MEMORY_LIMIT).build(),
        }
    }
}
