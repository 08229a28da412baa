//! mio: edge-triggered state machine, no executor on top.
//!
//! The bound for a loop that is built on mio, as Molen's std backend is.

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};

struct Conn {
    stream: TcpStream,
    unsent: Vec<u8>,
}

enum Next {
    Keep,
    Close,
}

/// Serves `listener` for ever with one shared buffer of `size` bytes.
pub fn serve(listener: std::net::TcpListener, size: usize) {
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new().expect("mio");
    let mut events = Events::with_capacity(1024);
    const ACCEPT: Token = Token(usize::MAX - 1);
    poll.registry().register(&mut listener, ACCEPT, Interest::READABLE).expect("mio");
    let mut conns: Vec<Option<Conn>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut buf = vec![0u8; size];
    loop {
        poll.poll(&mut events, None).expect("mio");
        for event in events.iter() {
            if event.token() == ACCEPT {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("mio");
                    let at = free.pop().unwrap_or_else(|| {
                        conns.push(None);
                        conns.len() - 1
                    });
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(at), both).expect("mio");
                    conns[at] = Some(Conn { stream, unsent: Vec::new() });
                }
                continue;
            }
            let at = event.token().0;
            let Some(conn) = &mut conns[at] else { continue };
            if let Next::Close = turn(conn, event, &mut buf) {
                conns[at] = None;
                free.push(at);
            }
        }
    }
}

fn turn(conn: &mut Conn, event: &Event, buf: &mut [u8]) -> Next {
    if !conn.unsent.is_empty() {
        match conn.stream.write(&conn.unsent) {
            Ok(n) => drop(conn.unsent.drain(..n)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Next::Close,
        }
        if !conn.unsent.is_empty() {
            return Next::Keep;
        }
    } else if !event.is_readable() && !event.is_read_closed() {
        return Next::Keep;
    }
    loop {
        let n = match conn.stream.read(buf) {
            Ok(0) => return Next::Close,
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Next::Keep,
            Err(_) => return Next::Close,
        };
        let sent = match conn.stream.write(&buf[..n]) {
            Ok(sent) => sent,
            Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return Next::Close,
        };
        if sent < n {
            conn.unsent.extend_from_slice(&buf[sent..n]);
            return Next::Keep;
        }
        if n < buf.len() {
            return Next::Keep;
        }
    }
}
