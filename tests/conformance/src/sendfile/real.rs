//! Real files, and TCP on the loopback.

use crate::temporary::file_of;
use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use crate::wire::{Call, Probe, note};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use molen::io::source::{ByteSource, End, Source, SourceError};
use molen::io::{EventListener, Interest, Ready};
use molen::net::{
    AfterEof, HoldRefused, SendfileError, SendfileFallback, StreamReader, StreamWriter, TcpListener,
    TcpStream, Transport, WriteError, open_streams, sendfile,
};
use molen::sock::{SocketOperations, SocketRefused};
use molen::{Duration, sleep};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::string::ToString;
use std::vec::Vec;

fn position(mut file: &File) -> Result<u64, Failure> {
    ok(file.stream_position())
}

/// More than any connection's buffers hold.
fn much() -> Vec<u8> {
    (0..24 << 20).map(|at: u32| (at % 251) as u8).collect()
}

type Streams = (StreamReader, StreamWriter);

/// A pair of connections, of which the first has streams.
async fn pair() -> Result<(Streams, TcpStream), Failure> {
    let listener = ok(TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))))?;
    let far = ok(TcpStream::connect(ok(listener.local_addr())?).await)?;
    let (near, _peer) = ok(listener.accept().await)?;
    Ok((ok(open_streams(near, 1 << 16).await)?, far))
}

