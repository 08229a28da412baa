//! More connections than there are descriptors. On Unix: Windows has no limit of a process that
//! could be lowered to what a test can reach.
#![cfg(unix)]

mod local;

use local::{ANY_PORT, run};
use molen_core::create_task;
use molen_core::io::accept_with_backoff;
use molen_core::io::source::SourceError;
use molen_std::net::{TcpListener, TcpStream};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

/// Set in the process that plays the server.
const STARVED: &str = "MOLEN_TEST_STARVED_SERVER";
const CLIENTS: usize = 40;

#[test]
fn a_server_without_descriptors_rests_and_then_takes_all_who_waited() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_starved_server", "--ignored", "--nocapture"])
        .env(STARVED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut next = |prefix: &str| loop {
        let line = said.next().expect("the server says more").unwrap();
        if let Some((_before, value)) = line.split_once(prefix) {
            break value.to_owned();
        }
    };
    let port: u16 = next("port ").parse().unwrap();
    let began = Instant::now();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let mut client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.write_all(&[number as u8]).unwrap();
        clients.push(client);
    }
    for (number, mut client) in clients.into_iter().enumerate() {
        let mut answer = [255];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(usize::from(answer[0]), number, "another client's answer");
    }
    let reports: u64 = next("reports ").parse().unwrap();
    assert!(reports >= 1, "it never ran out of descriptors");
    let rests = began.elapsed().as_secs() + 1;
    assert!(reports <= rests, "{reports} reports in {rests} s: it does not rest");
    assert!(server.wait().unwrap().success());
}

/// The server of the case above, in a process of its own.
#[test]
#[ignore = "run by a_server_without_descriptors_rests_and_then_takes_all_who_waited"]
fn a_starved_server() {
    if std::env::var_os(STARVED).is_none() {
        return;
    }
    let event_loop = molen_std::new_event_loop().unwrap();
    let reports = Rc::new(Cell::new(0));
    let counted = reports.clone();
    event_loop.set_exception_handler(Some(Rc::new(move |_event_loop, _context| {
        counted.set(counted.get() + 1);
        Ok(())
    })));
    let serve = async {
        let listener = TcpListener::bind(ANY_PORT).unwrap();
        println!("port {}", listener.local_addr().unwrap().port());
        let few = libc::rlimit { rlim_cur: 24, rlim_max: 24 };
        // SAFETY: a valid structure, which is only read.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &few) }, 0);
        let mut served = Vec::new();
        for _ in 0..CLIENTS {
            let client = accept_with_backoff(&listener).await?;
            let serving = async move {
                let mut byte = [0];
                client.read(&mut byte).await?;
                client.write_all(&byte).await?;
                client.read(&mut byte).await
            };
            served.push(create_task(serving).map_err(|_full| SourceError::Closed)?);
        }
        for client in served {
            assert_eq!(client.await.unwrap(), Ok(0));
        }
        Ok::<_, SourceError>(())
    };
    event_loop.run_until_complete(serve).unwrap().unwrap();
    println!("reports {}", reports.get());
}

#[test]
fn without_descriptors_accept_itself_says_so() {
    // The plain call leaves the decision to its caller; see the case above for
    // the one that rests.
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_server_that_cannot_accept", "--ignored", "--nocapture"])
        .env(STARVED, "1")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "run by without_descriptors_accept_itself_says_so"]
fn a_server_that_cannot_accept() {
    if std::env::var_os(STARVED).is_none() {
        return;
    }
    run(async {
        let listener = TcpListener::bind(ANY_PORT).unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        let mut spare = Vec::new();
        let few = libc::rlimit { rlim_cur: 32, rlim_max: 32 };
        // SAFETY: a valid structure, which is only read.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &few) }, 0);
        while let Ok(file) = std::fs::File::open("/dev/null") {
            spare.push(file);
        }
        assert_eq!(listener.accept().await.unwrap_err(), SourceError::NoDescriptors);
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.cause, SourceError::NoDescriptors);
        spare.pop();
        let (server, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        client.write_all(b"waited").await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await, Ok(6));
    });
}
