//! Servers and their clients at the end: our own cases from 2165.

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
    2177 a_client_of_a_server_says_its_sources_goodbye
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::{Door, accepted};
    use crate::fixture::event;
    use crate::wire::{Probe, noting, source};
    use core::cell::{Cell, RefCell};
    use core::task::{Context, Poll};
    use molen::io::Interest;
    use molen::io::source::{AcceptSource, ByteSource, Source, SourceError};
    use molen::net::{ConnectionError, ProtocolError, Server, Start};
    use molen::testing::{Fault, FaultUser, Told};
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

    /// A source that has something to say at the end, and knows more of its errors.
    struct Polite {
        user: FaultUser,
        has_said: Cell<bool>,
    }

    impl Source for Polite {
        fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
            self.user.poll_ready(cx, interest)
        }
    }

    impl ByteSource for Polite {
        fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
            self.user.try_read(buffer)
        }

        fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
            self.user.try_write(bytes)
        }

        fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
            self.user.try_write_vectored(pieces)
        }

        fn shutdown(&self) -> Result<(), SourceError> {
            self.user.shutdown()
        }

        fn says_goodbye(&self) -> bool {
            !self.has_said.get()
        }

        fn try_goodbye(&self) -> Result<(), SourceError> {
            event("goodbye");
            self.has_said.set(true);
            Ok(())
        }

        fn explain(&self, _error: SourceError) -> ConnectionError {
            ConnectionError::Protocol(ProtocolError::new("as the source explains it"))
        }
    }

    /// A listener to which one comes.
    struct Once(Cell<Option<Polite>>);

    impl Source for Once {
        fn poll_ready(&self, _cx: &mut Context<'_>, _interest: Interest) -> Poll<()> {
            Poll::Pending
        }
    }

    impl AcceptSource for Once {
        type Connection = Polite;

        fn try_accept(&self) -> Result<Polite, SourceError> {
            self.0.take().ok_or(SourceError::WouldBlock)
        }
    }

    pub(super) fn a_client_of_a_server_says_its_sources_goodbye() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            const FAILS: &[Fault] = &[Fault::Fails(SourceError::ConnectionReset)];
            for reads in [&[], FAILS] {
                let user = source(reads, &[]).user(Told::ByWaiting);
                let polite = Polite { user, has_said: Cell::new(false) };
                let listener = Once(Cell::new(Some(polite)));
                let server = Server::new([listener], || Probe(noting), Start::Now)?;
                accepted().await;
                server.close();
                server.close_clients();
                server.wait_closed().await;
            }
            Ok::<_, Failure>(())
        })??;
        check_events!["made", "goodbye", "lost", "made", "lost: protocol"];
        Ok(())
    }
}
