//! What is counted before and after.

use crate::allocations;
use molen::{EventLoop, all_tasks};
use std::fmt;

/// What a process has of everything that can leak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    descriptors: usize,
    tasks: usize,
    timers: usize,
    children: bool,
    blocks: usize,
    bytes: usize,
    resident: usize,
    threads: usize,
}

/// What a thread that a pool has started, and keeps, may have: its handle, its
/// name, its place in the pool.
const BLOCKS_OF_A_THREAD: usize = 8;

/// How much more resident memory is no leak: pages that the allocator keeps,
/// which are none of the live bytes.
const RESIDENT_SLACK: usize = 24 << 20;

/// How many more bytes the same blocks may have: tables that have grown to
/// their largest size.
const GROWTH: usize = 256 << 10;

impl State {
    /// The state now.
    pub fn now(event_loop: &EventLoop) -> State {
        // First: the others allocate.
        let (blocks, bytes) = (allocations::blocks(), allocations::bytes());
        State {
            blocks,
            bytes,
            descriptors: descriptors(),
            tasks: all_tasks().len(),
            timers: usize::from(event_loop.next_deadline().is_some()),
            children: has_children(),
            resident: in_status("VmRSS:").unwrap_or(0) * 1024,
            threads: in_status("Threads:").unwrap_or(0),
        }
    }

    /// What is there that was not there `before`, in words.
    pub fn more_than(&self, before: &State) -> Vec<String> {
        let mut more = Vec::new();
        let mut compare = |what: &str, now: usize, then: usize, slack: usize| {
            if now > then + slack {
                more.push(format!("{what}: {then} before, {now} now"));
            }
        };
        compare("descriptors", self.descriptors, before.descriptors, 0);
        compare("tasks", self.tasks, before.tasks, 0);
        compare("timers", self.timers, before.timers, 0);
        compare("children", self.children.into(), before.children.into(), 0);
        let started = self.threads.saturating_sub(before.threads);
        let of_threads = started * BLOCKS_OF_A_THREAD;
        compare("allocated blocks", self.blocks, before.blocks, of_threads);
        compare("allocated bytes", self.bytes, before.bytes, GROWTH);
        compare("resident bytes", self.resident, before.resident, RESIDENT_SLACK);
        more
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { descriptors, tasks, blocks, bytes, resident, threads, .. } = self;
        write!(
            f,
            "{descriptors} descriptors, {tasks} tasks, {threads} threads, {blocks} blocks of {bytes} bytes, {} KiB resident",
            resident / 1024
        )
    }
}

fn descriptors() -> usize {
    // Of each kind of Unix; the listing itself opens one.
    std::fs::read_dir("/dev/fd").map_or(0, Iterator::count)
}

/// A number that Linux has of this process.
fn in_status(what: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Whether there is a child, running or not waited for.
fn has_children() -> bool {
    // SAFETY: all zero is an answer; the call fills it in.
    let mut answer: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: a place for the answer; nothing is reaped.
    let found = unsafe { libc::waitid(libc::P_ALL, 0, &mut answer, options) };
    found == 0
}
