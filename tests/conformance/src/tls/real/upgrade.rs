//! Connections that begin in plain text.

use super::authority::{ANY, both};
use super::by_hand::ByHand;
use super::handshake::{check_echo, plain_pair, until_gone};
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::real::{ok, run};
use molen::net::{
    Answer, ConnectionError, DEFAULT_LIMIT, Protocol, Server, Start, StreamReader, StreamWriter,
    TcpListener, TcpStream, Transport, connect_accepted_socket, open_streams, start_stream_server,
};
use molen::testing::drop_at_every_poll;
use molen::tls::{ClientSide, ServerContext, TlsError, start_tls};
use molen::{Duration, create_task, sleep};
use std::string::String;
use std::vec;

/// Notes what it is told.
struct Notes(&'static str);

impl Protocol for Notes {
    fn connection_made(&mut self, _transport: &Transport) -> Answer {
        event("made");
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        event(if data == b"hello" { "hello" } else { "data" });
        Ok(())
    }

    fn connection_lost(&mut self, _transport: &Transport, error: Option<&ConnectionError>) -> Answer {
        event(if error.is_none() { self.0 } else { "lost by an error" });
        Ok(())
    }
}

pub(in super::super) fn an_upgraded_protocol_is_told_of_one_connection() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let plain = ok(connect_accepted_socket(stream, Notes("lost below")).await)?;
        let upgrading = create_task(async move {
            start_tls(&plain, Notes("lost above"), &client, "localhost").await
        })?;
        let mut peer = ByHand::server(peer, &server)?;
        peer.handshake().await?;
        let transport = ok(upgrading.await?)?;
        peer.write(b"hello").await?;
        peer.engine.close_notify();
        peer.send().await?;
        peer.until_the_end().await?;
        while !transport.is_lost() {
            sleep(Duration::from_millis(1)).await;
        }
        check_events!["made", "hello", "lost above"];
        Ok(())
    })
}

pub(in super::super) fn an_upgrade_that_takes_too_long_ends_the_connection() -> Outcome {
    run(async {
        let (client, _server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let plain = ok(connect_accepted_socket(stream, Notes("lost below")).await)?;
        let limit = Duration::from_millis(20);
        let upgraded =
            start_tls(&plain, Notes("lost above"), &client, "localhost").handshake_timeout(limit);
        check_matches!(upgraded.await, Err(TlsError::HandshakeTimeout(_)));
        until_gone(&peer).await;
        sleep(Duration::from_millis(1)).await;
        check!(plain.is_lost(), "the connection below is there yet");
        check_events!["made"];
        Ok(())
    })
}

/// A server that agrees to one line, `STARTTLS`, and then sends back what comes.
fn upgrading(context: ServerContext) -> Result<Server, Failure> {
    let listener = ok(TcpListener::bind(ANY))?;
    let handler = move |mut reader: StreamReader, mut writer: StreamWriter| {
        let context = context.clone();
        async move {
            match reader.readline().await {
                Ok(line) if line == b"STARTTLS\n" => {}
                _ => return,
            }
            if writer.write(b"go ahead\n").is_err()
                || writer.start_tls_server_side(&context).await.is_err()
            {
                event("server: no handshake");
                return;
            }
            let mut buffer = [0; 512];
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                if writer.write(&buffer[..count]).is_err() {
                    return;
                }
            }
            writer.close();
            let ended = writer.wait_closed().await;
            event(if ended.is_ok() { "server: closed" } else { "server: failed" });
        }
    };
    ok(start_stream_server([listener], handler, DEFAULT_LIMIT, Start::Now))
}

pub(in super::super) fn what_came_before_an_upgrade_belongs_to_the_handshake() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let server = upgrading(server)?;
        let stream = ok(TcpStream::connect(server.addresses()[0]).await)?;
        let mut peer = ByHand::client(stream, &client)?;
        // The agreement is not waited for: all of it comes in one piece.
        let mut eager = b"STARTTLS\n".to_vec();
        eager.extend(peer.said());
        ok(peer.stream.write_all(&eager).await)?;
        let mut agreed = [0; 9];
        let mut count = 0;
        while count < agreed.len() {
            count += ok(peer.stream.read(&mut agreed[count..]).await)?;
        }
        check_eq!(&agreed, b"go ahead\n");
        peer.handshake().await?;
        peer.write(b"hello").await?;
        check_eq!(peer.read(5).await?, b"hello");
        peer.engine.close_notify();
        peer.send().await?;
        peer.until_the_end().await?;
        sleep(Duration::from_millis(5)).await;
        check_events!["server: closed"];
        Ok(())
    })
}

