//! Reading lines and the like through a given buffer, on every platform.

use crate::case::{Case, Failure, Outcome};
use crate::wire::source;
use molen::io::Ready;
use molen::io::source::SourceError;
use molen::net::{ConnectionError, PullReader, ReadError};
use molen::testing::{Fault, Told};

pub(crate) const CASES: &[Case] = &[
    case!(1660, lines_come_in_pieces_of_any_size),
    case!(1661, a_line_longer_than_the_buffer_is_dropped),
    case!(1662, an_overrun_leaves_the_buffer_as_it_is),
    case!(1663, an_early_end_leaves_what_came),
    case!(1664, numbers_of_bytes_are_taken_exactly),
    case!(1665, reads_pass_the_buffer_by_when_it_is_empty),
    case!(1666, interrupts_and_stalls_lose_nothing),
    case!(1667, the_sources_error_is_the_readers),
    case!(2102, what_is_lent_is_read_only_when_consumed),
];

fn error_of<T>(result: Result<T, ReadError<usize>>) -> Result<ReadError<usize>, Failure> {
    result.err().ok_or_else(|| Failure::said("a read did not fail"))
}

fn lines_come_in_pieces_of_any_size() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::Data(b"on"), Fault::Data(b"e\ntwo\nthr"), Fault::Data(b"ee\nfo"), Fault::End],
        &[],
    );
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 8]);
        let mut reader = PullReader::new(&user, &mut room);
        check_eq!(reader.readline().await?, b"one\n");
        check_eq!(reader.readline().await?, b"two\n");
        check_eq!(reader.readuntil(&[b"\r", b"e\n"]).await?, b"three\n");
        check!(!reader.at_eof(), "it is at its end");
        check_eq!(reader.readline().await?, b"fo");
        check_eq!(reader.readline().await?, b"");
        check!(reader.at_eof(), "it is not at its end");
        Ok(())
    })?
}

fn a_line_longer_than_the_buffer_is_dropped() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"too long\nok\n")], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 4]);
        let mut reader = PullReader::new(&user, &mut room);
        check_matches!(
            error_of(reader.readline().await)?,
            ReadError::LimitOverrun { found: false, consumed: 4 }
        );
        check_matches!(error_of(reader.readline().await)?, ReadError::LimitOverrun { .. });
        check_eq!(reader.readline().await?, b"\n");
        check_eq!(reader.readline().await?, b"ok\n");
        Ok(())
    })?
}

fn an_overrun_leaves_the_buffer_as_it_is() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"abcdef")], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 4]);
        let mut reader = PullReader::new(&user, &mut room);
        check_matches!(
            error_of(reader.readuntil(&[b"!"]).await)?,
            ReadError::LimitOverrun { consumed: 4, .. }
        );
        check_eq!(reader.buffer(), b"abcd");
        check_matches!(error_of(reader.readexactly(5).await)?, ReadError::LimitOverrun { .. });
        check_eq!(reader.readexactly(4).await?, b"abcd");
        check_matches!(error_of(reader.readuntil(&[]).await)?, ReadError::NoSeparator);
        Ok(())
    })?
}

fn an_early_end_leaves_what_came() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"abc"), Fault::End], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 8]);
        let mut reader = PullReader::new(&user, &mut room);
        check_matches!(
            error_of(reader.readexactly(4).await)?,
            ReadError::Incomplete { partial: 3, expected: Some(4) }
        );
        check_matches!(
            error_of(reader.readuntil(&[b"!"]).await)?,
            ReadError::Incomplete { partial: 3, expected: None }
        );
        check_eq!(reader.readexactly(3).await?, b"abc");
        Ok(())
    })?
}

fn numbers_of_bytes_are_taken_exactly() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"abcd"), Fault::Data(b"efgh")], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 5]);
        let mut reader = PullReader::new(&user, &mut room);
        check_eq!(reader.readexactly(3).await?, b"abc");
        check_eq!(reader.readexactly(0).await?, b"");
        // The rest is moved to make room.
        check_eq!(reader.readexactly(5).await?, b"defgh");
        Ok(())
    })?
}

fn reads_pass_the_buffer_by_when_it_is_empty() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a\nbcdefgh"), Fault::Data(b"ij"), Fault::End], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 4]);
        let mut reader = PullReader::new(&user, &mut room);
        check_eq!(reader.readline().await?, b"a\n");
        let mut into = [0; 8];
        check_eq!(reader.read(&mut into).await?, 2);
        check_eq!(&into[..2], b"bc");
        check_eq!(reader.read(&mut []).await?, 0);
        check_eq!(reader.read(&mut into).await?, 5);
        check_eq!(&into[..5], b"defgh");
        check_eq!(reader.read(&mut into).await?, 2);
        check_eq!(reader.read(&mut into).await?, 0);
        check!(reader.at_eof(), "it is not at its end");
        Ok(())
    })?
}

fn interrupts_and_stalls_lose_nothing() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[
            Fault::Interrupted,
            Fault::Data(b"a"),
            Fault::WouldBlock,
            Fault::Interrupted,
            Fault::Data(b"b\n"),
        ],
        &[],
    );
    event_loop.run_until_complete(async {
        event_loop.call_soon(|| source.set_ready(Ready::READABLE))?;
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 4]);
        let mut reader = PullReader::new(&user, &mut room);
        check_eq!(reader.readline().await?, b"ab\n");
        Ok(())
    })?
}

fn the_sources_error_is_the_readers() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a"), Fault::Fails(SourceError::ConnectionReset)], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 4]);
        let mut reader = PullReader::new(&user, &mut room);
        check_matches!(
            error_of(reader.readline().await)?,
            ReadError::Lost(ConnectionError::Source(SourceError::ConnectionReset))
        );
        check_eq!(reader.buffer(), b"a");
        Ok(())
    })?
}

fn what_is_lent_is_read_only_when_consumed() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"one\ntw"), Fault::Data(b"o\n"), Fault::End], &[]);
    event_loop.run_until_complete(async {
        let (user, mut room) = (source.user(Told::ByWaiting), [0; 8]);
        let mut reader = PullReader::new(&user, &mut room);
        check_eq!(reader.fill_buf().await?, b"one\ntw");
        reader.consume(1);
        check_eq!(reader.fill_buf().await?, b"ne\ntw");
        check_eq!(reader.readline().await?, b"ne\n");
        check_eq!(reader.fill_buf().await?, b"tw");
        check_eq!(reader.readline().await?, b"two\n");
        check_eq!(reader.fill_buf().await?, b"");
        reader.consume(usize::MAX);
        check!(reader.at_eof(), "it is not at its end");
        // Without room nothing is read, and nothing taken for the end.
        let mut reader = PullReader::new(&user, &mut []);
        check_eq!(reader.fill_buf().await?, b"");
        check!(!reader.at_eof(), "it is at its end");
        Ok(())
    })?
}
