//! Ten thousand connections that say nothing, and a thousand that always do.
//!
//! The clients are a process of their own: so each of both needs half of the
//! descriptors, and what is measured is the server's.
#![cfg(unix)]

mod local;

use core::cell::Cell;
use local::{ANY_PORT, run};
use molen_core::net::{Answer, Flow, Protocol, Transport};
use molen_core::{Duration, create_task, sleep, timeout};
use molen_std::net::{TcpStream, create_server};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

/// The server's address, in the process that plays the clients.
const CLIENTS_OF: &str = "MOLEN_TEST_CLIENTS_OF";
const IDLE: usize = 10_000;
const BUSY: usize = 1_000;
/// Round trips of each busy one in a round.
const TRIPS: usize = 8;
/// Of which the best counts: the machine does other things too.
const ROUNDS: usize = 4;

/// Sends everything back.
struct Echo(Rc<Cell<usize>>);

impl Protocol for Echo {
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        if transport.write(data)? == Flow::Paused {
            transport.pause_reading();
        }
        Ok(())
    }

    fn resume_writing(&mut self, transport: &Transport) -> Answer {
        transport.resume_reading();
        Ok(())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Takes as many descriptors as this process may have, and says how many.
fn raise_the_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a valid structure.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    limit.rlim_cur = limit.rlim_max.min(1 << 20);
    // SAFETY: a valid structure, which is only read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

/// How many idle ones there can be here: all, but where a process may not
/// have so many descriptors.
fn idle_ones() -> usize {
    let most = raise_the_limit().saturating_sub(BUSY + 100);
    assert!(most >= 1000, "a process may have {most} descriptors here");
    most.min(IDLE)
}

/// The memory of this process that is in use, in bytes, where that can be known.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}

#[test]
fn a_thousand_busy_connections_do_not_notice_ten_thousand_idle_ones() {
    let idle = idle_ones();
    run(async {
        let gone = Rc::new(Cell::new(0));
        let counts = gone.clone();
        let server = create_server(ANY_PORT, move || Echo(counts.clone())).await.unwrap();
        let mut clients = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_clients", "--ignored", "--nocapture"])
            .env(CLIENTS_OF, server.addresses()[0].to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(clients.stdout.take().unwrap()).lines();
        let mut tell = clients.stdin.take().unwrap();
        // A thread waits for what the clients say: this one serves them.
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            while let Some(Ok(line)) = said.next() {
                if let Some((_, value)) = line.split_once("clients: ") {
                    let _ = sender.send(value.to_owned());
                }
            }
        });
        let next = async || loop {
            match receiver.try_recv() {
                Ok(value) => break value,
                Err(std::sync::mpsc::TryRecvError::Empty) => sleep(Duration::from_millis(5)).await,
                Err(_) => panic!("the clients are gone"),
            }
        };
        let few: f64 = next().await.parse().unwrap();
        assert_eq!(server.client_count(), BUSY);
        let before = resident();
        tell.write_all(b"go on\n").unwrap();
        assert_eq!(next().await, "idle ones are there");
        assert_eq!(server.client_count(), BUSY + idle);
        let grown = resident().zip(before).map(|(now, before)| now.saturating_sub(before) / idle);
        tell.write_all(b"go on\n").unwrap();
        let many: f64 = next().await.parse().unwrap();
        eprintln!(
            "a trip of {BUSY}: {few:.1} us alone, {many:.1} us beside {idle}; {grown:?} B each"
        );
        assert!(many < 4.0 * few + 20.0, "{many} us beside idle ones, {few} us alone");
        assert!(grown.is_none_or(|bytes| bytes < 3000), "an idle connection has {grown:?} bytes");
        assert_eq!(next().await, "idle ones answered");
        drop(tell);
        let ended = timeout(Duration::from_secs(60), async {
            while server.client_count() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(ended.await.is_ok(), "{} clients are left", server.client_count());
        assert_eq!(gone.get(), BUSY + idle);
        assert!(clients.wait().unwrap().success());
    });
}

/// One round: each of the busy ones goes there and back [`TRIPS`] times.
/// Returns microseconds for each trip.
async fn round(busy: &[Rc<TcpStream>]) -> f64 {
    let began = Instant::now();
    let mut tasks = Vec::new();
    for stream in busy {
        let stream = stream.clone();
        let talk = async move {
            let mut buffer = [0; 64];
            for trip in 0..TRIPS {
                stream.write_all(&[trip as u8; 64]).await.unwrap();
                let mut got = 0;
                while got < 64 {
                    match stream.read(&mut buffer[got..]).await.unwrap() {
                        0 => panic!("the server is gone"),
                        count => got += count,
                    }
                }
                assert_eq!(buffer, [trip as u8; 64]);
            }
        };
        tasks.push(create_task(talk).unwrap());
    }
    for task in tasks {
        task.await.unwrap();
    }
    began.elapsed().as_secs_f64() * 1e6 / (busy.len() * TRIPS) as f64
}

async fn best_round(busy: &[Rc<TcpStream>]) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        best = best.min(round(busy).await);
    }
    best
}

/// The clients of the case above, in a process of their own.
#[test]
#[ignore = "run by a_thousand_busy_connections_do_not_notice_ten_thousand_idle_ones"]
fn the_clients() {
    let Ok(address) = std::env::var(CLIENTS_OF) else { return };
    let address: SocketAddr = address.parse().unwrap();
    let idle = idle_ones();
    let told = || {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
    };
    run(async {
        let mut busy = Vec::new();
        for _ in 0..BUSY {
            busy.push(Rc::new(TcpStream::connect(address).await.unwrap()));
        }
        println!("clients: {}", best_round(&busy).await);
        told();
        let mut silent = Vec::new();
        for _ in 0..idle {
            silent.push(std::net::TcpStream::connect(address).unwrap());
        }
        // The last one's answer says that all before it were accepted.
        silent[idle - 1].write_all(b"?").unwrap();
        silent[idle - 1].read_exact(&mut [0]).unwrap();
        println!("clients: idle ones are there");
        told();
        println!("clients: {}", best_round(&busy).await);
        for stream in &mut silent {
            stream.write_all(b"?").unwrap();
        }
        for stream in &mut silent {
            let mut answer = [0];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(answer, *b"?");
        }
        println!("clients: idle ones answered");
    });
}
