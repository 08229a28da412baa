//! TCP connections of one loop: bytes, ends, refusals, back-pressure.

mod local;

use local::{ANY_PORT, pair, run};
use molen_core::io::source::{ByteSource, SourceError};
use molen_core::{create_task, sleep, yield_now};
use molen_std::net::{TcpListener, TcpStream};
use std::io::{IoSlice, Read, Write};
use std::time::Duration;

/// Sends everything back until the end, then ends its own direction.
async fn echo(stream: &TcpStream) -> Result<usize, SourceError> {
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => {
                stream.write_all(&buffer[..count]).await?;
                total += count;
            }
        }
    }
    stream.shutdown()?;
    Ok(total)
}

async fn read_to_end(stream: &TcpStream) -> Result<Vec<u8>, SourceError> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

#[test]
fn what_is_written_comes_back_and_half_closing_leaves_the_other_half() {
    run(async {
        let (client, server) = pair().await;
        assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
        let echoing = create_task(async move { echo(&server).await }).unwrap();
        client.write_all(b"hello ").await.unwrap();
        client.write_all(b"world").await.unwrap();
        client.shutdown().unwrap();
        assert_eq!(read_to_end(&client).await.unwrap(), b"hello world");
        assert_eq!(echoing.await.unwrap(), Ok(11));
        // The end can be read again and again.
        assert_eq!(client.read(&mut [0; 8]).await, Ok(0));
        assert_eq!(client.read(&mut [0; 8]).await, Ok(0));
    });
}

#[test]
fn the_end_that_came_together_with_the_last_bytes_is_not_missed() {
    run(async {
        for _ in 0..50 {
            let (client, server) = pair().await;
            // Both are there before the loop looks: one event for the two.
            client.write_all(b"last").await.unwrap();
            drop(client);
            assert_eq!(read_to_end(&server).await.unwrap(), b"last");
        }
    });
}

#[test]
fn many_clients_at_once_each_get_their_own_bytes() {
    run(async {
        let listener = TcpListener::bind(ANY_PORT).unwrap();
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..200u32)
            .map(|number| {
                create_task(async move {
                    let client = TcpStream::connect(address).await.unwrap();
                    let said = number.to_le_bytes().repeat(100);
                    client.write_all(&said).await.unwrap();
                    client.shutdown().unwrap();
                    assert_eq!(read_to_end(&client).await.unwrap(), said);
                })
                .unwrap()
            })
            .collect();
        let mut servers = Vec::new();
        for _ in 0..clients.len() {
            let (server, _peer) = listener.accept().await.unwrap();
            servers.push(create_task(async move { echo(&server).await }).unwrap());
        }
        for client in clients {
            client.await.unwrap();
        }
        for server in servers {
            assert_eq!(server.await.unwrap(), Ok(400));
        }
    });
}

#[test]
fn nothing_is_written_when_nothing_is_given() {
    run(async {
        let (client, server) = pair().await;
        assert_eq!(client.write(b"").await, Ok(0));
        assert_eq!(client.write_all(b"").await, Ok(()));
        assert_eq!(client.write_vectored(&[]).await, Ok(0));
        assert_eq!(client.write_vectored(&[IoSlice::new(b"")]).await, Ok(0));
        assert_eq!(server.read(&mut []).await, Ok(0));
        assert_eq!(server.try_read(&mut [0; 1]), Err(SourceError::WouldBlock));
        let parts = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"call")];
        assert_eq!(client.write_vectored(&parts).await, Ok(8));
        drop(client);
        assert_eq!(read_to_end(&server).await.unwrap(), b"one call");
    });
}

#[test]
fn a_hundred_megabytes_wait_for_a_slow_reader() {
    run(async {
        let (client, server) = pair().await;
        let huge: Vec<u8> = (0..100u32 << 20).map(|at| (at >> 8) as u8).collect();
        let expected = huge.clone();
        let writing = create_task(async move { client.write_all(&huge).await }).unwrap();
        // Until the buffers between the two are full, and nothing moves.
        for _ in 0..1000 {
            yield_now().await;
        }
        assert!(!writing.done(), "all of it was taken by nobody");
        assert_eq!(read_to_end(&server).await.unwrap(), expected);
        assert_eq!(writing.await.unwrap(), Ok(()));
    });
}

