//! Tasks and context variables, as protocols and the handlers of servers see
//! them: our own cases from 2170.

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
                Err(Failure::Unsupported("servers and context variables need a heap"))
            })*
        }
    };
}
on_the_heap! {
    2170 handlers_have_the_context_in_which_their_server_was_made
    2171 no_task_runs_in_a_callback_of_a_protocol
    2172 no_task_runs_in_a_callback_of_an_endpoint
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::{Door, accepted};
    use crate::fixture::event;
    use crate::wire::{batches, connect, note, source};
    use molen::net::{
        AfterEof, Answer, DatagramProtocol, DatagramTransport, Start, start_stream_server,
    };
    use molen::task::ContextVar;
    use molen::testing::{Fault, Told};
    use molen::{create_task, current_task};

    static WHERE: ContextVar<&'static str> = ContextVar::new("where");

    pub(super) fn handlers_have_the_context_in_which_their_server_was_made() -> Outcome {
        let event_loop = new_loop!();
        let [first, second] = [source(&[], &[]), source(&[], &[])];
        event_loop.run_until_complete(async {
            let door = Door::new();
            let _token = WHERE.set("before").map_err(|_| Failure::said("no context"))?;
            let handler = |_reader, _writer| {
                // Where the task is made, and in it; each handler by itself.
                event(WHERE.get().unwrap_or("nothing"));
                let _ = WHERE.set("in a handler");
                async {
                    event(WHERE.get().unwrap_or("nothing"));
                    let _ = WHERE.set("in a task");
                }
            };
            let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
            let _token = WHERE.set("after").map_err(|_| Failure::said("no context"))?;
            door.open(first);
            accepted().await;
            door.open(second);
            accepted().await;
            check_eq!(WHERE.get(), Some("after"));
            server.close();
            server.wait_closed().await;
            Ok::<_, Failure>(())
        })??;
        check_events!["before", "in a handler", "before", "in a handler"];
        Ok(())
    }

    /// What code sees that is called by no task.
    fn look_around() {
        let nothing =
            current_task().is_none() && WHERE.get().is_none() && WHERE.set("there").is_err();
        event(if nothing { "no task" } else { "a task" });
        let Ok(task) = create_task(async { event(WHERE.get().unwrap_or("no context")) }) else {
            return event("no new task");
        };
        task.detach();
    }

    pub(super) fn no_task_runs_in_a_callback_of_a_protocol() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b"a")], &[]);
        event_loop.run_until_complete(async {
            let _token = WHERE.set("main").map_err(|_| Failure::said("no context"))?;
            let transport = connect(&event_loop, source, Told::ByEvents, |_transport, call| {
                note(&call);
                look_around();
                Ok::<AfterEof, _>(AfterEof::Close)
            })?;
            batches(3).await;
            transport.close();
            batches(3).await;
            Ok::<_, Failure>(())
        })??;
        check_events![
            "made",
            "no task",
            "no context",
            "a",
            "no task",
            "no context",
            "lost",
            "no task",
            "no context"
        ];
        Ok(())
    }

    struct Looking;

    impl DatagramProtocol<u8> for Looking {
        fn connection_made(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
            look_around();
            Ok(())
        }

        fn datagram_received(
            &mut self,
            _transport: &DatagramTransport<u8>,
            _data: &[u8],
            _sender: &u8,
        ) -> Answer {
            look_around();
            Ok(())
        }
    }

    pub(super) fn no_task_runs_in_a_callback_of_an_endpoint() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b"a")], &[]);
        event_loop.run_until_complete(async {
            let _token = WHERE.set("main").map_err(|_| Failure::said("no context"))?;
            let user = source.user(Told::ByEvents);
            let transport = DatagramTransport::new(&event_loop, user, Looking, None)?;
            batches(3).await;
            transport.close();
            batches(3).await;
            Ok::<_, Failure>(())
        })??;
        check_events!["no task", "no context", "no task", "no context"];
        Ok(())
    }
}
