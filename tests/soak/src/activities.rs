//! What a user may do.
//!
//! To add something: a function `async fn(Place, Rc<Chance>) -> Result<(), String>`
//! that ends by itself, leaves nothing, and says what was wrong; and its line below.

use crate::{datagrams, pipes, processes, secure, tasks, tcp, threads, timers, wires};
use molen::testing::Chance;
use molen::tls::ClientContext;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

/// An activity under way.
pub type Doing = Pin<Box<dyn Future<Output = Done>>>;

/// How an activity ends.
pub type Done = Result<(), String>;

/// One thing that a user may do.
#[derive(Clone, Copy)]
pub struct Activity {
    /// What it is called.
    pub name: &'static str,
    /// Does it once.
    pub run: fn(Place, Rc<Chance>) -> Doing,
}

macro_rules! activities {
    ($($name:literal $run:path),* $(,)?) => {
        /// All of them.
        pub const ACTIVITIES: &[Activity] = &[
            $(Activity { name: $name, run: |place, chance| Box::pin($run(place, chance)) },)*
        ];
    };
}
activities! {
    "tcp" tcp::visit,
    "tcp-reset" tcp::reset,
    "tcp-silent" tcp::never_read,
    "tcp-cancelled" tcp::cancelled_visit,
    "tls" secure::visit,
    "tls-cancelled" secure::cancelled_visit,
    "tls-nonsense" secure::talk_nonsense,
    "servers" tcp::short_lived_server,
    "datagrams" datagrams::exchange,
    "pipes" pipes::send_through,
    "pipes-broken" pipes::break_one,
    "processes" processes::communicate,
    "processes-killed" processes::kill,
    "timers" timers::race,
    "tasks" tasks::groups_and_queues,
    "threads" threads::calls,
    "names" threads::resolve,
    "wires" wires::converse,
}

/// What all users share: servers that stay.
#[derive(Clone)]
pub struct Place(Rc<tcp::Servers>);

impl Place {
    /// Starts the servers.
    pub async fn new() -> Result<Place, String> {
        Ok(Place(Rc::new(tcp::Servers::start().await?)))
    }

    /// One of the servers that send back what comes.
    pub fn echo(&self, chance: &Chance) -> SocketAddr {
        self.0.address(chance)
    }

    /// The server that speaks TLS.
    pub fn secure(&self) -> SocketAddr {
        self.0.secure_address()
    }

    /// Whom its clients are to believe.
    pub fn trust(&self) -> &ClientContext {
        self.0.trust()
    }

    /// Closes the servers, and waits for their last clients.
    pub async fn close(self) -> Done {
        self.0.close().await
    }
}

/// Says what was being done when it failed.
pub fn while_doing<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

/// Fails with `otherwise` unless `holds`.
pub fn require(holds: bool, otherwise: &str) -> Done {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
