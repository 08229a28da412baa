//! Looking at what comes before deciding that it is TLS.

use super::authority::both;
use super::by_hand::ByHand;
use super::handshake::plain_pair;
use crate::case::Outcome;
use crate::real::{ok, run};
use molen::create_task;
use molen::net::{DEFAULT_LIMIT, open_streams};

/// The first byte of every handshake.
const HANDSHAKE: u8 = 22;

pub(in super::super) fn what_was_looked_at_belongs_to_the_handshake() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let mut peer = ByHand::client(peer, &client)?;
        let (mut reader, mut writer) = ok(open_streams(stream, DEFAULT_LIMIT).await)?;
        let serving = create_task(async move {
            // One port for those who speak TLS and those who do not.
            let begins = ok(reader.fill_buf().await)?.first().copied();
            check_eq!(begins, Some(HANDSHAKE));
            ok(writer.start_tls_server_side(&server).await)?;
            check_eq!(ok(reader.readline().await)?, b"hello\n");
            Ok(())
        })?;
        peer.handshake().await?;
        peer.write(b"hello\n").await?;
        serving.await?
    })
}
