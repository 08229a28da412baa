//! Waits for the end of a server or a connection that are given up leave
//! nothing behind: our own cases from 2163.

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
                Err(Failure::Unsupported("servers and streams need a heap"))
            })*
        }
    };
}
on_the_heap! {
    2163 who_waits_for_a_server_no_more_is_forgotten
    2164 who_waits_for_a_writer_no_more_is_forgotten
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::Door;
    use crate::fixture::event;
    use crate::wire::{Probe, batches, noting, source};
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Waker};
    use molen::net::streams::open_streams;
    use molen::net::{Server, Start, WriteBufferLimits};
    use molen::testing::{Fault, Told};
    use molen::{create_task, yield_now};
    use std::sync::Arc;
    use std::task::Wake;

    /// A task as whoever it waits for sees it.
    struct Waiting;

    impl Wake for Waiting {
        fn wake(self: Arc<Self>) {}
    }

    /// Fails unless a wait that was begun and given up is held by nobody.
    fn check_forgotten<F: Future>(wait: impl FnOnce() -> F) -> Outcome {
        let waiting = Arc::new(Waiting);
        {
            let waker = Waker::from(waiting.clone());
            let mut wait = pin!(wait());
            let polled = wait.as_mut().poll(&mut Context::from_waker(&waker));
            check!(polled.is_pending(), "it did not wait");
        }
        check_eq!(Arc::strong_count(&waiting), 1);
        Ok(())
    }

    pub(super) fn who_waits_for_a_server_no_more_is_forgotten() -> Outcome {
        let event_loop = new_loop!();
        let door = Door::new();
        event_loop.run_until_complete(async {
            let server = Server::new([door.listener()], || Probe(noting), Start::Now)?;
            // As each of its clients' tasks may do, beside what it does.
            check_forgotten(|| server.wait_closed())?;
            check_forgotten(|| server.wait_closed())?;
            // Who goes on waiting is told.
            let it = server.clone();
            create_task(async move {
                it.wait_closed().await;
                event("closed");
            })?
            .detach();
            yield_now().await;
            server.close();
            batches(2).await;
            Outcome::Ok(())
        })??;
        check_events!["closed"];
        Ok(())
    }

    pub(super) fn who_waits_for_a_writer_no_more_is_forgotten() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let (_reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
            writer.transport().set_write_buffer_limits(WriteBufferLimits::of_high(0));
            check_forgotten(|| writer.wait_closed())?;
            writer.write(b"x")?;
            check_forgotten(|| writer.drain())?;
            Ok::<_, Failure>(())
        })?
    }
}
