//! Bytes: many, in both directions, and nobody who reads them.

use super::authority::{ANY, both};
use super::ending::with_peer;
use super::handshake::{connect, echo};
use crate::case::Outcome;
use crate::fixture::event;
use crate::real::{ok, run, until_events};
use molen::net::{
    Answer, ConnectionError, Flow, Protocol, Start, TcpListener, TcpStream, Transport, sendfile,
};
use molen::tls::{
    Timeouts, connect_tls, create_tls_server, start_tls, start_tls_server_side,
};
use molen::{Duration, create_task, sleep, timeout};
use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::vec;
use std::vec::Vec;

/// Something that no error would leave as it is.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251) as u8).collect()
}

pub(in super::super) fn much_data_goes_both_ways_unchanged() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let server = echo(&server)?;
        let (mut reader, writer) = connect(&server, &client).await?;
        let much = pattern(4 << 20);
        let expected = much.clone();
        let writing = create_task(async move {
            for part in much.chunks(100_000) {
                writer.writelines(&[&part[..1], &part[1..]]).map_err(drop)?;
                writer.drain().await.map_err(drop)?;
            }
            Ok::<_, ()>(writer)
        })?;
        let mut got = vec![0; expected.len()];
        reader.readexactly(&mut got).await.map_err(|_| crate::case::Failure::said("it ended"))?;
        check!(got == expected, "other bytes came back");
        let Ok(writer) = writing.await? else {
            return Err(crate::case::Failure::said("writing failed"));
        };
        writer.close();
        ok(writer.wait_closed().await)
    })
}

pub(in super::super) fn a_peer_that_does_not_read_pauses_the_writer() -> Outcome {
    run(async {
        let (_reader, writer, mut peer) = with_peer(Timeouts::DEFAULT).await?;
        let part = pattern(256 * 1024);
        let mut parts = 0;
        loop {
            let flow = writer.write(&part)?;
            parts += 1;
            check!(parts < 1000, "everything is taken, and nobody reads");
            // The system's buffers take some of it.
            if timeout(Duration::from_millis(50), writer.drain()).await.is_err() {
                check_eq!(flow, Flow::Paused);
                break;
            }
        }
        // Bounded: two connections' high marks, and the last write.
        check!(writer.transport().get_write_buffer_size() <= 2 * part.len(), "too much waits");
        let got = peer.read(parts * part.len()).await?;
        ok(writer.drain().await)?;
        check!(got == part.repeat(parts), "other bytes came");
        Ok(())
    })
}

pub(in super::super) fn a_reader_that_does_not_read_holds_the_peer_up() -> Outcome {
    run(async {
        let (mut reader, _writer, mut peer) = with_peer(Timeouts::DEFAULT).await?;
        let much = pattern(16 << 20);
        let expected = much.clone();
        let writing = create_task(async move {
            for part in much.chunks(16 * 1024) {
                peer.write(part).await?;
            }
            event("all is written");
            Outcome::Ok(())
        })?;
        sleep(Duration::from_millis(100)).await;
        check_events![];
        let mut got = vec![0; expected.len()];
        reader.readexactly(&mut got).await.map_err(|_| crate::case::Failure::said("it ended"))?;
        check!(got == expected, "other bytes came");
        writing.await??;
        check_events!["all is written"];
        Ok(())
    })
}

/// A file that is gone when the case ends.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may stay, if the system says so.
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(in super::super) fn a_file_goes_through_tls_before_the_goodbye() -> Outcome {
    run(async {
        let (_reader, writer, mut peer) = with_peer(Timeouts::DEFAULT).await?;
        let name = std::format!("molen-tls-{}", std::process::id());
        let path = Temporary(std::env::temp_dir().join(name));
        let content = pattern(8 << 20);
        ok(std::fs::write(&path.0, &content))?;
        let file = ok(std::fs::File::open(&path.0))?;
        writer.write(b"before")?;
        let transport = writer.transport().clone();
        let sending =
            create_task(async move { sendfile(&transport, &file).await.map_err(drop) })?;
        sleep(Duration::from_millis(20)).await;
        check!(!sending.done(), "nobody reads, and all of it went out");
        // The end waits for it.
        writer.close();
        let mut got = peer.read(6 + content.len()).await?;
        check!(got.split_off(6) == content, "other bytes came");
        check_eq!(got, b"before");
        check_eq!(sending.await?, Ok(content.len() as u64));
        check_eq!(peer.read(1).await?.len(), 0);
        Ok(())
    })
}