async fn read_all(stream: TcpStream) -> Result<Vec<u8>, SourceError> {
    let (mut all, mut buffer) = (Vec::new(), std::vec![0; 1 << 16]);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Whether it still waits when the others have had some turns.
async fn stalls(future: core::pin::Pin<&mut impl Future>) -> bool {
    let mut future = future;
    for _ in 0..40 {
        if !poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await {
            return false;
        }
        sleep(Duration::from_millis(1)).await;
    }
    true
}

pub(super) fn what_is_written_before_and_after_a_file_is_sent_before_and_after_it() -> Outcome {
    run(async {
        let content = much();
        let temporary = file_of("401", &content)?;
        let ((_reader, writer), far) = pair().await?;
        let received = molen::create_task(read_all(far))?;
        let before = std::vec![b'<'; 1 << 20];
        writer.write(&before)?;
        let sent = ok(sendfile(writer.transport(), &temporary.file).await)?;
        check_eq!(sent, content.len() as u64);
        check_eq!(position(&temporary.file)?, sent);
        writer.write(b">>>")?;
        writer.close();
        let received = ok(received.await?)?;
        check!(received == [&before[..], &content[..], b">>>"].concat(), "something else was received");
        ok(writer.wait_closed().await)
    })
}

pub(super) fn a_failure_before_the_first_byte_is_another_than_one_after_it() -> Outcome {
    run(async {
        let event_loop = molen::get_running_loop()?;
        let listener = ok(std::net::TcpListener::bind("127.0.0.1:0"))?;
        let near = ok(std::net::TcpStream::connect(ok(listener.local_addr())?))?;
        let (mut far, _address) = ok(listener.accept())?;
        ok(near.set_nonblocking(true))?;
        // Of a pipe the system sends nothing by itself.
        let (pipe, mut writer) = pipe()?;
        ok(writer.write_all(b"from the pipe"))?;
        drop(writer);
        let refuse = SendfileFallback::Refuse;
        let Err(error) = event_loop.sock_sendfile(&near, &pipe, 0, None, refuse).await else {
            return Err(Failure::said("a pipe was sent by the system"));
        };
        check_matches!(error.cause, SocketRefused::SendfileNotAvailable(_));
        let by_hand = SendfileFallback::ReadAndSend;
        check_eq!(ok(event_loop.sock_sendfile(&near, &pipe, 0, None, by_hand).await)?, 13);
        let mut received = [0; 13];
        ok(far.read_exact(&mut received))?;
        check_eq!(&received, b"from the pipe");
        // After some bytes it is the error itself.
        let temporary = file_of("406", &much())?;
        let error = {
            let sending = event_loop.sock_sendfile(&near, &temporary.file, 0, None, by_hand);
            let mut sending = pin!(sending);
            check!(stalls(sending.as_mut()).await, "the system took it all");
            drop(far);
            sending.await
        };
        let Err(error) = error else { return Err(Failure::said("nobody noticed")) };
        check_matches!(error.cause, SocketRefused::Os(_));
        check!(position(&temporary.file)? > 0, "nothing was sent");
        Ok(())
    })
}

/// A pipe to read from, as a file, and its other end.
fn pipe() -> Result<(File, std::io::PipeWriter), Failure> {
    let (reader, writer) = ok(std::io::pipe())?;
    #[cfg(unix)]
    let file = File::from(std::os::fd::OwnedFd::from(reader));
    #[cfg(windows)]
    let file = File::from(std::os::windows::io::OwnedHandle::from(reader));
    Ok((file, writer))
}

pub(super) fn a_file_is_sent_in_part_and_stands_where_that_ends() -> Outcome {
    run(async {
        let content: Vec<u8> = (0..10_000).map(|at: u32| (at % 251) as u8).collect();
        let temporary = file_of("1990", &content)?;
        let file = &temporary.file;
        let ((_reader, writer), far) = pair().await?;
        let received = molen::create_task(read_all(far))?;
        let transport = writer.transport();
        check_eq!(ok(sendfile(transport, file).await)?, 10_000);
        check_eq!(position(file)?, 10_000);
        check_eq!(ok(sendfile(transport, file).offset(100).count(1_000).await)?, 1_000);
        check_eq!(position(file)?, 1_100);
        check_eq!(ok(sendfile(transport, file).offset(9_990).count(1_000).await)?, 10);
        check_eq!(position(file)?, 10_000);
        ok((&temporary.file).seek(SeekFrom::Start(3)))?;
        check_eq!(ok(sendfile(transport, file).offset(20_000).await)?, 0);
        check_eq!(ok(sendfile(transport, file).count(0).await)?, 0);
        check_eq!(position(file)?, 3);
        writer.close();
        let sent = [&content[..], &content[100..1_100], &content[9_990..]].concat();
        check!(ok(received.await?)? == sent, "something else was received");
        Ok(())
    })
}

pub(super) fn while_a_file_is_sent_others_may_not_write_but_read() -> Outcome {
    run(async {
        let content = much();
        let temporary = file_of("1991", &content)?;
        let ((mut reader, writer), far) = pair().await?;
        let sending = sendfile(writer.transport(), &temporary.file).into_future();
        let mut sending = pin!(sending);
        check!(stalls(sending.as_mut()).await, "the system took it all");
        check_eq!(writer.write(b"x"), Err(WriteError::SendfileInProgress));
        check_eq!(writer.writelines(&[]), Err(WriteError::SendfileInProgress));
        let second = sendfile(writer.transport(), &temporary.file).await;
        check_matches!(second, Err(SendfileError::Refused(HoldRefused::InProgress)));
        // Reading goes on, as two who send each other files need.
        ok(far.write_all(b"meanwhile\n").await)?;
        let read = molen::create_task(async move { reader.readline().await })?;
        check!(stalls(sending.as_mut()).await, "the system took it all");
        check_eq!(read.await?.unwrap_or_default(), b"meanwhile\n");
        let received = molen::create_task(read_all(far))?;
        check_eq!(ok(sending.await)?, content.len() as u64);
        writer.write(b"end")?;
        writer.close();
        check!(ok(received.await?)?.ends_with(b"end"), "what was written after is missing");
        Ok(())
    })
}

pub(super) fn closing_waits_for_the_file_and_aborting_does_not() -> Outcome {
    run(async {
        let content = much();
        let temporary = file_of("1992", &content)?;
        // An end of writing, and a close, come after the file.
        for end in [StreamWriter::close as fn(&StreamWriter), |writer| {
            let _ = writer.write_eof();
        }] {
            let ((_reader, writer), far) = pair().await?;
            let sending = sendfile(writer.transport(), &temporary.file).into_future();
            let mut sending = pin!(sending);
            check!(stalls(sending.as_mut()).await, "the system took it all");
            end(&writer);
            let received = molen::create_task(read_all(far))?;
            check_eq!(ok(sending.await)?, content.len() as u64);
            check!(ok(received.await?)? == content, "something else was received");
        }
        let ((_reader, writer), _far) = pair().await?;
        let sending = sendfile(writer.transport(), &temporary.file).into_future();
        let mut sending = pin!(sending);
        check!(stalls(sending.as_mut()).await, "the system took it all");
        writer.transport().abort();
        check_matches!(sending.await, Err(SendfileError::Lost(_)));
        let again = sendfile(writer.transport(), &temporary.file).await;
        check_matches!(again, Err(SendfileError::Refused(HoldRefused::Closing)));
        Ok(())
    })
}

pub(super) fn a_cancelled_file_leaves_the_connection_alive() -> Outcome {
    run(async {
        let content = much();
        let temporary = file_of("1993", &content)?;
        let ((_reader, writer), far) = pair().await?;
        {
            let sending = sendfile(writer.transport(), &temporary.file).into_future();
            let mut sending = pin!(sending);
            check!(stalls(sending.as_mut()).await, "the system took it all");
        }
        let sent = usize::try_from(position(&temporary.file)?).unwrap_or(0);
        check!(sent > 3 && sent < content.len(), "the position does not tell what was sent");
        writer.write(b"and on")?;
        writer.close();
        let received = ok(read_all(far).await)?;
        check!(received == [&content[..sent], b"and on"].concat(), "something else was received");
        Ok(())
    })
}

pub(super) fn a_peer_that_goes_in_the_middle_is_an_error() -> Outcome {
    run(async {
        let temporary = file_of("1994", &much())?;
        let ((_reader, writer), far) = pair().await?;
        let sending = sendfile(writer.transport(), &temporary.file).into_future();
        let mut sending = pin!(sending);
        check!(stalls(sending.as_mut()).await, "the system took it all");
        ok(far.write_all(b"unread by nobody").await)?;
        drop(far);
        let Err(error) = sending.await else { return Err(Failure::said("nobody noticed")) };
        check_matches!(&error, SendfileError::Lost(_));
        check!(error.to_string().starts_with("cannot send the file over the connection: the "), "the error does not say what");
        check!(writer.drain().await.is_err(), "the connection lives on");
        Ok(())
    })
}

pub(super) fn a_pipe_is_read_and_written_unless_that_is_refused() -> Outcome {
    run(async {
        let (pipe, mut end) = pipe()?;
        ok(end.write_all(b"from the pipe"))?;
        drop(end);
        let ((_reader, writer), far) = pair().await?;
        let refused = sendfile(writer.transport(), &pipe).fallback(SendfileFallback::Refuse).await;
        let Err(error) = refused else { return Err(Failure::said("the system sent a pipe")) };
        check_matches!(&error, SendfileError::NotAvailable(_));
        check_eq!(error.kind(), ErrorKind::Unsupported);
        let Err(error) = sendfile(writer.transport(), &pipe).offset(5).await else {
            return Err(Failure::said("a pipe was read from its middle"));
        };
        check_eq!(error.kind(), ErrorKind::NotSeekable);
        check_eq!(ok(sendfile(writer.transport(), &pipe).count(4).await)?, 4);
        check_eq!(ok(sendfile(writer.transport(), &pipe).await)?, 9);
        writer.close();
        check_eq!(ok(read_all(far).await)?, b"from the pipe");
        Ok(())
    })
}

pub(super) fn a_file_that_is_cut_off_meanwhile_ends_early() -> Outcome {
    run(async {
        let content = much();
        let temporary = file_of("1996", &content)?;
        let ((_reader, writer), far) = pair().await?;
        let sending = sendfile(writer.transport(), &temporary.file).into_future();
        let mut sending = pin!(sending);
        check!(stalls(sending.as_mut()).await, "the system took it all");
        // Pages that the system has queued already are the file's own: zero now, or as they were.
        ok(temporary.file.set_len(20 << 20))?;
        let received = molen::create_task(read_all(far))?;
        let sent = ok(sending.await)?;
        check_eq!(sent, 20 << 20);
        writer.close();
        check_eq!(ok(received.await?)?.len() as u64, sent);
        Ok(())
    })
}

/// A connection of which the system knows nothing, as one through TLS.
struct Wrapped(TcpStream);

impl Source for Wrapped {
    fn poll_ready(&self, cx: &mut core::task::Context<'_>, interest: Interest) -> Poll<()> {
        self.0.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.0.known_ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.0.listen(listener)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        self.0.address(end)
    }
}

impl ByteSource for Wrapped {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.0.try_read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.0.try_write(bytes)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        self.0.shutdown()
    }
}

