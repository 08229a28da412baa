//! `sock_sendfile`.

use super::fixture::{datagrams, err, join, ok, peer, run, sockets};
use crate::temporary::file_of;
use crate::case::{Failure, Outcome};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use molen::LoopRef;
use molen::sock::{SendfileFallback, SocketOperations, SocketRefused};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::vec::Vec;

const BY_HAND_TOO: SendfileFallback = SendfileFallback::ReadAndSend;

/// A pipe to read from, as a file, and the thread that writes `content` into it.
fn pipe_of(content: &'static [u8]) -> Result<(File, JoinHandle<std::io::Result<()>>), Failure> {
    let (reader, mut writer) = ok(std::io::pipe())?;
    let thread = thread::spawn(move || {
        for piece in content.chunks(7) {
            writer.write_all(piece)?;
        }
        Ok(())
    });
    #[cfg(unix)]
    let file = File::from(std::os::fd::OwnedFd::from(reader));
    #[cfg(windows)]
    let file = File::from(std::os::windows::io::OwnedHandle::from(reader));
    Ok((file, thread))
}

fn position(mut file: &File) -> Result<u64, Failure> {
    ok(file.stream_position())
}

pub(super) fn a_file_is_sent_whole_or_in_part() -> Outcome {
    run(async |event_loop: LoopRef| {
        let content: Vec<u8> = (0..10_000).map(|at: u32| (at % 251) as u8).collect();
        let temporary = file_of("parts", &content)?;
        let (near, far) = sockets()?;
        let send = async |offset, count| {
            ok(event_loop.sock_sendfile(&near, &temporary.file, offset, count, BY_HAND_TOO).await)
        };
        check_eq!(send(0, None).await?, 10_000);
        check_eq!(position(&temporary.file)?, 10_000);
        check_eq!(send(100, Some(1_000)).await?, 1_000);
        check_eq!(position(&temporary.file)?, 1_100);
        check_eq!(send(9_990, Some(1_000)).await?, 10);
        check_eq!(position(&temporary.file)?, 10_000);
        ok((&temporary.file).seek(SeekFrom::Start(3)))?;
        check_eq!(send(20_000, None).await?, 0);
        check_eq!(send(0, Some(0)).await?, 0);
        check_eq!(position(&temporary.file)?, 3);
        drop(near);
        let received = join(peer(far, |mut far| {
            let mut all = Vec::new();
            far.read_to_end(&mut all).map(|_count| all)
        })?)?;
        let sent = [&content[..], &content[100..1_100], &content[9_990..]].concat();
        check!(received == sent, "something else was received");
        Ok(())
    })
}

pub(super) fn a_large_file_waits_for_a_slow_reader() -> Outcome {
    run(async |event_loop: LoopRef| {
        let content = super::sending::much();
        let temporary = file_of("large", &content)?;
        let (near, far) = sockets()?;
        let (go, gone) = channel();
        let thread = peer(far, move |mut far| {
            let _ = gone.recv();
            let mut all = Vec::new();
            far.read_to_end(&mut all).map(|_count| all)
        })?;
        {
            let sending =
                event_loop.sock_sendfile(&near, &temporary.file, 1, None, BY_HAND_TOO);
            let mut sending = pin!(sending);
            for _ in 0..3 {
                let pending =
                    poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending())).await;
                check!(pending, "the system took it all");
                molen::yield_now().await;
            }
            ok(go.send(()))?;
            check_eq!(ok(sending.await)?, content.len() as u64 - 1);
        }
        drop(near);
        check!(join(thread)? == content[1..], "something else was received");
        Ok(())
    })
}

pub(super) fn a_pipe_is_read_and_sent() -> Outcome {
    const CONTENT: &[u8] = b"there is no file of which this would be a part";
    run(async |event_loop: LoopRef| {
        let (pipe, thread) = pipe_of(CONTENT)?;
        let (near, far) = sockets()?;
        let error = err(event_loop.sock_sendfile(&near, &pipe, 5, None, BY_HAND_TOO).await)?;
        check_matches!(&error.cause, SocketRefused::File(_));
        check_eq!(error.kind(), ErrorKind::NotSeekable);
        let part = event_loop.sock_sendfile(&near, &pipe, 0, Some(10), BY_HAND_TOO).await;
        check_eq!(ok(part)?, 10);
        let rest = event_loop.sock_sendfile(&near, &pipe, 0, None, BY_HAND_TOO).await;
        check_eq!(ok(rest)?, CONTENT.len() as u64 - 10);
        join(thread)?;
        drop(near);
        let received = join(peer(far, |mut far| {
            let mut all = Vec::new();
            far.read_to_end(&mut all).map(|_count| all)
        })?)?;
        check!(received == CONTENT, "something else was received");
        Ok(())
    })
}

pub(super) fn without_a_fallback_a_pipe_is_refused() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (pipe, thread) = pipe_of(b"unread")?;
        let (near, _far) = sockets()?;
        let refuse = SendfileFallback::Refuse;
        let error = err(event_loop.sock_sendfile(&near, &pipe, 0, None, refuse).await)?;
        check_matches!(&error.cause, SocketRefused::SendfileNotAvailable(_));
        let temporary = file_of("native", b"a file on a disk")?;
        let sent = event_loop.sock_sendfile(&near, &temporary.file, 2, Some(4), refuse).await;
        if cfg!(target_os = "linux") {
            check_eq!(ok(sent)?, 4);
        } else {
            check_eq!(err(sent)?.kind(), ErrorKind::Unsupported);
        }
        drop(pipe);
        // Nobody read it: the writer was done, or finds out.
        drop(thread.join());
        Ok(())
    })
}

pub(super) fn files_are_sent_on_streams_only() -> Outcome {
    run(async |event_loop: LoopRef| {
        let temporary = file_of("datagram", b"not in one piece")?;
        let (socket, _address) = datagrams()?;
        let sent = event_loop.sock_sendfile(&socket, &temporary.file, 0, None, BY_HAND_TOO).await;
        check_matches!(err(sent)?.cause, SocketRefused::NotAStream);
        Ok(())
    })
}

pub(super) fn a_cancelled_file_stands_where_it_was_sent_to() -> Outcome {
    run(async |event_loop: LoopRef| {
        let content = super::sending::much();
        let temporary = file_of("cancelled", &content)?;
        let (near, far) = sockets()?;
        {
            let sending = event_loop.sock_sendfile(&near, &temporary.file, 5, None, BY_HAND_TOO);
            // Until the system has no more room.
            let stuck = molen::timeout(molen::Duration::from_millis(50), sending).await;
            check!(stuck.is_err(), "the system took it all");
        }
        drop(near);
        let received = join(peer(far, |mut far| {
            let mut all = Vec::new();
            far.read_to_end(&mut all).map(|_count| all)
        })?)?;
        check!(!received.is_empty(), "nothing was sent");
        check!(received == content[5..][..received.len()], "something else was received");
        check_eq!(position(&temporary.file)?, 5 + received.len() as u64);
        Ok(())
    })
}
