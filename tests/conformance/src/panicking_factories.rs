//! Functions of servers that panic: our own cases from 2168.

use crate::case::Case;

macro_rules! panics {
    ($($number:literal $name:ident)*) => {
        pub(crate) const CASES: &[Case] = &[$(case!($number, $name),)*];

        #[cfg(not(all(panic = "unwind", not(any(target_os = "none", target_os = "wasi")))))]
        mod contained {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported("panics abort on this platform"))
            })*
        }
    };
}
panics! {
    2168 a_factory_that_panics_loses_one_connection
    2169 a_handler_that_panics_before_it_is_a_task_loses_one_connection
}
use contained::*;

#[cfg(all(panic = "unwind", not(any(target_os = "none", target_os = "wasi"))))]
mod contained {
    use crate::case::{Failure, Outcome};
    use crate::door::{Door, accepted};
    use crate::fixture::event;
    use crate::wire::{Probe, noting, source};
    use molen::net::{Server, Start, start_stream_server};
    use std::boxed::Box;
    use std::cell::Cell;
    use std::panic::resume_unwind;
    use std::rc::Rc;

    /// A panic that prints nothing.
    fn panic_quietly() {
        resume_unwind(Box::new("boom"));
    }

    pub(super) fn a_factory_that_panics_loses_one_connection() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_exception_handler(Some(Rc::new(|_loop, _context| {
            event("reported");
            Ok(())
        })));
        let door = Door::new();
        let [first, second] = [source(&[], &[]), source(&[], &[])];
        event_loop.run_until_complete(async {
            let is_first = Cell::new(true);
            let factory = move || {
                if is_first.replace(false) {
                    panic_quietly();
                }
                Probe(noting)
            };
            let server = Server::new([door.listener()], factory, Start::Now)?;
            door.open(first);
            accepted().await;
            check_eq!(first.closed(), 1);
            check_eq!(server.client_count(), 0);
            check!(door.is_open(), "it does not listen any more");
            door.open(second);
            accepted().await;
            check_eq!(server.client_count(), 1);
            server.abort_clients();
            server.close();
            server.wait_closed().await;
            Ok::<_, Failure>(())
        })??;
        check_events!["reported", "made", "lost"];
        Ok(())
    }

    pub(super) fn a_handler_that_panics_before_it_is_a_task_loses_one_connection() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_exception_handler(Some(Rc::new(|_loop, _context| {
            event("reported");
            Ok(())
        })));
        let door = Door::new();
        let [first, second] = [source(&[], &[]), source(&[], &[])];
        event_loop.run_until_complete(async {
            let is_first = Cell::new(true);
            let handler = move |_reader, writer: molen::net::StreamWriter| {
                if is_first.replace(false) {
                    panic_quietly();
                }
                async move {
                    event("handled");
                    drop(writer);
                }
            };
            let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
            door.open(first);
            accepted().await;
            check_eq!(first.closed(), 1);
            door.open(second);
            accepted().await;
            server.close();
            server.wait_closed().await;
            Ok::<_, Failure>(())
        })??;
        check_events!["reported", "handled"];
        Ok(())
    }
}
