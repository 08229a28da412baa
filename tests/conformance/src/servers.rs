//! Servers: behaviours 296 to 316, as far as they need no address.

use crate::case::Case;

cases_on_the_heap! {
    "servers need a heap",
    296 wait_closed_waits_for_the_last_client
    297 closing_server_and_client_in_one_tick_is_enough
    298 clients_can_be_sent_away
    299 a_server_may_begin_later_and_serve_until_it_is_closed
    301 many_connections_are_accepted_in_one_step
    303 without_descriptors_it_reports_and_tries_again_in_a_second
    1640 clients_outlive_the_closing_of_their_server
    1641 a_broken_listener_is_reported_and_given_up
    1974 a_server_that_nobody_holds_goes_on
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::{Door, accepted};
    use crate::fixture::{at, event, test};
    use crate::wire::{Probe, batches, noting, source, wake};
    use molen::create_task;
    use molen::io::source::SourceError;
    use molen::net::{ServeError, Server, Start};
    use molen::testing::Fault;

    fn serve(door: &Door, start: Start) -> Result<Server, Failure> {
        Ok(Server::new([door.listener()], || Probe(noting), start)?)
    }

    /// A task that says when `wait_closed` returns.
    fn say_when_closed(server: &Server) -> Outcome {
        let server = server.clone();
        let waiting = create_task(async move {
            server.wait_closed().await;
            event("closed");
        });
        waiting?.detach();
        Ok(())
    }

    pub(super) fn wait_closed_waits_for_the_last_client() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = serve(&door, Start::Now)?;
            say_when_closed(&server)?;
            say_when_closed(&server)?;
            door.open(source);
            accepted().await;
            check_eq!(server.client_count(), 1);
            server.close();
            accepted().await;
            check_events!["made"];
            source.script(&[Fault::End], &[]);
            batches(5).await;
            server.wait_closed().await;
            Outcome::Ok(())
        })??;
        check_events!["made", "eof", "lost", "closed", "closed"];
        Ok(())
    }

    pub(super) fn closing_server_and_client_in_one_tick_is_enough() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = serve(&door, Start::Now)?;
            door.open(source);
            accepted().await;
            server.close();
            server.close_clients();
            server.wait_closed().await;
            Outcome::Ok(())
        })??;
        check_events!["made", "lost"];
        Ok(())
    }

    pub(super) fn clients_can_be_sent_away() -> Outcome {
        let event_loop = new_loop!();
        let stuck = source(&[], &[Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = Server::new(
                [door.listener()],
                || {
                    Probe(|transport, call| {
                        if !transport.is_closing() && transport.get_write_buffer_size() == 0 {
                            transport.write(b"x")?;
                        }
                        noting(transport, call)
                    })
                },
                Start::Now,
            )?;
            door.open(stuck);
            accepted().await;
            server.close();
            say_when_closed(&server)?;
            server.close_clients();
            accepted().await;
            // What waits keeps it.
            check_events!["made"];
            wake(stuck).await;
            check_events!["made", "lost", "closed"];

            let stuck = source(&[], &[Fault::WouldBlock]);
            let door = Door::new();
            let server = serve(&door, Start::Now)?;
            door.open(stuck);
            accepted().await;
            server.close();
            server.abort_clients();
            server.wait_closed().await;
            Outcome::Ok(())
        })??;
        check_events!["made", "lost", "closed", "made", "lost"];
        Ok(())
    }

    pub(super) fn a_server_may_begin_later_and_serve_until_it_is_closed() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = serve(&door, Start::Later)?;
            check!(!server.is_serving(), "it serves");
            check_eq!(server.addresses().len(), 1);
            let serving = create_task({
                let server = server.clone();
                async move { server.serve_forever().await }
            })?;
            batches(2).await;
            check!(server.is_serving(), "it does not serve");
            check_eq!(server.serve_forever().await, Err(ServeError::AlreadyServing));
            check!(server.is_serving(), "a refused call has closed it");
            serving.cancel();
            batches(2).await;
            check!(!server.is_serving() && !door.is_open(), "it serves after a cancel");
            check_eq!(server.addresses().len(), 0);
            check_eq!(server.serve_forever().await, Err(ServeError::Closed));
            Ok(())
        })?
    }

    pub(super) fn many_connections_are_accepted_in_one_step() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = serve(&door, Start::Now)?;
            batches(2).await;
            for _ in 0..103 {
                door.open_waiting(source);
            }
            // One step for the backlog and one, another for the rest.
            batches(1).await;
            check_eq!(door.waiting(), 2);
            accepted().await;
            check_eq!(door.waiting(), 0);
            check_eq!(server.client_count(), 103);
            server.abort_clients();
            batches(2).await;
            Ok(())
        })?
    }

    pub(super) fn without_descriptors_it_reports_and_tries_again_in_a_second() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = serve(&door, Start::Now)?;
            door.fail(SourceError::NoDescriptors);
            door.open(source);
            accepted().await;
            check_eq!(test().backend.report_count(), 1);
            check_eq!(door.waiting(), 1);
            check!(server.is_serving() && door.is_open(), "the listener is gone");
            molen::sleep_until(at(999)).await;
            check_eq!(door.waiting(), 1);
            molen::sleep_until(at(1000)).await;
            accepted().await;
            check_eq!(door.waiting(), 0);
            server.abort_clients();
            batches(2).await;
            Outcome::Ok(())
        })??;
        check_events!["made", "lost"];
        Ok(())
    }

    pub(super) fn a_server_that_nobody_holds_goes_on() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::WouldBlock, Fault::Data(b"a")], &[]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            drop(serve(&door, Start::Now)?);
            batches(2).await;
            door.open(source);
            accepted().await;
            wake(source).await;
            check!(door.is_open(), "it stopped to listen");
            let never_begun = Door::new();
            drop(serve(&never_begun, Start::Later)?);
            check!(!never_begun.is_open(), "nobody can begin it, and it is there");
            Outcome::Ok(())
        })??;
        check_events!["made", "a"];
        Ok(())
    }

    pub(super) fn clients_outlive_the_closing_of_their_server() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::WouldBlock, Fault::Data(b"a")], &[]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = serve(&door, Start::Now)?;
            door.open(source);
            accepted().await;
            server.close();
            check!(!door.is_open() || !server.is_serving(), "the listener is open");
            drop(server);
            wake(source).await;
            Outcome::Ok(())
        })??;
        check_events!["made", "a"];
        Ok(())
    }

    pub(super) fn a_broken_listener_is_reported_and_given_up() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let door = Door::new();
            let server = serve(&door, Start::Now)?;
            // That of one connection is nobody's business.
            door.fail(SourceError::ConnectionReset);
            accepted().await;
            check_eq!(test().backend.report_count(), 0);
            door.fail(SourceError::Closed);
            accepted().await;
            check_eq!(test().backend.report_count(), 1);
            check!(!door.is_open(), "the listener is open");
            check!(!server.is_serving(), "nothing is left to serve at");
            server.close();
            Ok(())
        })?
    }
}
