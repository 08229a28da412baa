//! `sock_sendall`.

use super::fixture::{err, join, ok, peer, run, sockets};
use crate::case::Outcome;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use molen::LoopRef;
use molen::sock::SocketOperations;
use std::future::Future;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::channel;
use std::vec::Vec;

/// More than sockets keep, and not the same everywhere.
pub(super) fn much() -> Vec<u8> {
    (0..8 << 20).map(|at: u32| (at % 251) as u8).collect()
}

pub(super) fn sending_all_waits_for_a_slow_reader() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        let (go, gone) = channel();
        let thread = peer(far, move |mut far| {
            let _ = gone.recv();
            let mut all = Vec::new();
            far.read_to_end(&mut all).map(|_count| all)
        })?;
        let all = much();
        {
            let mut sending = pin!(event_loop.sock_sendall(&near, &all));
            // It cannot be done while nobody reads.
            for _ in 0..3 {
                let pending =
                    poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending())).await;
                check!(pending, "the system took it all");
                molen::yield_now().await;
            }
            ok(go.send(()))?;
            ok(sending.await)?;
        }
        drop(near);
        check!(join(thread)? == all, "something else was received");
        Ok(())
    })
}

pub(super) fn a_broken_connection_is_an_error_and_no_signal() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        drop(far);
        let all = much();
        let error = err(event_loop.sock_sendall(&near, &all).await)?;
        check_matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
        );
        check_eq!(error.operation, "send to");
        Ok(())
    })
}
