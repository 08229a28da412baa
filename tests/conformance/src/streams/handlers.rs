//! Handlers of servers: how they fail, and how they are cancelled.

use core::cell::RefCell;
use core::future::pending;
use crate::case::{Failure, Outcome};
use crate::door::Door;
use crate::fixture::{event, test};
use crate::wire::{batches, check_written, source, wake};
use molen::catch_cancel;
use molen::net::{ProtocolError, Start, StreamReader, StreamWriter, start_stream_server};
use molen::task::{all_tasks, current_task};
use molen::testing::Fault;
use std::rc::Rc;
use std::vec::Vec;

pub(super) fn clearing_up_leaves_driven_connections_alone() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let door = Door::new();
        let handler = async |_reader: StreamReader, writer: StreamWriter| {
            // What it has to say when it is cancelled takes its time to leave.
            let _ = catch_cancel(pending::<()>()).await;
            event("cancelled");
            let _ = writer.write(b"bye");
            writer.close();
            writer.wait_closed().await
        };
        let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
        door.open_waiting(source);
        batches(4).await;
        // As a runner does behind a program: it knows of the handler and of nobody else.
        let this = current_task();
        let others = all_tasks().into_iter().filter(|task| Some(task) != this.as_ref());
        let others: Vec<_> = others.collect();
        check_eq!(others.len(), 1);
        check!(others[0].cancel(), "it had ended");
        batches(4).await;
        check!(!others[0].done(), "it has ended");
        check!(server.is_serving() && door.is_open(), "the server was cancelled");
        wake(source).await;
        batches(2).await;
        check!(others[0].done(), "it waits");
        check_eq!(source.closed(), 1);
        server.close();
        check_written(source, b"bye")
    })??;
    check_events!["cancelled"];
    Ok(())
}

pub(super) fn a_failing_handler_is_reported() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let door = Door::new();
        let handler = |_reader: StreamReader, _writer: StreamWriter| async {
            event("handler");
            Err::<(), _>(ProtocolError::new("boom"))
        };
        let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
        door.open(source);
        batches(6).await;
        check_eq!(source.closed(), 1);
        check_eq!(server.client_count(), 0);
        server.close();
        Outcome::Ok(())
    })??;
    check_events!["handler"];
    check_eq!(test().backend.report_count(), 1);
    check_eq!(
        test().backend.reported(0).as_deref(),
        Some("the handler of a stream connection failed: boom")
    );
    Ok(())
}

/// Awaits this many times; each of its polls may be the last.
const AWAITS: usize = 3;

pub(super) fn a_handler_that_is_cancelled_at_any_poll_closes_silently() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        for polls in 0..=AWAITS {
            let task = Rc::new(RefCell::new(None));
            let seen = task.clone();
            let handler = move |_reader: StreamReader, _writer: StreamWriter| {
                let seen = seen.clone();
                async move {
                    *seen.borrow_mut() = current_task();
                    batches(AWAITS).await;
                    event("it went on");
                }
            };
            let door = Door::new();
            let source = source(&[], &[]);
            let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
            door.open(source);
            while task.borrow().is_none() {
                batches(1).await;
            }
            batches(polls).await;
            let handler = task.take().ok_or(Failure::said("it never ran"))?;
            if polls < AWAITS {
                handler.cancel();
            }
            batches(AWAITS + 3).await;
            check!(handler.done(), "it was cancelled, and goes on");
            check_eq!(source.closed(), 1);
            check_eq!(server.client_count(), 0);
            server.close();
        }
        Outcome::Ok(())
    })??;
    check_events!["it went on"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}
