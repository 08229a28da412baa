//! `sock_recv` and its family.

use super::fixture::{datagrams, join, ok, peer, run, sockets};
use crate::case::Outcome;
use crate::fixture::event;
use molen::LoopRef;
use molen::sock::SocketOperations;
use std::io::{Read, Write};
use std::sync::mpsc::channel;

pub(super) fn receiving_waits_for_the_peer_and_ends_with_it() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        let (go, gone) = channel();
        let thread = peer(far, move |mut far| {
            // The loop waits by now, or will find the bytes there: both are right.
            let _ = gone.recv();
            far.write_all(b"hello")?;
            let mut answer = [0; 2];
            far.read_exact(&mut answer)?;
            Ok(answer)
        })?;
        let inner = event_loop.clone();
        let greeting = event_loop.create_task(async move {
            let mut all = std::vec::Vec::new();
            event("receive");
            while all.len() < 5 {
                all.extend(ok(inner.sock_recv(&near, 5 - all.len()).await)?);
            }
            event("received");
            Ok::<_, crate::Failure>((near, all))
        })?;
        molen::yield_now().await;
        check_events!["receive"];
        ok(go.send(()))?;
        let (near, all) = greeting.await??;
        check_eq!(all, b"hello");
        check_events!["receive", "received"];
        ok(event_loop.sock_sendall(&near, b"ok").await)?;
        check_eq!(join(thread)?, *b"ok");
        check_eq!(ok(event_loop.sock_recv(&near, 5).await)?, b"");
        check_eq!(ok(event_loop.sock_recv(&near, 5).await)?, b"");
        Ok(())
    })
}

pub(super) fn receiving_into_a_buffer_fills_what_there_is() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        let mut buffer = [b'.'; 8];
        ok(far.send(b"abc"))?;
        check_eq!(ok(event_loop.sock_recv_into(&near, &mut buffer).await)?, 3);
        check_eq!(&buffer, b"abc.....");
        ok(far.send(b"more than there is room for"))?;
        check_eq!(ok(event_loop.sock_recv_into(&near, &mut buffer).await)?, 8);
        check_eq!(&buffer, b"more tha");
        drop(far);
        let mut rest = 0;
        loop {
            match ok(event_loop.sock_recv_into(&near, &mut buffer).await)? {
                0 => break,
                count => rest += count,
            }
        }
        check_eq!(rest, b"n there is room for".len());
        Ok(())
    })
}

pub(super) fn datagrams_come_with_their_senders() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, near_address) = datagrams()?;
        let (far, far_address) = datagrams()?;
        let inner = event_loop.clone();
        let receiving = event_loop
            .create_task(async move { (inner.sock_recvfrom(&near, 100).await, near) })?;
        molen::yield_now().await;
        check_eq!(ok(event_loop.sock_sendto(&far, b"to you", near_address).await)?, 6);
        let (received, near) = receiving.await?;
        let (bytes, sender) = ok(received)?;
        check_eq!(bytes, b"to you");
        check_eq!(sender.as_socket(), Some(far_address));
        // None at all is a datagram like another.
        check_eq!(ok(event_loop.sock_sendto(&near, b"", sender).await)?, 0);
        let (bytes, sender) = ok(event_loop.sock_recvfrom(&far, 100).await)?;
        check_eq!(bytes, b"");
        check_eq!(sender.as_socket(), Some(near_address));
        Ok(())
    })
}

pub(super) fn no_bytes_stand_for_the_whole_buffer() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, near_address) = datagrams()?;
        let (far, far_address) = datagrams()?;
        let mut buffer = [b'.'; 8];
        ok(event_loop.sock_sendto(&far, b"12345678", near_address).await)?;
        let (count, sender) = ok(event_loop.sock_recvfrom_into(&near, &mut buffer, 0).await)?;
        check_eq!((count, sender.as_socket()), (8, Some(far_address)));
        check_eq!(&buffer, b"12345678");
        ok(event_loop.sock_sendto(&far, b"abcd", near_address).await)?;
        let (count, _sender) = ok(event_loop.sock_recvfrom_into(&near, &mut buffer, 4).await)?;
        check_eq!(count, 4);
        check_eq!(&buffer, b"abcd5678");
        Ok(())
    })
}
