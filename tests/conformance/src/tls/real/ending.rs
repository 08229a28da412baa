//! Goodbyes, and ends without them.

use super::authority::both;
use super::by_hand::ByHand;
use super::handshake::{check_echo, connect, echo, plain_pair};
use crate::case::{Failure, Outcome};
use crate::fixture::{OnDrop, event};
use crate::real::{ok, run};
use molen::net::{
    AfterEof, Answer, ConnectionError, DEFAULT_LIMIT, Protocol, ReadError, StreamReader,
    StreamWriter, TcpStream, Transport,
};
use molen::tls::{ClientContext, ServerContext, Timeouts, TlsError, connect_tls, open_tls_streams};
use molen::{Duration, Task, create_task, sleep};
use std::vec;

/// A pair of streams, and the server that it is connected to, driven by hand.
pub(super) async fn with_peer(
    timeouts: Timeouts,
) -> Result<(StreamReader, StreamWriter, ByHand), Failure> {
    let (client, server) = both()?;
    let (stream, peer) = plain_pair().await?;
    let opening: Task<_> = create_task(async move {
        open_tls_streams(stream, DEFAULT_LIMIT, &client, "localhost", timeouts).await
    })?;
    let mut peer = ByHand::server(peer, &server)?;
    peer.handshake().await?;
    let (reader, writer) = ok(opening.await?)?;
    Ok((reader, writer, peer))
}

/// Notes what it is told.
struct Notes;

impl Protocol for Notes {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        event(if transport.can_write_eof() { "made with half-close" } else { "made" });
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        event("data");
        Ok(())
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        event("eof");
        Ok(AfterEof::Close)
    }

    fn connection_lost(&mut self, _transport: &Transport, error: Option<&ConnectionError>) -> Answer {
        event(match error {
            None => "lost",
            Some(ConnectionError::Tls(TlsError::Truncated)) => "lost: truncated",
            Some(_) => "lost: otherwise",
        });
        Ok(())
    }
}

async fn notes_with_peer(
    client: &ClientContext,
    server: &ServerContext,
) -> Result<(Transport, ByHand), Failure> {
    let (stream, peer) = plain_pair().await?;
    let client = client.clone();
    let opening =
        create_task(async move { connect_tls(stream, Notes, &client, "localhost").await })?;
    let mut peer = ByHand::server(peer, server)?;
    peer.handshake().await?;
    Ok((ok(opening.await?)?, peer))
}

async fn until_lost(transport: &Transport) {
    while !transport.is_lost() {
        sleep(Duration::from_millis(1)).await;
    }
}

pub(in super::super) fn what_is_left_is_delivered_after_the_peer_s_close_notify() -> Outcome {
    run(async {
        let (_reader, writer, mut peer) = with_peer(Timeouts::DEFAULT).await?;
        let much = vec![b'x'; 8 << 20];
        writer.write(&much)?;
        check!(writer.transport().get_write_buffer_size() > 0, "everything went out at once");
        peer.engine.close_notify();
        peer.send().await?;
        sleep(Duration::from_millis(20)).await;
        writer.close();
        let mut count = 0;
        while count < much.len() {
            let got = peer.read(1).await?.len();
            check!(got > 0, "the end came too early");
            count += got;
        }
        check_eq!(count, much.len());
        ok(writer.wait_closed().await)
    })
}

pub(in super::super) fn an_end_without_close_notify_is_an_error() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (transport, mut peer) = notes_with_peer(&client, &server).await?;
        peer.write(b"beginning").await?;
        drop(peer);
        until_lost(&transport).await;
        check_events!["made", "data", "lost: truncated"];
        let (mut reader, _writer, mut peer) = with_peer(Timeouts::DEFAULT).await?;
        peer.write(b"beginning").await?;
        drop(peer);
        let mut beginning = [0; 9];
        reader.readexactly(&mut beginning).await?;
        check_matches!(
            reader.readline().await,
            Err(ReadError::Lost(ConnectionError::Tls(TlsError::Truncated)))
        );
        Ok(())
    })
}

pub(in super::super) fn a_close_is_answered_and_both_end_without_an_error() -> Outcome {
    run(async {
        let (client, server_context) = both()?;
        // Ours first, then theirs.
        let server = echo(&server_context)?;
        let (mut reader, writer) = connect(&server, &client).await?;
        check_echo(&mut reader, &writer).await?;
        writer.close();
        ok(writer.wait_closed().await)?;
        server.close();
        server.wait_closed().await;
        sleep(Duration::from_millis(5)).await;
        check_events!["server: closed"];
        // Theirs first: it is answered before the connection ends.
        let (transport, mut peer) = notes_with_peer(&client, &server_context).await?;
        peer.engine.close_notify();
        peer.send().await?;
        check_eq!(peer.read(1).await?.len(), 0);
        check!(peer.engine.is_peer_closed(), "it is not answered");
        peer.until_the_end().await?;
        until_lost(&transport).await;
        check_events!["server: closed", "made", "eof", "lost"];
        Ok(())
    })
}