#[test]
fn a_peer_that_vanishes_in_mid_line_is_a_reset_and_not_a_hang() {
    run(async {
        let listener = TcpListener::bind(ANY_PORT).unwrap();
        let address = listener.local_addr().unwrap();
        let mut peer = std::net::TcpStream::connect(address).unwrap();
        let (server, _peer) = listener.accept().await.unwrap();
        peer.write_all(b"half a li").unwrap();
        server.write_all(b"never read").await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(server.read(&mut buffer).await, Ok(9));
        // Closing with unread input resets the connection.
        let mut one = [0; 1];
        peer.read_exact(&mut one).unwrap();
        drop(peer);
        let read = server.read(&mut buffer).await;
        // Wine's server takes the reset from the socket when it polls it, which then is at its end.
        let wine = cfg!(windows) && read == Ok(0);
        assert!(wine || read == Err(SourceError::ConnectionReset), "{read:?}");
        assert_eq!(server.write_all(b"x").await, Err(SourceError::ConnectionReset));
    });
}

#[test]
fn connecting_where_nobody_listens_is_refused_by_name() {
    run(async {
        let free = std::net::TcpListener::bind(ANY_PORT).unwrap().local_addr().unwrap();
        let error = TcpStream::connect(free).await.unwrap_err();
        assert_eq!(error.cause, SourceError::ConnectionRefused);
        assert_eq!(
            error.to_string(),
            format!("cannot connect to {free}: the connection was refused")
        );
        // An error at once, from this end: no socket can reach the null port.
        let nowhere = "255.255.255.255:9".parse().unwrap();
        let error = TcpStream::connect(nowhere).await.unwrap_err();
        assert!(matches!(error.cause, SourceError::Os(_)), "{error}");
    });
}

#[test]
fn an_attempt_to_connect_that_gets_no_answer_can_be_given_up() {
    run(async {
        // The queue of a backlog of 0 has room for one, and Linux does not
        // answer the others.
        let listener = TcpListener::bind_with_backlog(ANY_PORT, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let attempts: Vec<_> = (0..8)
            .map(|_number| create_task(async move { TcpStream::connect(address).await }).unwrap())
            .collect();
        sleep(Duration::from_millis(20)).await;
        let waiting: Vec<_> = attempts.into_iter().filter(|attempt| !attempt.done()).collect();
        assert!(!cfg!(target_os = "linux") || !waiting.is_empty());
        for attempt in waiting {
            attempt.cancel();
            assert!(attempt.await.unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn without_a_loop_there_are_no_sockets() {
    let error = TcpListener::bind(ANY_PORT).unwrap_err();
    assert_eq!(error.cause, SourceError::NoRunningLoop);
    assert_eq!(
        error.to_string(),
        "cannot listen on 127.0.0.1:0: no event loop is running on this thread"
    );
}

#[test]
fn a_source_used_on_another_loop_says_so() {
    let first = molen_std::new_event_loop().unwrap();
    let (client, server, listener) = first
        .run_until_complete(async {
            let listener = TcpListener::bind(ANY_PORT).unwrap();
            let address = listener.local_addr().unwrap();
            let client = TcpStream::connect(address).await.unwrap();
            let (server, _peer) = listener.accept().await.unwrap();
            (client, server, listener)
        })
        .unwrap();
    let second = molen_std::new_event_loop().unwrap();
    second
        .run_until_complete(async {
            assert_eq!(server.read(&mut [0; 1]).await, Err(SourceError::ForeignLoop));
            assert_eq!(listener.accept().await.unwrap_err(), SourceError::ForeignLoop);
        })
        .unwrap();
    first
        .run_until_complete(async {
            client.write_all(b"still works at home").await.unwrap();
            assert_eq!(server.read(&mut [0; 64]).await, Ok(19));
        })
        .unwrap();
}

#[test]
fn a_loop_can_be_closed_before_its_sockets() {
    let event_loop = molen_std::new_event_loop().unwrap();
    let (client, server) = event_loop.run_until_complete(pair()).unwrap();
    event_loop.close().unwrap();
    drop(event_loop);
    // The descriptors are open still, but nobody is there to wait.
    assert_eq!(client.try_write(b"alone"), Ok(5));
    assert_eq!(server.try_read(&mut [0; 8]), Err(SourceError::WouldBlock));
    drop((client, server));
}

#[test]
fn a_cancelled_read_loses_nothing() {
    run(async {
        let (client, server) = pair().await;
        let server = std::rc::Rc::new(server);
        let reading = {
            let server = server.clone();
            create_task(async move { server.read(&mut [0; 8]).await }).unwrap()
        };
        yield_now().await;
        reading.cancel();
        client.write_all(b"kept").await.unwrap();
        assert!(reading.await.unwrap_err().is_cancelled());
        let mut buffer = [0; 8];
        assert_eq!(server.read(&mut buffer).await, Ok(4));
        assert_eq!(&buffer[..4], b"kept");
    });
}
