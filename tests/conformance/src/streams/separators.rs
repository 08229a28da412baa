//! Lines, and what ends them.

use crate::case::{Failure, Outcome};
use crate::wire::{batches, source};
use molen::create_task;
use molen::net::{ReadError, StreamReader, open_streams};
use molen::testing::{Fault, Told};
use super::fixture::{error_of, feed};

pub(super) fn a_line_over_the_limit_is_dropped_and_the_next_is_intact() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::with_limit(3);
        reader.feed_data(b"line 1\nl2\n");
        check_matches!(
            error_of(reader.readline().await)?,
            ReadError::LimitOverrun { found: true, consumed: 6 }
        );
        check_eq!(reader.readline().await?, b"l2\n");
        reader.feed_data(b"line without an end");
        check_matches!(
            error_of(reader.readline().await)?,
            ReadError::LimitOverrun { found: false, .. }
        );
        reader.feed_eof();
        check!(reader.at_eof(), "something is left");
        Ok(())
    })?
}

pub(super) fn an_overrun_of_readuntil_leaves_everything() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::with_limit(3);
        reader.feed_data(b"some dataAA");
        check_matches!(
            error_of(reader.readuntil(&[b"AAA"]).await)?,
            ReadError::LimitOverrun { found: false, consumed: 9 }
        );
        reader.feed_data(b"A");
        check_matches!(
            error_of(reader.readuntil(&[b"AAA"]).await)?,
            ReadError::LimitOverrun { found: true, consumed: 9 }
        );
        let mut all = [0; 12];
        reader.readexactly(&mut all).await?;
        check_eq!(&all, b"some dataAAA");
        Ok(())
    })?
}

pub(super) fn a_separator_in_pieces_is_found() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[
            Fault::WouldBlock,
            Fault::Data(b"QWERaa"),
            Fault::Data(b"aXa"),
            Fault::WouldBlock,
            Fault::Data(b"aarest"),
        ],
        &[],
    );
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let reading = create_task(async move {
            let found = reader.readuntil(&[b"aaa"]).await?;
            check_eq!(found, b"QWERaaa");
            let found = reader.readuntil(&[b"aaa"]).await?;
            check_eq!(found, b"Xaaa");
            let mut rest = [0; 4];
            reader.readexactly(&mut rest).await?;
            check_eq!(&rest, b"rest");
            Outcome::Ok(())
        })?;
        feed(source, 3).await;
        reading.await?
    })?
}

pub(super) fn the_separator_that_ends_first_counts() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::new();
        reader.feed_data(b"ABCD?EF");
        check_eq!(reader.readuntil(&[b"EF", b"?", b"BCD"]).await?, b"ABCD");
        check_eq!(reader.readuntil(&[b"EF", b"?"]).await?, b"?");
        check_matches!(error_of(reader.readuntil(&[]).await)?, ReadError::NoSeparator);
        check_matches!(error_of(reader.readuntil(&[b""]).await)?, ReadError::NoSeparator);
        Ok(())
    })?
}

pub(super) fn separators_of_different_lengths_are_looked_for_in_bounds() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::WouldBlock, Fault::Data(b"data"), Fault::WouldBlock, Fault::Data(b"-")],
        &[],
    );
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        batches(1).await;
        let reading = create_task(async move { reader.readuntil(&[b"-", b"longsep"]).await })?;
        feed(source, 2).await;
        check_eq!(reading.await??, b"data-");
        Ok(())
    })?
}

pub(super) fn an_early_end_gives_what_was_left() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::new();
        reader.feed_data(b"some data");
        reader.feed_eof();
        match error_of(reader.readuntil(&[b"!"]).await)? {
            ReadError::Incomplete { partial, expected: None } => {
                check_eq!(partial, b"some data");
            }
            error => return Err(Failure::shown(&error)),
        }
        check!(reader.at_eof(), "something is left");

        let mut reader = StreamReader::new();
        reader.feed_data(b"abc");
        reader.feed_eof();
        match error_of(reader.readexactly(&mut [0; 5]).await)? {
            ReadError::Incomplete { partial, expected: Some(5) } => check_eq!(partial, b"abc"),
            error => return Err(Failure::shown(&error)),
        }
        check!(reader.at_eof(), "something is left");
        Ok(())
    })?
}

pub(super) fn the_last_line_needs_no_end() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::new();
        reader.feed_data(b"a\nsome data");
        reader.feed_eof();
        check_eq!(reader.readline().await?, b"a\n");
        check_eq!(reader.readline().await?, b"some data");
        check_eq!(reader.readline().await?, b"");
        Ok(())
    })?
}