pub(super) fn connections_without_a_socket_get_their_files_by_hand() -> Outcome {
    run(async {
        let content = much();
        let temporary = file_of("1997", &content)?;
        let listener = ok(TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))))?;
        let far = ok(TcpStream::connect(ok(listener.local_addr())?).await)?;
        let (near, _peer) = ok(listener.accept().await)?;
        let reaction = |_transport: &Transport, call: Call<'_>| {
            // It is paused and resumed while pieces of the file wait.
            if !matches!(call, Call::Pause | Call::Resume) {
                note(&call);
            }
            Ok(AfterEof::KeepOpen)
        };
        let event_loop = molen::get_running_loop()?;
        let transport = Transport::new(&event_loop, Wrapped(near), Probe(reaction))?;
        let refuse = SendfileFallback::Refuse;
        let refused = sendfile(&transport, &temporary.file).fallback(refuse).await;
        check_matches!(refused, Err(SendfileError::NotAvailable(_)));
        transport.write(b"<")?;
        let received = molen::create_task(read_all(far))?;
        let sent = ok(sendfile(&transport, &temporary.file).offset(1).await)?;
        check_eq!(sent, content.len() as u64 - 1);
        check_eq!(position(&temporary.file)?, content.len() as u64);
        check_eq!(transport.get_write_buffer_size(), 0);
        transport.write(b">")?;
        transport.close();
        let received = ok(received.await?)?;
        check!(received == [b"<", &content[1..], b">"].concat(), "something else was received");
        while !transport.is_lost() {
            sleep(Duration::from_millis(1)).await;
        }
        check_events!["made", "lost"];
        Ok(())
    })
}

pub(super) fn a_connection_that_ends_sends_no_file() -> Outcome {
    run(async {
        let temporary = file_of("1998", b"never sent")?;
        let ((_reader, writer), _far) = pair().await?;
        writer.write_eof()?;
        let late = sendfile(writer.transport(), &temporary.file).await;
        check_matches!(late, Err(SendfileError::Refused(HoldRefused::AfterEof)));
        writer.close();
        let late = sendfile(writer.transport(), &temporary.file).await;
        check_matches!(late, Err(SendfileError::Refused(_)));
        check_eq!(position(&temporary.file)?, 3);
        Ok(())
    })
}
