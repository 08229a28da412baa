//! Connections that somebody else has accepted.

use super::authority::both;
use super::by_hand::ByHand;
use super::handshake::plain_pair;
use crate::case::Outcome;
use crate::fixture::event;
use crate::real::{ok, run};
use molen::create_task;
use molen::net::{AfterEof, Answer, ConnectionError, Protocol, Transport};
use molen::tls::connect_accepted_tls;

/// Says what it is told, and answers in capitals.
struct Louder;

impl Protocol for Louder {
    fn connection_made(&mut self, _transport: &Transport) -> Answer {
        event("made");
        Ok(())
    }

    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        event("data");
        transport.write(&data.to_ascii_uppercase())?;
        Ok(())
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        event("eof");
        Ok(AfterEof::Close)
    }

    fn connection_lost(&mut self, _transport: &Transport, error: Option<&ConnectionError>) -> Answer {
        event(if error.is_none() { "lost" } else { "lost by an error" });
        Ok(())
    }
}

pub(in super::super) fn an_accepted_connection_is_served_through_tls() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let context = server.clone();
        let connecting = create_task(async move {
            connect_accepted_tls(stream, Louder, &context).await
        })?;
        let mut peer = ByHand::client(peer, &client)?;
        peer.handshake().await?;
        peer.write(b"hello").await?;
        check_eq!(peer.read(5).await?, b"HELLO");
        let transport = ok(connecting.await?)?;
        peer.engine.close_notify();
        peer.send().await?;
        peer.until_the_end().await?;
        while !transport.is_lost() {
            molen::yield_now().await;
        }
        check_events!["made", "data", "eof", "lost"];
        Ok(())
    })
}