pub(in super::super) fn a_goodbye_without_an_answer_ends_in_time() -> Outcome {
    run(async {
        let timeouts = Timeouts { shutdown: Duration::from_millis(50), ..Timeouts::DEFAULT };
        let (_reader, writer, mut peer) = with_peer(timeouts).await?;
        writer.close();
        let Err(ConnectionError::Tls(TlsError::ShutdownTimeout(time))) = writer.wait_closed().await
        else {
            return Err(Failure::said("it ended otherwise"));
        };
        check_eq!(time, Duration::from_millis(50));
        // It had been said all the same.
        check_eq!(peer.read(1).await?.len(), 0);
        Ok(())
    })
}

pub(in super::super) fn abort_says_nothing() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (transport, mut peer) = notes_with_peer(&client, &server).await?;
        transport.abort();
        until_lost(&transport).await;
        check!(peer.read(1).await.is_err(), "there was a close_notify");
        check_events!["made", "lost"];
        Ok(())
    })
}

pub(in super::super) fn a_changed_record_ends_both_sides_with_an_error() -> Outcome {
    run(async {
        let (mut reader, writer, mut peer) = with_peer(Timeouts::DEFAULT).await?;
        ok(peer.engine.write(&[b"hello"]))?;
        let mut record = peer.said();
        if let Some(last) = record.last_mut() {
            *last ^= 1;
        }
        ok(peer.stream.write_all(&record).await)?;
        let failed = reader.readline().await;
        check_matches!(
            failed,
            Err(ReadError::Lost(ConnectionError::Tls(TlsError::Protocol { .. })))
        );
        check!(writer.wait_closed().await.is_err(), "the connection ended in order");
        // An alert says so.
        check!(peer.read(1).await.is_err(), "the other side was told nothing");
        Ok(())
    })
}

pub(in super::super) fn closing_a_server_s_clients_says_goodbye() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let server = echo(&server)?;
        let (mut reader, writer) = connect(&server, &client).await?;
        check_echo(&mut reader, &writer).await?;
        server.close();
        server.close_clients();
        // An end, not a truncation.
        check_eq!(ok(reader.read(&mut [0; 8]).await)?, 0);
        writer.close();
        ok(writer.wait_closed().await)?;
        server.wait_closed().await;
        Ok(())
    })
}

pub(in super::super) fn what_comes_after_close_is_dropped() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (transport, mut peer) = notes_with_peer(&client, &server).await?;
        transport.close();
        check!(peer.receive().await?, "the connection ended first");
        check!(peer.engine.is_peer_closed(), "there was no close_notify");
        // The other side goes on for a while.
        let much = vec![b'x'; 1 << 20];
        for part in much.chunks(16 * 1024) {
            peer.write(part).await?;
        }
        check!(!transport.is_lost(), "the goodbye was not waited for");
        peer.engine.close_notify();
        peer.send().await?;
        until_lost(&transport).await;
        check_events!["made", "lost"];
        Ok(())
    })
}

pub(in super::super) fn draining_to_a_broken_connection_fails() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let opening = create_task(async move {
            open_tls_streams(stream, DEFAULT_LIMIT, &client, "localhost", Timeouts::DEFAULT).await
        })?;
        let mut peer = ByHand::server(peer, &server)?;
        peer.handshake().await?;
        let (_reader, writer) = ok(opening.await?)?;
        let ByHand { stream, .. } = peer;
        break_off(stream);
        let much = vec![b'x'; 64 * 1024];
        let failed = loop {
            writer.write(&much)?;
            match writer.drain().await {
                Ok(()) => sleep(Duration::from_millis(1)).await,
                Err(error) => break error,
            }
        };
        check_matches!(failed, ConnectionError::Source(_) | ConnectionError::Tls(_));
        check!(writer.wait_closed().await.is_err(), "it ended in order");
        Ok(())
    })
}

/// Closes it with bytes unread, which resets the connection.
fn break_off(stream: TcpStream) {
    drop(stream);
}

/// Is dropped with its connection.
struct Kept(OnDrop);

impl Protocol for Kept {
    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        Ok(())
    }

    fn connection_lost(&mut self, _transport: &Transport, _error: Option<&ConnectionError>) -> Answer {
        event("lost");
        let _ = &self.0;
        Ok(())
    }
}

pub(in super::super) fn closing_the_loop_frees_connections_through_tls() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let opening = create_task(async move {
            connect_tls(stream, Kept(OnDrop("dropped")), &client, "localhost").await.map(drop)
        })?;
        let mut peer = ByHand::server(peer, &server)?;
        peer.handshake().await?;
        ok(opening.await?)?;
        check_events![];
        Ok(())
    })?;
    check_events!["dropped"];
    Ok(())
}
