//! Clocks of this and of other processes, and the CPU a thread is bound to.
//!
//! # Invariants
//!
//! * **OUT**: the only pointer passed to a system call is to a local that
//!   outlives the call and is of the type which the call reads or writes.

use crate::sample::Reading;
use std::ops::Add;
use std::time::Instant;

/// The CPU of the loop under test.
pub const LOOP_CPU: usize = 0;
/// The CPU of the client and of threads that wake the loop.
pub const OTHER_CPU: usize = 1;

/// Wall and CPU time of this process, at one moment or between two.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    wall: u64,
    cpu: u64,
}

/// A moment from which [`Spent`] time is counted.
#[derive(Clone, Copy)]
pub struct Mark {
    wall: Instant,
    cpu: u64,
}

impl Mark {
    /// Reads both clocks.
    pub fn now() -> Self {
        Mark { cpu: clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID), wall: Instant::now() }
    }

    /// Time since this mark; CPU time of every thread counts.
    pub fn spent(self) -> Spent {
        let wall = self.wall.elapsed().as_nanos() as u64;
        let cpu = clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID) - self.cpu;
        Spent { wall, cpu }
    }
}

impl Add for Spent {
    type Output = Spent;

    fn add(self, other: Spent) -> Spent {
        Spent { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }
}

impl Spent {
    /// Prints CPU time per operation.
    pub fn print_cpu(self, figure: &str, ops: u64) {
        Reading {
            stretch: Some(self.wall as f64 / self.cpu.max(1) as f64),
            ..Reading::new(figure, self.cpu as f64 / ops as f64)
        }
        .print();
    }

    /// Prints CPU time per operation of a row that sleeps on purpose, whose
    /// wall time therefore says nothing about the neighbours.
    pub fn print_cpu_of_sleeper(self, figure: &str, ops: u64) {
        Reading::new(figure, self.cpu as f64 / ops as f64).print();
    }

    /// Prints wall time per operation.
    pub fn print_wall(self, figure: &str, ops: u64) {
        Reading::new(figure, self.wall as f64 / ops as f64).print();
    }
}

/// The `q`-th quantile (0 to 1) of some readings, which it sorts.
pub fn quantile(ns: &mut [u64], q: f64) -> f64 {
    ns.sort_unstable();
    let at = (ns.len().saturating_sub(1) as f64 * q) as usize;
    ns.get(at).map_or(f64::NAN, |v| *v as f64)
}

/// CPU time that process `pid` has used, in nanoseconds, or `None` when it is gone.
pub fn cpu_ns_of(pid: i32) -> Option<u64> {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: OUT.
    let failed = unsafe { libc::clock_getcpuclockid(pid, &mut clock) };
    (failed == 0).then(|| clock_ns(clock))
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: OUT.
    unsafe { libc::clock_gettime(clock, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// CPU seconds used by all children that were waited for, and theirs.
pub fn children_cpu_s() -> f64 {
    // SAFETY: OUT; an all-zero rusage is valid.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Binds the calling thread, and those it starts, to `cpu`. On a machine
/// without that CPU the thread stays where it may be.
pub fn pin(cpu: usize) {
    // SAFETY: OUT; an all-zero set is valid, and `cpu` is far below its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}

/// Has this process open as many descriptors as it is allowed to.
pub fn raise_descriptor_limit() {
    // SAFETY: OUT; an all-zero limit is valid.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Bytes of memory that process `pid` has written to and still holds: its heap,
/// its stacks, its tables.
pub fn own_memory_of(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
