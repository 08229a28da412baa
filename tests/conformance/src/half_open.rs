//! Peers that vanish without a word: the system asks whether they are there
//! (`set_keepalive`), or waits for what was sent to be confirmed
//! (`set_user_timeout`), and in the end reading fails with a time-out. Our own
//! from 2150; that a system does so is seen in `std-backend/tests/hostile.rs`,
//! where a network can be taken down.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{event, test};
use crate::wire::{Call, batches, check_written, connect, note, source, wake};
use molen::io::Ready;
use molen::io::source::SourceError;
use molen::net::{AfterEof, Answer, ConnectionError, Flow, PullReader, ReadError, Transport};
use molen::testing::{Fault, Told};

macro_rules! cases {
    ($($heap:literal $name:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            case!(2150, a_vanished_peer_is_told_once_and_what_it_had_said_is_there),
            case!(2151, a_pull_reader_keeps_what_a_vanished_peer_had_said),
            $(Case { number: $heap, name: stringify!($name), run: on_heap::$name },)*
        ];

        #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
        mod on_heap {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported("streams need a heap"))
            })*
        }
    };
}
cases! {
    2152 streams_of_a_vanished_peer_all_fail_with_the_time_out
}

/// What the system says of a peer that does not answer.
const VANISHED: Fault = Fault::Fails(SourceError::TimedOut);

fn noting(_transport: &Transport, call: Call<'_>) -> Answer<AfterEof> {
    match call {
        Call::Lost(Some(ConnectionError::Source(SourceError::TimedOut))) => {
            event("lost: timed out");
        }
        call => note(&call),
    }
    Ok(AfterEof::Close)
}

fn a_vanished_peer_is_told_once_and_what_it_had_said_is_there() -> Outcome {
    let event_loop = new_loop!();
    for told in [Told::ByEvents, Told::ByWaiting] {
        let reads = &[Fault::Data(b"a"), Fault::WouldBlock, Fault::Data(b"b"), VANISHED, VANISHED];
        let source = source(reads, &[Fault::Takes(1), Fault::WouldBlock, Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let transport = connect(&event_loop, source, told, noting)?;
            batches(3).await;
            transport.write(b"xyz")?;
            batches(3).await;
            check_events!["made", "a"];
            // Meanwhile nobody answers; the last words, and then that nobody is there.
            source.set_ready(Ready::READABLE);
            batches(4).await;
            check_events!["made", "a", "b", "lost: timed out"];
            check!(transport.is_lost() && transport.is_closing(), "it is not lost");
            check_eq!(transport.write(b"!")?, Flow::Dropped);
            // What was not sent is not sent any more, and nothing is told again.
            wake(source).await;
            check_written(source, b"x")?;
            check_eq!(source.closed(), 1);
            // The peer's doing, not a fault of the program.
            check_eq!(test().backend.report_count(), 0);
            Outcome::Ok(())
        })??;
        check_events!["made", "a", "b", "lost: timed out"];
        test().log.clear();
    }
    Ok(())
}

fn a_pull_reader_keeps_what_a_vanished_peer_had_said() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"hel"), Fault::WouldBlock, VANISHED, VANISHED], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 8]);
        let mut reader = PullReader::new(&user, &mut room);
        crate::dropping_all::soon(|| crate::dropping_all::soon(|| source.set_ready(Ready::BOTH)));
        let failed = reader.readline().await;
        check_matches!(
            failed,
            Err(ReadError::Lost(ConnectionError::Source(SourceError::TimedOut)))
        );
        // No half line is taken for a whole one, and none is forgotten.
        check_eq!(reader.buffer(), b"hel");
        check!(!reader.at_eof(), "a peer that vanished has ended its output");
        check_eq!(reader.readexactly(3).await?, b"hel");
        check_eq!(reader.read(&mut [0; 4]).await, Err(SourceError::TimedOut));
        Ok::<_, Failure>(())
    })?
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod on_heap {
    use super::{
        ConnectionError, Failure, Fault, Flow, Outcome, ReadError, SourceError, Told, VANISHED,
        batches, source, test,
    };
    use molen::join;
    use molen::net::{WriteBufferLimits, open_streams};

    /// Whether it failed because nobody answered.
    fn timed_out<T>(result: Result<T, ConnectionError>) -> bool {
        matches!(result, Err(ConnectionError::Source(SourceError::TimedOut)))
    }

    pub(super) fn streams_of_a_vanished_peer_all_fail_with_the_time_out() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b"hello\nhal"), Fault::WouldBlock], &[Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
            check_eq!(reader.readline().await?, b"hello\n");
            writer.transport().set_write_buffer_limits(WriteBufferLimits::of_high(0));
            check_eq!(writer.write(b"are you there?")?, Flow::Paused);
            let vanish = async {
                batches(3).await;
                source.script(&[VANISHED], &[Fault::WouldBlock]);
            };
            let waits = (reader.readline(), writer.drain(), writer.wait_closed(), vanish);
            let (line, drained, closed, ()) = join(waits).await;
            // Half a line is not taken for a whole one.
            let Err(ReadError::Lost(error)) = line else {
                return Err(Failure::said("a line came from nobody"));
            };
            check_eq!([Err(error), drained, closed].map(timed_out), [true; 3]);
            // And so does who asks later.
            check!(timed_out(reader.read(&mut [0; 4]).await), "reading did not time out");
            check!(timed_out(writer.drain().await), "writing did not time out");
            check_eq!(writer.write(b"!")?, Flow::Dropped);
            check_eq!((source.count(), source.closed()), (0, 1));
            check_eq!(test().backend.report_count(), 0);
            Ok(())
        })?
    }
}
