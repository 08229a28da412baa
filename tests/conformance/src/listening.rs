//! Servers on several addresses: our own from 1951. Sockets are scripted.

use crate::case::Case;

cases_on_the_heap! {
    "servers need a heap",
    1951 each_distinct_address_of_hosts_has_a_socket
    1952 one_address_that_fails_closes_all_others
    1953 families_that_a_machine_lacks_are_passed_over
    1954 a_port_must_be_free_at_all_addresses
    1955 listening_leaves_nothing_at_any_poll
    1956 a_server_shuts_down_within_a_time
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::{Door, accepted};
    use crate::fixture::{at as time, event, ms};
    use crate::network::{At, Name, Scripted, address, at};
    use crate::wire::{Probe, batches, noting, source};
    use molen::get_running_loop;
    use molen::io::source::SourceError;
    use molen::net::{HostError, Hosts, Listen, Server, Start, WithFactory};
    use molen::testing::{Fault, drop_at_every_poll};
    use std::string::ToString;

    const FREE: Result<(), SourceError> = Ok(());
    const IN_USE: Result<(), SourceError> = Err(SourceError::AddressInUse);
    const ABSENT: Result<(), SourceError> = Err(SourceError::AddressNotAvailable);

    const MILL: &[Name] = &[("mill", &["192.0.2.1:0", "[2001:db8::1]:0"])];

    type ByProbe = Listen<Scripted, WithFactory<fn() -> Probe>>;

    fn listen(at: &'static [At], on: impl Into<Hosts>) -> ByProbe {
        let network = Scripted { peer: source(&[], &[]), at, names: MILL };
        Listen::with_factory(network, on, || Probe(noting))
    }

    fn shown(error: HostError) -> Failure {
        Failure::shown(&error)
    }

    pub(super) fn each_distinct_address_of_hosts_has_a_socket() -> Outcome {
        const AT: &[At] = &[
            at("192.0.2.1:80", "4", "4 closed", 0, FREE),
            at("[2001:db8::1]:80", "6", "6 closed", 0, FREE),
            at("10.0.0.1:80", "other", "other closed", 0, FREE),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let hosts = (["192.0.2.1", "mill", "10.0.0.1", "10.0.0.1"], 80);
            let server = listen(AT, hosts).await.map_err(shown)?;
            check!(server.is_serving(), "it does not serve");
            let expected = ["192.0.2.1:80", "[2001:db8::1]:80", "10.0.0.1:80"].map(address);
            check_eq!(server.addresses(), expected);
            check_events!["asked", "answered", "4", "6", "other"];
            server.close();
            batches(2).await;
            let later = listen(AT, "10.0.0.1:80").start(Start::Later).await.map_err(shown)?;
            check!(!later.is_serving(), "it serves");
            later.close();
            Outcome::Ok(())
        })??;
        check_events![
            "asked",
            "answered",
            "4",
            "6",
            "other",
            "4 closed",
            "6 closed",
            "other closed",
            "other",
            "other closed"
        ];
        Ok(())
    }

    async fn error_of(listening: ByProbe) -> Result<HostError, Failure> {
        listening.await.err().ok_or_else(|| Failure::said("it listens"))
    }

    pub(super) fn one_address_that_fails_closes_all_others() -> Outcome {
        const AT: &[At] = &[
            at("192.0.2.1:80", "4", "4 closed", 0, FREE),
            at("[2001:db8::1]:80", "6", "", 0, IN_USE),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let error = error_of(listen(AT, "mill:80")).await?;
            check_eq!(error.source_error(), Some(SourceError::AddressInUse));
            check_eq!(
                error.to_string(),
                "cannot listen on mill:80: [2001:db8::1]:80: the address is in use"
            );
            let error = error_of(listen(AT, "[2001:db8::1]:80")).await?;
            check_eq!(
                error.to_string(),
                "cannot listen on [2001:db8::1]:80: the address is in use"
            );
            let error = error_of(listen(AT, "tower:80")).await?;
            check_eq!(error.to_string(), "cannot listen on tower:80: there is no such name");
            Outcome::Ok(())
        })??;
        check_events!["asked", "answered", "4", "6", "4 closed", "6", "asked", "answered"];
        Ok(())
    }

    pub(super) fn families_that_a_machine_lacks_are_passed_over() -> Outcome {
        const AT: &[At] = &[
            at("0.0.0.0:80", "4", "", 0, FREE),
            at("[::]:80", "6", "", 0, ABSENT),
            at("[2001:db8::1]:80", "6", "", 0, ABSENT),
            at("192.0.2.1:80", "4", "", 0, ABSENT),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let server = listen(AT, ("", 80)).await.map_err(shown)?;
            check_eq!(server.addresses(), [address("0.0.0.0:80")]);
            server.close();
            // An address that was given must be there.
            let given = ["0.0.0.0:80", "[::]:80"].map(address);
            let error = error_of(listen(AT, given)).await?;
            check_eq!(error.errors().len(), 1);
            // Of a name, one must be.
            check_eq!(error_of(listen(AT, "mill:80")).await?.errors().len(), 2);
            Ok(())
        })?
    }

    pub(super) fn a_port_must_be_free_at_all_addresses() -> Outcome {
        const FREE_AT_ALL: &[At] =
            &[at("0.0.0.0:0", "4", "4 closed", 0, FREE), at("[::]:7000", "6", "6 closed", 0, FREE)];
        const TAKEN_AT_ONE: &[At] = &[
            at("0.0.0.0:0", "4", "4 closed", 0, FREE),
            at("[::]:7000", "6", "6 closed", 0, IN_USE),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let server = listen(FREE_AT_ALL, ("", 0)).await.map_err(shown)?;
            check_eq!(server.addresses(), ["0.0.0.0:7000", "[::]:7000"].map(address));
            server.close();
            batches(2).await;
            check_events!["4", "6", "4 closed", "6 closed"];
            // Each time another port is asked for; here it is always the same.
            crate::fixture::test().log.clear();
            let error = error_of(listen(TAKEN_AT_ONE, ("", 0))).await?;
            check_eq!(error.source_error(), Some(SourceError::AddressInUse));
            let tries = crate::fixture::test().log.iter().filter(|name| *name == "4 closed");
            check!(tries.count() > 5, "it gave up at once");
            Ok(())
        })?
    }

    pub(super) fn listening_leaves_nothing_at_any_poll() -> Outcome {
        const AT: &[At] = &[
            at("192.0.2.1:80", "4", "4 closed", 0, FREE),
            at("[2001:db8::1]:80", "6", "6 closed", 0, FREE),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let make = || listen(AT, "mill:80").into_future();
            let polls = drop_at_every_poll(make, async |point| {
                if let Some(server) = point.output() {
                    event("listens");
                    server.map_err(shown)?.close();
                }
                batches(2).await;
                check_eq!(get_running_loop()?.next_deadline(), None);
                Ok::<_, Failure>(())
            });
            check_eq!(polls.await?, 2);
            Outcome::Ok(())
        })??;
        check_events![
            "asked", "answered", "asked", "answered", "asked", "answered", "4", "6", "listens",
            "4 closed", "6 closed"
        ];
        Ok(())
    }

    pub(super) fn a_server_shuts_down_within_a_time() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let serve = |door: &Door| {
                Server::new(
                    [door.listener()],
                    || {
                        Probe(|transport, call| {
                            if !transport.is_closing() {
                                transport.write(b"x")?;
                            }
                            noting(transport, call)
                        })
                    },
                    Start::Now,
                )
            };
            // Nothing waits to be written: it is over at once.
            let door = Door::new();
            let server = serve(&door)?;
            door.open(source(&[], &[]));
            accepted().await;
            check_eq!(server.shutdown(ms(500)).await, 0);
            check!(!door.is_open(), "the listener is open");
            check_eq!(get_running_loop()?.time(), time(0));
            // A peer that reads nothing is left after its time.
            let door = Door::new();
            let server = serve(&door)?;
            door.open(source(&[], &[Fault::WouldBlock]));
            accepted().await;
            check_eq!(server.shutdown(ms(500)).await, 1);
            check_eq!(get_running_loop()?.time(), time(500));
            check_eq!(server.client_count(), 0);
            // A closed server has nothing left.
            check_eq!(server.shutdown(ms(500)).await, 0);
            Outcome::Ok(())
        })??;
        check_events!["made", "lost", "made", "lost"];
        Ok(())
    }
}
