//! What accepting fails with, and what becomes of the listener: Molen's own
//! cases. asyncio's are 301 to 303 (`servers`).

use crate::case::{Case, Outcome};
use crate::fixture::{at, event, test};
use core::cell::Cell;
use core::task::{Context, Poll};
use molen::io::source::{AcceptSource, Source, SourceError};
use molen::io::{Interest, accept_with_backoff};
use molen::testing::{FaultSource, FaultUser, Told};

pub(crate) const CASES: &[Case] = &[
    case!(2130, accepting_goes_on_after_all_but_the_end_of_the_listener),
    case!(2131, a_server_outlives_an_error_that_nobody_knows),
    case!(2132, a_server_loses_a_listener_and_serves_at_the_others),
    case!(2133, a_server_without_listeners_is_closed_and_says_why),
];

/// What it says, one after the other, and then that it is closed.
struct Scripted<'a> {
    errors: Cell<&'a [Option<SourceError>]>,
    connection: &'static FaultSource,
}

impl Source for Scripted<'_> {
    fn poll_ready(&self, _cx: &mut Context<'_>, _interest: Interest) -> Poll<()> {
        Poll::Ready(())
    }
}

impl AcceptSource for Scripted<'_> {
    type Connection = FaultUser;

    fn try_accept(&self) -> Result<FaultUser, SourceError> {
        let (first, rest) = self.errors.get().split_first().ok_or(SourceError::Closed)?;
        self.errors.set(rest);
        first.map_or(Ok(self.connection.user(Told::ByWaiting)), Err)
    }
}

fn accepting_goes_on_after_all_but_the_end_of_the_listener() -> Outcome {
    let event_loop = new_loop!();
    let source = crate::wire::source(&[], &[]);
    event_loop.run_until_complete(async {
        let script = [
            Some(SourceError::ConnectionReset),
            Some(SourceError::WouldBlock),
            Some(SourceError::ConnectionRefused),
            Some(SourceError::Interrupted),
            Some(SourceError::TimedOut),
            None,
            Some(SourceError::Os(4242)),
            Some(SourceError::NoDescriptors),
            None,
        ];
        let listener = Scripted { errors: Cell::new(&script), connection: source };
        let accepted = accept_with_backoff(&listener).await;
        check!(accepted.is_ok(), "the first did not come through");
        check!(molen::current_time() < at(1), "it rested after what is over with its connection");
        check_eq!(test().backend.report_count(), 0);
        let accepted = accept_with_backoff(&listener).await;
        check!(accepted.is_ok(), "the second did not come through");
        // A second for each.
        check_eq!(molen::current_time(), at(2000));
        check_eq!(test().backend.report_count(), 2);
        let refused = accept_with_backoff(&listener).await.err();
        check_eq!(refused, Some(SourceError::Closed));
        event("over");
        Outcome::Ok(())
    })??;
    check_events!["over"];
    Ok(())
}

#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
mod heap {
    use crate::case::{Failure, Outcome};

    const NEEDS_HEAP: Outcome = Err(Failure::Unsupported("servers need a heap"));

    pub(super) fn a_server_outlives_an_error_that_nobody_knows() -> Outcome {
        NEEDS_HEAP
    }

    pub(super) fn a_server_loses_a_listener_and_serves_at_the_others() -> Outcome {
        NEEDS_HEAP
    }

    pub(super) fn a_server_without_listeners_is_closed_and_says_why() -> Outcome {
        NEEDS_HEAP
    }
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::{Door, DoorListener, accepted};
    use crate::fixture::{at, event, test};
    use crate::wire::{Probe, batches, noting, source};
    use core::net::{Ipv4Addr, SocketAddr};
    use core::task::{Context, Poll};
    use molen::io::Interest;
    use molen::io::source::{AcceptSource, End, Source, SourceError};
    use molen::net::{ServeError, Server, Start};
    use molen::testing::{FaultSource, FaultUser, static_ref};
    use molen::{create_task, sleep_until};

    /// A door with a number of its own.
    struct Numbered(DoorListener, SocketAddr);

    impl Numbered {
        fn new(door: &Door, port: u16) -> Numbered {
            Numbered(door.listener(), SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        }
    }

    impl Source for Numbered {
        fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
            self.0.poll_ready(cx, interest)
        }

        fn address(&self, end: End) -> Option<SocketAddr> {
            (end == End::Local).then_some(self.1)
        }
    }

    impl AcceptSource for Numbered {
        type Connection = FaultUser;

        fn try_accept(&self) -> Result<FaultUser, SourceError> {
            self.0.try_accept()
        }
    }

