//! Bytes that are lent before they are read.

use core::pin::pin;
use core::task::{Context, Waker};
use crate::case::Outcome;
use crate::wire::{batches, source};
use molen::net::open_streams;
use molen::testing::{Fault, Told};
use super::fixture::{RESET, feed};

pub(super) fn bytes_are_lent_and_read_when_consumed() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::WouldBlock, Fault::Data(b"GET /\nrest"), Fault::WouldBlock, Fault::End],
        &[],
    );
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        batches(1).await;
        {
            // A wait that is given up takes nothing.
            let mut filling = pin!(reader.fill_buf());
            let mut cx = Context::from_waker(Waker::noop());
            check!(filling.as_mut().poll(&mut cx).is_pending(), "something is there");
            feed(source, 1).await;
        }
        check_eq!(reader.fill_buf().await?, b"GET /\nrest");
        check_eq!(reader.fill_buf().await?, b"GET /\nrest");
        reader.consume(4);
        check_eq!(reader.fill_buf().await?, b"/\nrest");
        check!(!reader.at_eof(), "it is at its end");
        // The other reads begin where the last consume ended.
        check_eq!(reader.readline().await?, b"/\n");
        check_eq!(reader.fill_buf().await?, b"rest");
        let mut two = [0; 2];
        check_eq!(reader.read(&mut two).await?, 2);
        check_eq!(&two, b"re");
        feed(source, 1).await;
        check_eq!(reader.fill_buf().await?, b"st");
        check!(!reader.at_eof(), "what is lent counts as read");
        reader.consume(usize::MAX);
        check!(reader.at_eof(), "something is left");
        check_eq!(reader.fill_buf().await?, b"");
        reader.set_exception(RESET);
        check!(reader.fill_buf().await.is_err(), "fill_buf did not fail");
        Ok(())
    })?
}

pub(super) fn bytes_that_come_while_some_are_lent_come_behind_them() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[
            Fault::Data(b"one "),
            Fault::WouldBlock,
            Fault::Data(b"two "),
            Fault::WouldBlock,
            Fault::Data(b"three"),
        ],
        &[],
    );
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let lent = reader.fill_buf().await?;
        batches(2).await;
        feed(source, 1).await;
        // It is still what it was.
        check_eq!(lent, b"one ");
        reader.consume(2);
        check_eq!(reader.fill_buf().await?, b"e two ");
        reader.fill_buf().await?;
        batches(2).await;
        feed(source, 1).await;
        let mut all = [0; 11];
        reader.readexactly(&mut all).await?;
        check_eq!(&all, b"e two three");
        Ok(())
    })?
}

pub(super) fn lent_bytes_count_for_the_limit() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"12345678"), Fault::WouldBlock, Fault::Data(b"9")], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 4).await?;
        let lent = reader.fill_buf().await?;
        feed(source, 2).await;
        check_eq!(lent, b"12345678");
        check!(!writer.transport().is_reading(), "it is not paused above twice the limit");
        reader.consume(4);
        check_eq!(reader.fill_buf().await?, b"56789");
        check!(!writer.transport().is_reading(), "it is resumed above the limit");
        reader.consume(1);
        check!(writer.transport().is_reading(), "it is not resumed at the limit");
        Ok(())
    })?
}
