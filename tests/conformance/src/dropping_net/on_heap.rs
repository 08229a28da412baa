//! Streams, connections and servers, which are on the heap.

use super::{Borrowed, PIECES, at_once};
use crate::case::Outcome;
use crate::door::Door;
use crate::dropping_all::{drops, soon};
use crate::fixture::ms;
use crate::wire::{Probe, batches, noting, source, wake};
use core::cell::{Cell, RefCell};
use molen::io::Ready;
use molen::net::{
    Answer, DatagramProtocol, DatagramTransport, Protocol, Server, Start, StreamReader, Transport, WriteBufferLimits, connect_accepted_socket, connect_datagram_socket, connect_read_pipe, connect_write_pipe,
    open_streams,
};
use molen::testing::{Fault, Told, static_ref};

pub(super) fn reads_of_a_stream_lose_nothing_at_any_poll() -> Outcome {
    /// Which read is dropped.
    #[derive(Clone, Copy)]
    enum How {
        Some,
        Exactly,
        Until,
        Line,
        Lent,
    }
    async fn read(reader: &mut StreamReader, how: How) -> usize {
        match how {
            How::Some => reader.read(&mut [0; 8]).await.unwrap_or(0),
            How::Exactly => reader.readexactly(&mut [0; 6]).await.map_or(0, |()| 6),
            How::Until => reader.readuntil(&[b"o\n", b"\n"]).await.map_or(0, |line| line.len()),
            How::Line => reader.readline().await.map_or(0, |line| line.len()),
            How::Lent => {
                let lent = reader.fill_buf().await.map_or(0, <[u8]>::len);
                reader.consume(lent);
                lent
            }
        }
    }
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let place = static_ref!(RefCell<Option<StreamReader>> = RefCell::new(None));
        let taken = static_ref!(Cell<usize> = Cell::new(0));
        let source = source(&[], &[]);
        let (reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        place.replace(Some(reader));
        let in_one = [(How::Some, 2), (How::Lent, 2)];
        let in_two = [(How::Exactly, 3), (How::Until, 3), (How::Line, 3)];
        for (how, polls) in in_one.into_iter().chain(in_two) {
            let make = || {
                taken.set(0);
                soon(|| source.script(PIECES, &[]));
                // When the first piece was read, and that nothing is behind it, whichever way.
                soon(|| soon(|| soon(|| soon(|| soon(|| source.set_ready(Ready::READABLE))))));
                async move {
                    let mut reader = Borrowed::of(place);
                    if let Some(reader) = &mut reader.thing {
                        taken.set(read(reader, how).await);
                    }
                }
            };
            let all_is_there = || {
                let mut places = place.borrow_mut();
                let left = places.as_mut().map_or(0, |reader| at_once(reader.read(&mut [0; 8])));
                taken.get() + left == 6
            };
            drops(polls, make, all_is_there).await?;
        }
        // The rest, to the end: what was taken together is still there together.
        let make = || {
            taken.set(0);
            let source = static_ref!(molen::testing::FaultSource = molen::testing::FaultSource::new());
            soon(move || source.script(&[Fault::Data(b"hello\n"), Fault::End], &[]));
            async move {
                if let Ok((mut reader, _writer)) = open_streams(source.user(Told::ByEvents), 64).await {
                    taken.set(reader.read_to_end().await.map_or(0, |bytes| bytes.len()));
                }
            }
        };
        drops(4, make, || taken.get() == 0 || taken.get() == 6).await?;
        drop(writer);
        Ok(())
    })?
}

/// An endpoint's protocol that hears nothing.
struct Deaf;

impl DatagramProtocol<u8> for Deaf {
    fn datagram_received(
        &mut self,
        _transport: &DatagramTransport<u8>,
        _data: &[u8],
        _sender: &u8,
    ) -> Answer {
        Ok(())
    }
}