    fn serve<const N: usize>(doors: [(&Door, u16); N], start: Start) -> Result<Server, Failure> {
        let listeners = doors.map(|(door, port)| Numbered::new(door, port));
        Ok(Server::new(listeners, || Probe(noting), start)?)
    }

    fn ports(server: &Server) -> std::vec::Vec<u16> {
        server.addresses().iter().map(SocketAddr::port).collect()
    }

    /// Notes how serving for ever ends.
    fn serve_for_ever(server: &Server) -> Outcome {
        let server = server.clone();
        let serving = create_task(async move {
            event(match server.serve_forever().await {
                Ok(()) => "was closed",
                Err(ServeError::ListenersGone(SourceError::Closed)) => "listeners gone",
                Err(_) => "another error",
            });
        });
        serving?.detach();
        Ok(())
    }

    pub(super) fn a_server_outlives_an_error_that_nobody_knows() -> Outcome {
        let event_loop = new_loop!();
        let first = source(&[], &[]);
        let second = static_ref!(FaultSource = FaultSource::new());
        event_loop.run_until_complete(async {
            let (broken, well) = (Door::new(), Door::new());
            let server = serve([(&broken, 7), (&well, 8)], Start::Now)?;
            serve_for_ever(&server)?;
            batches(2).await;
            broken.fail(SourceError::Os(4242));
            broken.open(first);
            well.open(second);
            accepted().await;
            // The others are not kept waiting.
            check_eq!((broken.waiting(), well.waiting()), (1, 0));
            check_eq!(test().backend.report_count(), 1);
            let said = test().backend.reported(0);
            let said = said.as_deref().unwrap_or_default();
            check!(said.starts_with("cannot accept a connection now; trying again"), "no words");
            check!(said.contains("127.0.0.1:7: "), "it does not say where");
            check!(said.contains("4242"), "it does not say what");
            check!(server.is_serving() && broken.is_open(), "the listener is gone");
            sleep_until(at(1000)).await;
            accepted().await;
            check_eq!((broken.waiting(), ports(&server).len()), (0, 2));
            server.close();
            server.abort_clients();
            accepted().await;
            Outcome::Ok(())
        })??;
        check_events!["made", "made", "was closed", "lost", "lost"];
        Ok(())
    }

    pub(super) fn a_server_loses_a_listener_and_serves_at_the_others() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let (broken, well) = (Door::new(), Door::new());
            let server = serve([(&broken, 7), (&well, 8)], Start::Now)?;
            serve_for_ever(&server)?;
            batches(2).await;
            broken.fail(SourceError::Closed);
            accepted().await;
            check_eq!(test().backend.report_count(), 1);
            let said = test().backend.reported(0);
            check!(said.is_some_and(|said| said.contains("127.0.0.1:7: ")), "it names another");
            check!(!broken.is_open() && well.is_open(), "the wrong one is closed");
            check!(server.is_serving(), "it does not serve");
            check_eq!(ports(&server), [8]);
            well.open(source);
            accepted().await;
            check_eq!(server.client_count(), 1);
            server.close();
            server.abort_clients();
            accepted().await;
            Outcome::Ok(())
        })??;
        // What was lost before it was closed is no reason.
        check_events!["made", "was closed", "lost"];
        Ok(())
    }

    pub(super) fn a_server_without_listeners_is_closed_and_says_why() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let doors = [Door::new(), Door::new()];
            let server = serve([(&doors[0], 7), (&doors[1], 8)], Start::Later)?;
            serve_for_ever(&server)?;
            batches(2).await;
            doors[0].open(source);
            accepted().await;
            let closed = create_task({
                let server = server.clone();
                async move {
                    server.wait_closed().await;
                    event("all gone");
                }
            });
            closed?.detach();
            doors[1].fail(SourceError::Closed);
            accepted().await;
            doors[0].fail(SourceError::Closed);
            accepted().await;
            check_eq!(test().backend.report_count(), 2);
            check!(!doors.iter().any(Door::is_open), "a listener is left");
            check!(!server.is_serving(), "it serves nobody");
            check_eq!((ports(&server).len(), server.client_count()), (0, 1));
            let gone = Err(ServeError::ListenersGone(SourceError::Closed));
            check_eq!(server.start_serving(), gone);
            check_eq!(server.serve_forever().await, gone);
            // Its clients live on, as after any closing.
            check_events!["made", "listeners gone"];
            server.abort_clients();
            accepted().await;
            Outcome::Ok(())
        })??;
        check_events!["made", "listeners gone", "lost", "all gone"];
        Ok(())
    }
}