/// What the outer connection's server does: it becomes another one, inside.
struct Inner(molen::tls::ServerContext);

impl Protocol for Inner {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        // What comes now is not this protocol's.
        transport.pause_reading();
        let (transport, context) = (transport.clone(), self.0.clone());
        create_task(async move {
            if start_tls_server_side(&transport, Echo, &context).await.is_err() {
                event("server: no inner handshake");
            }
        })?
        .detach();
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        event("server: data of the outer connection");
        Ok(())
    }
}

struct Echo;

impl Protocol for Echo {
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        transport.write(data)?;
        Ok(())
    }

    fn connection_lost(&mut self, _transport: &Transport, error: Option<&ConnectionError>) -> Answer {
        event(if error.is_none() { "server: lost" } else { "server: lost by an error" });
        Ok(())
    }
}

pub(in super::super) fn a_server_is_closed_when_its_clients_have_lost() -> Outcome {
    run(async {
        let (client, server_context) = both()?;
        for from_here in [true, false] {
            let listener = ok(TcpListener::bind(ANY))?;
            let address = ok(listener.local_addr())?;
            let timeouts = Timeouts::DEFAULT;
            let server =
                ok(create_tls_server([listener], || Echo, &server_context, timeouts, Start::Now))?;
            let stream = ok(TcpStream::connect(address).await)?;
            let end = Rc::new(Cell::new("not at all"));
            let collect = Collect(Vec::new(), end.clone());
            let there = ok(connect_tls(stream, collect, &client, "localhost").await)?;
            there.write(b"?")?;
            while there.with_protocol(|collect: &mut Collect| collect.0.len()) != Some(1) {
                sleep(Duration::from_millis(1)).await;
            }
            server.close();
            match from_here {
                true => server.close_clients(),
                false => there.close(),
            }
            server.wait_closed().await;
            event("closed");
            check_eq!(server.client_count(), 0);
            while !there.is_lost() {
                sleep(Duration::from_millis(1)).await;
            }
            check_eq!(end.get(), "in order");
        }
        check_events!["server: lost", "closed", "server: lost", "closed"];
        Ok(())
    })
}

/// Collects what comes, and says how it ended.
struct Collect(Vec<u8>, Rc<Cell<&'static str>>);

impl Protocol for Collect {
    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn connection_lost(&mut self, _transport: &Transport, error: Option<&ConnectionError>) -> Answer {
        self.1.set(if error.is_none() { "in order" } else { "by an error" });
        Ok(())
    }
}

pub(in super::super) fn tls_in_tls_carries_data_and_ends_in_order() -> Outcome {
    run(async {
        let (outer_client, outer_server) = both()?;
        let (inner_client, inner_server) = both()?;
        let listener = ok(TcpListener::bind(ANY))?;
        let address = ok(listener.local_addr())?;
        let factory = move || Inner(inner_server.clone());
        let timeouts = Timeouts::DEFAULT;
        let server =
            ok(create_tls_server([listener], factory, &outer_server, timeouts, Start::Now))?;
        let stream = ok(TcpStream::connect(address).await)?;
        let outer = ok(connect_tls(stream, Echo, &outer_client, "localhost").await)?;
        let end = Rc::new(Cell::new("not at all"));
        let collect = Collect(Vec::new(), end.clone());
        let inner = ok(start_tls(&outer, collect, &inner_client, "localhost").await)?;
        let much = pattern(1 << 20);
        inner.write(&much)?;
        while inner.with_protocol(|collect: &mut Collect| collect.0.len()) != Some(much.len()) {
            sleep(Duration::from_millis(1)).await;
        }
        let same = inner.with_protocol(|collect: &mut Collect| collect.0 == much);
        check_eq!(same, Some(true));
        inner.close();
        while !inner.is_lost() {
            sleep(Duration::from_millis(1)).await;
        }
        server.close();
        server.wait_closed().await;
        check_eq!(end.get(), "in order");
        // The server's client was the outer connection.
        until_events(1).await;
        check_events!["server: lost"];
        Ok(())
    })
}
