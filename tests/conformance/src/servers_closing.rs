//! Servers that are closed from inside of what they call: our own cases from 2165.

use crate::case::Case;

macro_rules! on_the_heap {
    ($($number:literal $name:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            $(case!($number, $name),)*
        ];

        #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
        mod heap {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported("servers need a heap"))
            })*
        }
    };
}
on_the_heap! {
    2165 a_server_that_its_factory_closes_accepts_no_more
    2176 closing_closes_the_listeners_at_once
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::{Door, accepted};
    use crate::fixture::event;
    use crate::wire::{Probe, noting, source};
    use core::cell::RefCell;
    use molen::net::{Server, Start};
    use std::rc::Rc;

    pub(super) fn a_server_that_its_factory_closes_accepts_no_more() -> Outcome {
        let event_loop = new_loop!();
        let (door, itself) = (Door::new(), Rc::new(RefCell::new(None::<Server>)));
        let [first, second] = [source(&[], &[]), source(&[], &[])];
        door.open(first);
        door.open(second);
        event_loop.run_until_complete(async {
            let known = itself.clone();
            // One client is enough.
            let factory = move || {
                if let Some(server) = known.take() {
                    server.close();
                }
                Probe(noting)
            };
            let server = Server::new([door.listener()], factory, Start::Now)?;
            itself.replace(Some(server.clone()));
            accepted().await;
            check_eq!(server.client_count(), 1);
            check!(!server.is_serving(), "it serves");
            check!(!door.is_open(), "it listens");
            server.abort_clients();
            server.wait_closed().await;
            event("closed");
            Ok::<_, Failure>(())
        })??;
        check_events!["made", "lost", "closed"];
        Ok(())
    }

    pub(super) fn closing_closes_the_listeners_at_once() -> Outcome {
        let event_loop = new_loop!();
        let (first, second) = (Door::new(), Door::new());
        let server = event_loop.run_until_complete(async {
            let server = Server::new([first.listener()], || Probe(noting), Start::Now)?;
            // Begun or not: who closes it may bind the address anew.
            server.close();
            check!(!first.is_open(), "a server that did not begin to accept listens");
            let server = Server::new([first.listener()], || Probe(noting), Start::Now)?;
            accepted().await;
            server.close();
            check!(!first.is_open(), "it listens while its loop runs");
            let server = Server::new([second.listener()], || Probe(noting), Start::Now)?;
            accepted().await;
            Ok::<_, Failure>(server)
        })??;
        // And where no loop runs.
        check!(second.is_open(), "it does not listen");
        server.close();
        check!(!second.is_open(), "it listens when its loop does not run");
        Ok(())
    }
}