pub(in super::super) fn what_was_lent_before_an_upgrade_is_not_read_after_it() -> Outcome {
    run(async {
        let (client, _server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let (mut reader, mut writer) = ok(open_streams(stream, DEFAULT_LIMIT).await)?;
        ok(peer.write_all(b"go ahead\nslipped in").await)?;
        // Looked at, and nothing of it said to be read: so it is no handshake's beginning.
        check!(ok(reader.fill_buf().await)?.starts_with(b"go"), "something else was lent");
        let upgraded = writer.start_tls(&client, "localhost").await;
        check!(upgraded.is_err(), "plain text was a handshake");
        check!(reader.readline().await.is_err(), "plain text was read as if it had been secured");
        Ok(())
    })
}

/// Asks `server` for TLS, and gets it.
async fn ask(
    address: core::net::SocketAddr,
    context: &impl ClientSide,
) -> Result<(StreamReader, StreamWriter), TlsError> {
    let lost = |_| TlsError::Truncated;
    let stream = TcpStream::connect(address).await.map_err(|_| TlsError::Truncated)?;
    let (mut reader, mut writer) = open_streams(stream, DEFAULT_LIMIT).await.map_err(lost)?;
    writer.write(b"STARTTLS\n").map_err(|_| TlsError::Truncated)?;
    let answer = reader.readline().await.map_err(|_| TlsError::Truncated)?;
    if answer != b"go ahead\n" {
        return Err(TlsError::Truncated);
    }
    writer.start_tls(context, "localhost").await?;
    Ok((reader, writer))
}

pub(in super::super) fn plain_text_slipped_in_behind_an_agreement_is_an_error() -> Outcome {
    run(async {
        let (client, _server) = both()?;
        let listener = ok(TcpListener::bind(ANY))?;
        let address = ok(listener.local_addr())?;
        let attacker = create_task(async move {
            let (stream, _address) = ok(listener.accept().await)?;
            ok(stream.write_all(b"go ahead\nRCPT TO: somebody else\n").await)?;
            until_gone(&stream).await;
            Outcome::Ok(())
        })?;
        let stream = ok(TcpStream::connect(address).await)?;
        let (mut reader, mut writer) = ok(open_streams(stream, DEFAULT_LIMIT).await)?;
        check_eq!(ok(reader.readline().await)?, b"go ahead\n");
        let upgraded = writer.start_tls(&client, "localhost").await;
        check_matches!(upgraded, Err(TlsError::Protocol { .. }));
        // And nobody reads what was slipped in.
        let mut buffer = [0; 64];
        check!(reader.read(&mut buffer).await.is_err(), "plain text was read");
        check!(writer.wait_closed().await.is_err(), "it ended in order");
        attacker.await??;
        Ok(())
    })
}

pub(in super::super) fn upgrading_can_be_dropped_at_every_poll() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let server = upgrading(server)?;
        let address = server.addresses()[0];
        let polls = drop_at_every_poll(|| ask(address, &client), async |point| {
            if let Some(output) = point.output() {
                let (mut reader, writer) = ok(output)?;
                check_echo(&mut reader, &writer).await?;
                writer.close();
                ok(writer.wait_closed().await)?;
            }
            while server.client_count() > 0 {
                sleep(Duration::from_millis(1)).await;
            }
            Outcome::Ok(())
        })
        .await?;
        check!(polls >= 4, "it took less than a connection, an answer and a handshake");
        Ok(())
    })
}

pub(in super::super) fn an_upgrade_writes_what_was_waiting_first() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let plain = ok(connect_accepted_socket(stream, Notes("lost below")).await)?;
        let much = vec![b'x'; 4 << 20];
        plain.write(&much)?;
        check!(plain.get_write_buffer_size() > 0, "everything went out at once");
        let upgrading = create_task(async move {
            start_tls(&plain, Notes("lost above"), &client, "localhost").await
        })?;
        let mut buffer = vec![0; 64 * 1024];
        let mut left = much.len();
        while left > 0 {
            let wanted = left.min(buffer.len());
            let count = ok(peer.read(&mut buffer[..wanted]).await)?;
            check!(buffer[..count].iter().all(|byte| *byte == b'x'), "TLS came too early");
            left -= count;
        }
        let mut peer = ByHand::server(peer, &server)?;
        peer.handshake().await?;
        ok(upgrading.await?)?.write(b"hello")?;
        check_eq!(String::from_utf8_lossy(&peer.read(5).await?), "hello");
        Ok(())
    })
}
