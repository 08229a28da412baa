//! Molen's observable behaviours, one case each.
//!
//! One list of cases, written against the facade `molen` and without an
//! allocator, runs on every platform: natively, as WASI modules, and on
//! microcontrollers (the package beside this one). A case's number is that of
//! the behaviour, which was distilled from CPython's tests of asyncio; numbers
//! from 1000 on are Molen's own. What a platform or a language cannot have is
//! declared in the same list, with the reason.
//!
//! ```text
//! case 33 equal_deadlines_are_first_in_first_out ... ok
//! case 48 a_failed_task_dropped_unread_is_reported_once ... unsupported: panics abort on this platform
//! cases: 120 passed, 0 failed, 30 unsupported
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `case` | what a case is, how it fails, the `check…!` macros |
//! | `fixture` | the clock, the script and the log of the case that runs |
//! | `real` | a loop that really waits, where there is an operating system |
//! | `wire` | a connection whose two ends the case scripts |
//! | `report` | running cases by number or name, and the lines above |
//! | the others | cases, by subject |

#![no_std]
#![warn(missing_docs)]

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
extern crate std;

#[macro_use]
mod case;
#[macro_use]
mod fixture;
#[cfg(any(
    not(any(target_os = "none", target_os = "wasi")),
    all(target_os = "wasi", target_env = "p2", feature = "alloc"),
))]
#[macro_use]
mod real;
mod report;

mod absent;
mod accepting;
mod barriers;
mod buffered;
mod callbacks;
mod cancel_counts;
mod cancellation;
mod catching;
mod catching_own;
mod catching_places;
mod channels;
mod clearing_up;
mod closing;
mod combinators;
mod combining_many;
mod conditions;
mod connecting;
mod contained;
mod contexts;
mod contexts_of_handlers;
mod creating;
mod datagram_errors;
mod datagrams;
mod dns;
#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod door;
mod dropping;
mod dropping_above;
mod dropping_all;
mod dropping_jobs;
mod dropping_net;
mod dropping_system;
mod endings;
mod endpoints;
mod exceptions;
mod faults;
mod flow_control;
mod half_open;
mod hosts;
mod interrupts;
mod introspection;
mod iteration;
mod joining;
mod limits;
mod listening;
mod locks;
mod misuse;
#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod network;
mod observation;
mod own_sockets;
mod owned_writes;
mod panicking_factories;
mod panics;
mod pipes_that_lose;
mod process_groups;
mod promises;
mod protocol_changes;
mod pull_reader;
mod queues;
mod readiness;
mod repeating;
mod runner;
mod scopes;
mod semaphores;
mod sendfile;
mod servers;
mod servers_closing;
mod signals;
mod socket_options;
mod staggered;
mod starvation;
mod stopping;
mod streams;
mod subprocess_protocols;
mod subprocesses;
mod task_groups;
mod task_refs;
mod tasks;
mod tcp;
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod temporary;
mod testing;
mod threads;
mod timeouts;
mod timers;
mod tls;
mod transports;
mod unix_messages;
mod unix_sockets;
mod waiting;
mod waits_given_up;
mod wheel;
mod wire;

pub use case::{Case, Failure, Outcome, What};
pub use report::{Count, call, list, run};
/// The programs that cases start: this one, told to be another.
#[cfg(any(unix, windows))]
pub use subprocesses::child;

/// All cases, by subject.
pub const CASES: &[&[Case]] = &[
    iteration::CASES,
    stopping::CASES,
    timers::CASES,
    exceptions::CASES,
    promises::CASES,
    tasks::CASES,
    callbacks::CASES,
    cancellation::CASES,
    catching::CASES,
    catching_own::CASES,
    catching_places::CASES,
    cancel_counts::CASES,
    task_refs::CASES,
    scopes::CASES,
    creating::CASES,
    contexts::CASES,
    contexts_of_handlers::CASES,
    timeouts::CASES,
    task_groups::CASES,
    wheel::CASES,
    repeating::CASES,
    hosts::CASES,
    introspection::CASES,
    observation::CASES,
    starvation::CASES,
    closing::CASES,
    runner::CASES,
    clearing_up::CASES,
    limits::CASES,
    panics::CASES,
    contained::CASES,
    threads::CASES,
    signals::CASES,
    interrupts::CASES,
    subprocess_protocols::CASES,
    subprocesses::CASES,
    process_groups::CASES,
    dns::CASES,
    readiness::CASES,
    testing::CASES,
    transports::CASES,
    flow_control::CASES,
    owned_writes::CASES,
    endings::CASES,
    half_open::CASES,
    buffered::CASES,
    streams::CASES,
    servers::CASES,
    accepting::CASES,
    servers_closing::CASES,
    panicking_factories::CASES,
    unix_sockets::CASES,
    unix_messages::CASES,
    sendfile::CASES,
    connecting::CASES,
    listening::CASES,
    tcp::CASES,
    own_sockets::CASES,
    socket_options::CASES,
    pull_reader::CASES,
    tls::CASES,
    datagrams::CASES,
    datagram_errors::CASES,
    protocol_changes::CASES,
    pipes_that_lose::CASES,
    waits_given_up::CASES,
    endpoints::CASES,
    dropping::CASES,
    dropping_all::CASES,
    dropping_net::CASES,
    dropping_above::CASES,
    dropping_system::CASES,
    dropping_jobs::CASES,
    faults::CASES,
    joining::CASES,
    waiting::CASES,
    misuse::CASES,
    combinators::CASES,
    absent::CASES,
    staggered::CASES,
    combining_many::CASES,
    queues::CASES,
    channels::CASES,
    locks::CASES,
    conditions::CASES,
    semaphores::CASES,
    barriers::CASES,
];

/// A number names one case, on every platform.
const _: () = {
    let (mut seen, mut section) = ([false; 2300], 0);
    while section < CASES.len() {
        let mut case = 0;
        while case < CASES[section].len() {
            let number = CASES[section][case].number as usize;
            assert!(!seen[number], "two cases have one number");
            seen[number] = true;
            case += 1;
        }
        section += 1;
    }
};
