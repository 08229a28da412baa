//! Descriptors that are closed, and whose numbers the system gives to others.

use super::fixture::{ANY_PORT, ok, real_loop, settle, sockets, turn};
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use core::cell::Cell;
use molen::sock::{Socket, SocketOperations};
use molen::{LoopRef, SelectorEventLoop, Task};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::vec::Vec;

/// The system's number of a socket.
fn number(socket: &Socket) -> u64 {
    #[cfg(unix)]
    return std::os::fd::AsRawFd::as_raw_fd(socket) as u64;
    #[cfg(windows)]
    return std::os::windows::io::AsRawSocket::as_raw_socket(socket);
}

/// Makes sockets that take the number of one that is closed; it has a listener of its own already,
/// which takes none.
struct Successors(TcpListener, SocketAddr);

impl Successors {
    fn prepare() -> Result<Successors, Failure> {
        let listener = ok(TcpListener::bind(ANY_PORT))?;
        let address = ok(listener.local_addr())?;
        Ok(Successors(listener, address))
    }

    /// Two connected sockets, of which the first has the number that was given up.
    fn of(&self, former: u64) -> Result<(Socket, Socket), Failure> {
        let mut others = Vec::new();
        for _ in 0..100 {
            let near = Socket::from(ok(TcpStream::connect(self.1))?);
            let far = Socket::from(ok(self.0.accept())?.0);
            for socket in [&near, &far] {
                ok(socket.set_nonblocking(true))?;
            }
            match (near, far) {
                (near, far) if number(&near) == former => return Ok((near, far)),
                (near, far) if number(&far) == former => return Ok((far, near)),
                pair => others.push(pair),
            }
        }
        Err(Failure::said("the system did not give the number out again"))
    }
}

pub(super) fn a_descriptor_closed_at_once_leaves_no_event() -> Outcome {
    let event_loop = real_loop()?;
    event_loop.set_exception_handler(Some(Rc::new(|_event_loop, _context| {
        event("reported");
        Ok(())
    })));
    for _ in 0..10 {
        let (near, far) = sockets()?;
        ok(event_loop.add_reader(&near, || event("stale")))?;
        ok(event_loop.add_writer(&near, || event("stale")))?;
        ok(far.send(b"x"))?;
        check!(ok(event_loop.remove_reader(&near))?, "there was no reader");
        check!(ok(event_loop.remove_writer(&near))?, "there was no writer");
        drop(near);
        settle(&event_loop)?;
    }
    check_events![];
    Ok(())
}

pub(super) fn a_number_used_again_in_the_tick_brings_no_stale_event() -> Outcome {
    let event_loop = real_loop()?;
    let (one, _one_far) = sockets()?;
    let (two, _two_far) = sockets()?;
    let sockets = Rc::new([Cell::new(None), Cell::new(None)]);
    let fresh = Rc::new(Cell::new(None));
    // There is room to write in both, so both have their events in one batch. Whichever is called
    // first puts a fresh socket in the other's place.
    for (at, socket) in [one, two].into_iter().enumerate() {
        let (inner, others, made) = (event_loop.clone(), sockets.clone(), fresh.clone());
        ok(event_loop.add_writer(&socket, move || {
            event("called");
            let Some(other) = others[1 - at].take() else { return Ok(()) };
            ok(inner.remove_writer(&other))?;
            let (former, successors) = (number(&other), Successors::prepare()?);
            drop(other);
            let (near, far) = successors.of(former)?;
            ok(inner.add_reader(&near, || event("fresh")))?;
            made.set(Some((near, far)));
            others[at].take().map_or(Ok(false), |own| ok(inner.remove_writer(&own))).map(drop)
        }))?;
        sockets[at].set(Some(socket));
    }
    turn(&event_loop)?;
    settle(&event_loop)?;
    check_events!["called"];
    let Some((_near, far)) = fresh.take() else {
        return Err(Failure::said("the number was not used again"));
    };
    ok(far.send(b"for this one"))?;
    turn(&event_loop)?;
    check_events!["called", "fresh"];
    Ok(())
}

/// Receives, and then puts a fresh socket in the place of the other task's.
async fn receive_and_replace(
    event_loop: LoopRef,
    own: Socket,
    others_number: u64,
    other: Rc<Cell<Option<Task<Outcome>>>>,
    fresh: Rc<Cell<Option<Socket>>>,
) -> Outcome {
    ok(event_loop.sock_recv(&own, 10).await)?;
    event("received");
    let successors = Successors::prepare()?;
    if let Some(other) = other.take() {
        // Drops it at once, and its socket.
        other.abort();
    }
    let (near, far) = successors.of(others_number)?;
    fresh.set(Some(far));
    check_eq!(ok(event_loop.sock_recv(&near, 10).await)?, b"fresh");
    event("fresh");
    Ok(())
}

pub(super) fn a_receivers_number_used_again_brings_no_stale_event() -> Outcome {
    let event_loop = real_loop()?;
    let pairs = [sockets()?, sockets()?];
    let numbers = [number(&pairs[0].0), number(&pairs[1].0)];
    let tasks = [Rc::new(Cell::new(None)), Rc::new(Cell::new(None))];
    let fresh = Rc::new(Cell::new(None));
    let mut fars = Vec::new();
    for (at, (near, far)) in pairs.into_iter().enumerate() {
        let task = receive_and_replace(
            event_loop.clone(),
            near,
            numbers[1 - at],
            tasks[1 - at].clone(),
            fresh.clone(),
        );
        tasks[at].set(Some(event_loop.create_task(task)?));
        fars.push(far);
    }
    settle(&event_loop)?;
    check_events![];
    for far in &fars {
        ok(far.send(b"stale"))?;
    }
    turn(&event_loop)?;
    settle(&event_loop)?;
    check_events!["received"];
    let Some(far) = fresh.take() else {
        return Err(Failure::said("the number was not used again"));
    };
    ok(far.send(b"fresh"))?;
    turn(&event_loop)?;
    settle(&event_loop)?;
    check_events!["received", "fresh"];
    Ok(())
}

pub(super) fn a_reader_that_was_left_behind_hides_no_event() -> Outcome {
    let event_loop = real_loop()?;
    let (near, _far) = sockets()?;
    ok(event_loop.add_reader(&near, || event("left behind")))?;
    settle(&event_loop)?;
    let (former, successors) = (number(&near), Successors::prepare()?);
    // A program's mistake: it closes what is watched still.
    drop(near);
    let (near, far) = successors.of(former)?;
    let inner = event_loop.clone();
    let receiving = event_loop.create_task(async move {
        check_eq!(ok(inner.sock_recv(&near, 10).await)?, b"hello");
        // Nothing is left of the mistake when its successor has removed it.
        check!(ok(inner.remove_reader(&near))?, "the number has no reader");
        Ok(())
    })?;
    settle(&event_loop)?;
    ok(far.send(b"hello"))?;
    event_loop.run_until_complete(receiving)??
}
