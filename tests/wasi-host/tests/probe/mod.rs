//! A guest that does what a test tells it: each method is one host call made by `probe.wat`, with records decoded here by
//! offset, independently of the host's own encoding.

#![allow(dead_code)] // each test binary uses its part

use std::time::Duration;

use molen_wasi_host::{CallError, Errno, Host, Outcome, Reactor, Value};

pub const MS: u64 = 1_000_000;
pub const MONOTONIC: u32 = 1;
pub const REALTIME: u32 = 0;
pub const NONBLOCK: i32 = 4;

/// A subscription as the test writes it. Its userdata is 100 + its place in the list.
#[derive(Clone, Copy)]
pub enum Sub {
    /// Monotonic, relative, in ns.
    After(u64),
    Clock(u32, u64),
    At(u32, u64),
    Read(u32),
    Write(u32),
}

/// An event as the guest finds it in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The place of its subscription in the list.
    pub index: u64,
    pub errno: u16,
    pub kind: u8,
    pub nbytes: u64,
    pub flags: u16,
}

pub struct Probe {
    pub reactor: Reactor,
}

pub fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

pub fn errno(code: i32) -> Errno {
    Errno::from_code(u16::try_from(code).unwrap()).unwrap()
}

impl Probe {
    pub fn new(host: &Host) -> Probe {
        let wasm = wat::parse_str(include_str!("probe.wat")).unwrap();
        Probe { reactor: host.instantiate(&wasm).unwrap() }
    }

    /// Calls an export of the probe that gives an errno.
    pub fn try_raw(&mut self, name: &str, arguments: &[i64]) -> Result<Errno, CallError> {
        let arguments: Vec<Value> =
            arguments.iter().map(|value| Value::I32(*value as i32)).collect();
        self.reactor.call_i32(name, &arguments).map(errno)
    }

    pub fn raw(&mut self, name: &str, arguments: &[i64]) -> Errno {
        self.try_raw(name, arguments).unwrap()
    }

    fn result(&self, at: u32, len: usize) -> u64 {
        le(&self.reactor.memory(at, len).unwrap())
    }

    /// The bytes where the probe stores what it asked for.
    pub fn scalar(&self, len: usize) -> Vec<u8> {
        self.reactor.memory(0x100, len).unwrap()
    }

    pub fn second_scalar(&self) -> u64 {
        self.result(0x300, 4)
    }

    pub fn buffer(&self, len: usize) -> Vec<u8> {
        self.reactor.memory(0x8000, len).unwrap()
    }

    pub fn subscribe(&mut self, subs: &[Sub]) {
        for (i, sub) in subs.iter().enumerate() {
            let head = [Value::I32(i as i32), Value::I64(100 + i as i64)];
            let (name, tail) = match *sub {
                Sub::After(ns) => {
                    ("clock", vec![Value::I32(1), Value::I64(ns as i64), Value::I32(0)])
                }
                Sub::Clock(id, ns) => {
                    ("clock", vec![Value::I32(id as i32), Value::I64(ns as i64), Value::I32(0)])
                }
                Sub::At(id, ns) => {
                    ("clock", vec![Value::I32(id as i32), Value::I64(ns as i64), Value::I32(1)])
                }
                Sub::Read(fd) => ("descriptor", vec![Value::I32(1), Value::I32(fd as i32)]),
                Sub::Write(fd) => ("descriptor", vec![Value::I32(2), Value::I32(fd as i32)]),
            };
            self.reactor.call(name, &[&head[..], &tail[..]].concat()).unwrap();
        }
    }

    /// `poll_oneoff`, which the host may end.
    pub fn try_poll(&mut self, subs: &[Sub]) -> Result<Result<Vec<Seen>, Errno>, CallError> {
        self.subscribe(subs);
        let errno = self.try_raw("poll", &[subs.len() as i64])?;
        if errno != Errno::Success {
            return Ok(Err(errno));
        }
        let count = self.result(0x100, 4) as usize;
        let events = self.reactor.memory(0x4000, count * 32).unwrap();
        let seen = events.chunks_exact(32).map(|record| Seen {
            index: le(&record[0..8]).wrapping_sub(100),
            errno: le(&record[8..10]) as u16,
            kind: record[10],
            nbytes: le(&record[16..24]),
            flags: le(&record[24..26]) as u16,
        });
        Ok(Ok(seen.collect()))
    }

    pub fn poll(&mut self, subs: &[Sub]) -> Result<Vec<Seen>, Errno> {
        self.try_poll(subs).unwrap()
    }

    /// The places of the subscriptions that got an event, in the order of the events.
    pub fn poll_order(&mut self, subs: &[Sub]) -> Vec<u64> {
        self.poll(subs).unwrap().iter().map(|seen| seen.index).collect()
    }

    pub fn now(&self) -> Duration {
        self.reactor.now()
    }

    fn bytes_or(&self, errno: Errno) -> Result<String, Errno> {
        if errno != Errno::Success {
            return Err(errno);
        }
        let count = self.result(0x100, 4) as usize;
        Ok(String::from_utf8(self.buffer(count)).unwrap())
    }

    pub fn read(&mut self, fd: u32, len: u32) -> Result<String, Errno> {
        let errno = self.raw("read", &[fd.into(), len.into()]);
        self.bytes_or(errno)
    }

    pub fn recv(&mut self, fd: u32, len: u32, flags: i64) -> Result<String, Errno> {
        let errno = self.raw("recv", &[fd.into(), len.into(), flags]);
        self.bytes_or(errno)
    }

    fn put(&mut self, bytes: &str) {
        for (i, byte) in bytes.bytes().enumerate() {
            self.reactor.call("put", &[Value::I32(i as i32), Value::I32(byte.into())]).unwrap();
        }
    }

    fn count_or(&self, errno: Errno) -> Result<u64, Errno> {
        if errno == Errno::Success { Ok(self.result(0x100, 4)) } else { Err(errno) }
    }

    pub fn write(&mut self, fd: u32, bytes: &str) -> Result<u64, Errno> {
        self.put(bytes);
        let errno = self.raw("write", &[fd.into(), bytes.len() as i64]);
        self.count_or(errno)
    }

    pub fn send(&mut self, fd: u32, bytes: &str) -> Result<u64, Errno> {
        self.put(bytes);
        let errno = self.raw("send", &[fd.into(), bytes.len() as i64]);
        self.count_or(errno)
    }

    pub fn accept(&mut self, fd: u32, flags: i32) -> Result<u32, Errno> {
        let errno = self.raw("accept", &[fd.into(), flags.into()]);
        self.count_or(errno).map(|fd| fd as u32)
    }

    pub fn outcome(self) -> Outcome {
        self.reactor.into_outcome()
    }
}