pub(super) fn waits_for_connections_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let source = source(&[], &[]);
        let closed = || source.closed() == 1;
        let make = || {
            source.reset(&[], &[]);
            let made = connect_accepted_socket(source.user(Told::ByEvents), Probe(noting));
            async move { made.await.map(|transport| transport.abort()).is_ok() }
        };
        drops(2, make, closed).await?;
        let make = || {
            source.reset(&[], &[]);
            let made = connect_read_pipe(source.user(Told::ByEvents), Probe(noting));
            async move { made.await.map(|transport| transport.abort()).is_ok() }
        };
        drops(2, make, closed).await?;
        let make = || {
            source.reset(&[], &[]);
            let made = connect_write_pipe(source.user(Told::ByEvents), Probe(noting));
            async move { made.await.map(|transport| transport.abort()).is_ok() }
        };
        drops(2, make, closed).await?;
        let make = || {
            source.reset(&[], &[]);
            let made = connect_datagram_socket(source.user(Told::ByEvents), Deaf, None);
            async move { made.await.map(|transport| transport.abort()).is_ok() }
        };
        drops(2, make, closed).await?;
        let make = || {
            source.reset(&[], &[]);
            // Dropping the streams closes the connection.
            let opened = open_streams(source.user(Told::ByEvents), 64);
            async move { opened.await.is_ok() }
        };
        drops(2, make, closed).await?;
        let make = || {
            source.reset(&[], &[]);
            let opened = open_streams(source.user(Told::ByEvents), 64);
            async move {
                let (_reader, writer) = opened.await.ok()?;
                writer.close();
                writer.wait_closed().await.ok()
            }
        };
        drops(3, make, closed).await?;

        source.reset(&[], &[]);
        let (_reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let writer = &writer;
        writer.transport().set_write_buffer_limits(WriteBufferLimits::of_high(0));
        let sent = Cell::new(0);
        let make = || {
            sent.set(sent.get() + 1);
            source.script(&[], &[Fault::WouldBlock]);
            soon(|| source.set_ready(Ready::BOTH));
            let paused = writer.write(b"x").is_ok();
            async move { paused && writer.drain().await.is_ok() }
        };
        let all_is_sent = || source.count() == sent.get() && !writer.transport().is_writing_paused();
        drops(2, make, all_is_sent).await?;
        writer.close();
        wake(source).await;
        Ok(())
    })?
}

/// Has something to write for ever.
struct Stays;

impl Protocol for Stays {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        transport.write(b"x")?;
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        Ok(())
    }
}

pub(super) fn waits_for_servers_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let door = Door::new();
        let open = || Server::new([door.listener()], || Probe(noting), Start::Later);
        let make = || {
            let server = open();
            async {
                let server = server.ok()?;
                let closed = server.clone();
                soon(move || closed.close());
                server.wait_closed().await;
                Some(())
            }
        };
        drops(2, make, || !door.is_open()).await?;
        let make = || {
            let server = open();
            async {
                let server = server.ok()?;
                let closed = server.clone();
                soon(move || soon(move || closed.close()));
                server.serve_forever().await.ok()
            }
        };
        drops(2, make, || !door.is_open()).await?;
        // With a client, for which it waits.
        struct EndOnDrop(Server);
        impl Drop for EndOnDrop {
            fn drop(&mut self) {
                self.0.close();
                self.0.abort_clients();
            }
        }
        let source = source(&[], &[]);
        let at = RefCell::new(Door::new());
        let make = || {
            at.replace(Door::new());
            source.reset(&[], &[]);
            let server = Server::new([at.borrow().listener()], || Probe(noting), Start::Now);
            let server = server.map(EndOnDrop);
            at.borrow().open(source);
            async {
                let server = server.ok()?;
                batches(3).await;
                server.0.close();
                let waited = server.0.clone();
                soon(move || waited.abort_clients());
                server.0.wait_closed().await;
                Some(())
            }
        };
        // Who was not accepted yet still waits at the door.
        let gone = || source.closed() + at.borrow().waiting() as u32 == 1 && !at.borrow().is_open();
        drops(5, make, gone).await?;
        // As long as its patience, for a client that does not go.
        let make = || {
            at.replace(Door::new());
            source.reset(&[], &[Fault::WouldBlock]);
            let server = Server::new([at.borrow().listener()], || Stays, Start::Now);
            let server = server.map(EndOnDrop);
            at.borrow().open(source);
            async {
                let server = server.ok()?;
                batches(4).await;
                Some(server.0.shutdown(ms(50)).await)
            }
        };
        drops(7, make, gone).await
    })?
}
