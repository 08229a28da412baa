//! Connections by name: behaviours 308 to 315, and our own from 1940. Attempts
//! and names are scripted, and the clock is advanced by hand.

use crate::case::Case;

cases_on_the_heap! {
    "names and lists of addresses need a heap",
    308 all_addresses_failing_is_one_error
    309 an_interrupted_connect_closes_its_socket
    311 a_literal_address_asks_no_resolver
    314 a_local_address_of_another_family_is_an_error
    315 a_race_without_an_error_is_a_timeout
    1940 families_take_turns_a_quarter_of_a_second_apart
    1941 a_failure_begins_the_next_attempt_at_once
    1942 losers_are_closed_before_the_winner_is_told
    1943 addresses_that_are_given_keep_their_order
    1944 without_a_delay_only_a_failure_begins_the_next
    1945 a_timeout_tells_what_had_failed_by_then
    1946 a_name_without_addresses_is_an_error_of_the_name
    1947 a_local_address_that_cannot_be_had_gives_way_to_the_next
    1948 only_addresses_of_the_family_are_tried
    1949 connecting_leaves_nothing_at_any_poll
    1950 this_machine_is_its_loopback_and_hosts_may_be_several
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::fixture::{at as time, event, ms, test};
    use crate::network::{At, Name, Scripted, address, at};
    use crate::wire::{Probe, batches, noting, source};
    use molen::io::source::SourceError;
    use molen::net::{Connect, Family, HostError, HostFailure, Hosts, NameError, WithProtocol};
    use molen::testing::drop_at_every_poll;
    use molen::{create_task, get_running_loop, sleep, timeout};
    use std::string::ToString;

    const REFUSED: Result<(), SourceError> = Err(SourceError::ConnectionRefused);
    const RESET: Result<(), SourceError> = Err(SourceError::ConnectionReset);
    /// Longer than anything else.
    const NEVER: u64 = 100_000;

    const MILL: &[Name] = &[("mill", &["[2001:db8::1]:0", "[2001:db8::2]:0", "192.0.2.1:0"])];

    fn net(at: &'static [At], names: &'static [Name]) -> Scripted {
        Scripted { peer: source(&[], &[]), at, names }
    }

    type ByProbe = Connect<Scripted, WithProtocol<Probe>>;

    fn connect(network: Scripted, to: impl Into<Hosts>) -> ByProbe {
        Connect::with_protocol(network, to, Probe(noting))
    }

    async fn error_of(connecting: ByProbe) -> Result<HostError, Failure> {
        connecting.await.err().ok_or_else(|| Failure::said("it connected"))
    }

    pub(super) fn all_addresses_failing_is_one_error() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "6a", "6a over", 10, REFUSED),
            at("[2001:db8::2]:80", "6b", "6b over", 10, RESET),
            at("192.0.2.1:80", "4a", "4a over", 10, REFUSED),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let error = error_of(connect(net(AT, MILL), "mill:80")).await?;
            check_eq!(
                error.to_string(),
                "cannot connect to mill:80: \
                 [2001:db8::1]:80: the connection was refused; \
                 192.0.2.1:80: the connection was refused; \
                 [2001:db8::2]:80: the other side closed the connection"
            );
            check_eq!(error.errors().len(), 3);
            check_eq!(error.errors()[2].cause, SourceError::ConnectionReset);
            check_eq!(error.source_error(), None);
            // One alone is that one.
            let one = error_of(connect(net(AT, MILL), "192.0.2.1:80")).await?;
            check_eq!(
                one.to_string(),
                "cannot connect to 192.0.2.1:80: the connection was refused"
            );
            check_eq!(one.source_error(), Some(SourceError::ConnectionRefused));
            Ok(())
        })?
    }

    pub(super) fn an_interrupted_connect_closes_its_socket() -> Outcome {
        const AT: &[At] = &[at("192.0.2.1:80", "begun", "closed", NEVER, Ok(()))];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let connecting = connect(net(AT, &[]), "192.0.2.1:80").into_future();
            let mut task = create_task(connecting)?;
            batches(2).await;
            task.cancel();
            check!((&mut task).await.is_err(), "it connected");
            event("told");
            let dropped = timeout(ms(10), connect(net(AT, &[]), "192.0.2.1:80")).await;
            check!(dropped.is_err(), "it connected");
            check_eq!(get_running_loop()?.next_deadline(), None);
            Outcome::Ok(())
        })??;
        check_events!["begun", "closed", "told", "begun", "closed"];
        Ok(())
    }

    pub(super) fn a_literal_address_asks_no_resolver() -> Outcome {
        const AT: &[At] =
            &[at("192.0.2.1:80", "4", "", 1, Ok(())), at("[2001:db8::1]:80", "6", "", 1, Ok(()))];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            for to in ["192.0.2.1:80", "[2001:db8::1]:80"] {
                connect(net(AT, &[]), to).await.map_err(shown)?.abort();
                batches(2).await;
            }
            for to in ["192.0.2.1", "2001:db8::1"] {
                connect(net(AT, &[]), (to, 80)).await.map_err(shown)?.abort();
                batches(2).await;
            }
            // What looks like one and is none is a name.
            let error = error_of(connect(net(AT, &[]), "192.0.2:80")).await?;
            check_eq!(error.cause, HostFailure::Name(NameError::NotFound));
            Outcome::Ok(())
        })??;
        check_events![
            "4", "", "made", "lost", "6", "", "made", "lost", "4", "", "made", "lost", "6", "",
            "made", "lost", "asked", "answered"
        ];
        Ok(())
    }

    fn shown(error: HostError) -> Failure {
        Failure::shown(&error)
    }

    pub(super) fn a_local_address_of_another_family_is_an_error() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let to = connect(net(&[], &[]), "192.0.2.1:80").local_address("[::1]:0");
            let error = error_of(to).await?;
            check_eq!(error.cause, HostFailure::NoLocalAddress(Family::Inet));
            check_eq!(
                error.to_string(),
                "cannot connect to 192.0.2.1:80: \
                 the local address is of another family than IPv4"
            );
            Outcome::Ok(())
        })??;
        check_events![];
        Ok(())
    }

    pub(super) fn a_race_without_an_error_is_a_timeout() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "6a", "6a over", NEVER, Ok(())),
            at("192.0.2.1:80", "4a", "4a over", NEVER, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let error = error_of(connect(net(AT, MILL), "mill:80").timeout(ms(300))).await?;
            check!(error.is_timeout(), "it is no timeout");
            check_eq!(error.errors(), []);
            check_eq!(error.to_string(), "cannot connect to mill:80: it took longer than 300ms");
            Outcome::Ok(())
        })??;
        check_eq!(event_loop.time(), time(300));
        check_events!["asked", "answered", "6a", "4a", "6a over", "4a over"];
        Ok(())
    }

    pub(super) fn families_take_turns_a_quarter_of_a_second_apart() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "6a", "6a over", NEVER, Ok(())),
            at("192.0.2.1:80", "4a", "4a over", NEVER, Ok(())),
            at("[2001:db8::2]:80", "6b", "6b over", 20, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let connecting = create_task(connect(net(AT, MILL), "mill:80").into_future())?;
            sleep(ms(250)).await;
            check_events!["asked", "answered", "6a"];
            sleep(ms(2)).await;
            check_events!["asked", "answered", "6a", "4a"];
            sleep(ms(248)).await;
            check_events!["asked", "answered", "6a", "4a"];
            sleep(ms(2)).await;
            check_events!["asked", "answered", "6a", "4a", "6b"];
            drop(connecting.await?.map_err(shown)?);
            Outcome::Ok(())
        })??;
        check_eq!(event_loop.time(), time(1 + 250 + 250 + 20));
        Ok(())
    }

    pub(super) fn a_failure_begins_the_next_attempt_at_once() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "6a", "6a over", 10, REFUSED),
            at("192.0.2.1:80", "4a", "4a over", 10, REFUSED),
            at("[2001:db8::2]:80", "6b", "6b over", 10, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            connect(net(AT, MILL), "mill:80").await.map(drop).map_err(shown)
        })??;
        check_eq!(event_loop.time(), time(1 + 30));
        check_events![
            "asked", "answered", "6a", "6a over", "4a", "4a over", "6b", "6b over", "made"
        ];
        Ok(())
    }

    pub(super) fn losers_are_closed_before_the_winner_is_told() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "6a", "6a over", 300, Ok(())),
            // It would stand at the same moment as the first.
            at("192.0.2.1:80", "4a", "4a over", 50, Ok(())),
        ];
        let event_loop = new_loop!();
        let peer = event_loop.run_until_complete(async {
            let network = net(AT, MILL);
            let transport = connect(network, "mill:80").await.map_err(shown)?;
            event("connected");
            check_eq!(network.peer.closed(), 0);
            transport.abort();
            batches(2).await;
            Ok::<_, Failure>(network.peer)
        })??;
        check_eq!(peer.closed(), 1);
        check_events![
            "asked",
            "answered",
            "6a",
            "4a",
            "6a over",
            "4a over",
            "made",
            "connected",
            "lost"
        ];
        Ok(())
    }

    pub(super) fn addresses_that_are_given_keep_their_order() -> Outcome {
        const AT: &[At] = &[
            at("192.0.2.1:80", "4a", "", 1, REFUSED),
            at("192.0.2.2:80", "4b", "", 1, REFUSED),
            at("[2001:db8::1]:80", "6a", "", 1, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let all = ["192.0.2.1:80", "192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"];
            drop(connect(net(AT, &[]), all.map(address)).await.map_err(shown)?);
            check_events!["4a", "", "4b", "", "6a", "", "made"];
            test().log.clear();
            let turns = connect(net(AT, &[]), all.map(address)).interleave(1);
            drop(turns.await.map_err(shown)?);
            check_events!["4a", "", "6a", "", "made"];
            test().log.clear();
            // Two of the first family before the other.
            let turns = connect(net(AT, &[]), all.map(address)).interleave(2);
            drop(turns.await.map_err(shown)?);
            check_events!["4a", "", "4b", "", "6a", "", "made"];
            Ok(())
        })?
    }

    pub(super) fn without_a_delay_only_a_failure_begins_the_next() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "6a", "6a over", 5_000, REFUSED),
            at("192.0.2.1:80", "4a", "4a over", 10, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let connecting = connect(net(AT, MILL), "mill:80").happy_eyeballs_delay(None);
            drop(connecting.await.map_err(shown)?);
            check_eq!(get_running_loop()?.time(), time(1 + 5_010));
            let connecting = connect(net(AT, MILL), "mill:80").happy_eyeballs_delay(ms(30));
            drop(connecting.await.map_err(shown)?);
            check_eq!(get_running_loop()?.time(), time(1 + 5_010 + 1 + 40));
            Outcome::Ok(())
        })??;
        check_events![
            "asked", "answered", "6a", "6a over", "4a", "4a over", "made", "asked", "answered",
            "6a", "4a", "4a over", "6a over", "made"
        ];
        Ok(())
    }

    pub(super) fn a_timeout_tells_what_had_failed_by_then() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "6a", "6a over", 10, REFUSED),
            at("192.0.2.1:80", "4a", "4a over", NEVER, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let error = error_of(connect(net(AT, MILL), "mill:80").timeout(ms(100))).await?;
            check!(error.is_timeout(), "it is no timeout");
            check_eq!(
                error.to_string(),
                "cannot connect to mill:80: it took longer than 100ms; \
                 [2001:db8::1]:80: the connection was refused"
            );
            // The name's time counts too.
            let error = error_of(connect(net(AT, MILL), "mill:80").timeout(ms(1) / 2)).await?;
            check!(error.is_timeout(), "it is no timeout");
            check_eq!(get_running_loop()?.next_deadline(), None);
            Outcome::Ok(())
        })??;
        check_events!["asked", "answered", "6a", "6a over", "4a", "4a over", "asked", "answered"];
        Ok(())
    }

    pub(super) fn a_name_without_addresses_is_an_error_of_the_name() -> Outcome {
        const EMPTY: &[Name] = &[("empty", &[])];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let error = error_of(connect(net(&[], MILL), ("tower", 80))).await?;
            check_eq!(error.to_string(), "cannot connect to tower:80: there is no such name");
            let error = error_of(connect(net(&[], EMPTY), ("empty", 80))).await?;
            check_eq!(error.to_string(), "cannot connect to empty:80: there is no address to try");
            let error = error_of(connect(net(&[], EMPTY), "empty")).await?;
            check_eq!(
                error.to_string(),
                "cannot connect to \"empty\": it is not of the form host:port"
            );
            let error = error_of(connect(net(&[], EMPTY), &[][..] as &[&str])).await?;
            check_eq!(error.cause, HostFailure::NoAddresses);
            Ok(())
        })?
    }

    pub(super) fn a_local_address_that_cannot_be_had_gives_way_to_the_next() -> Outcome {
        const AT: &[At] = &[
            at("192.0.2.1:80", "to", "", 1, Ok(())),
            at("10.0.0.1:0", "from a", "", 0, Err(SourceError::AddressNotAvailable)),
            at("10.0.0.2:0", "from b", "", 0, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let to = connect(net(AT, &[]), "192.0.2.1:80");
            let locals = ["[::1]:0", "10.0.0.1:0", "10.0.0.2:0"].map(address);
            drop(to.local_address(locals).await.map_err(shown)?);
            let to = connect(net(AT, &[]), "192.0.2.1:80").local_address("10.0.0.1:0");
            check_eq!(
                error_of(to).await?.to_string(),
                "cannot connect to 192.0.2.1:80: cannot bind to 10.0.0.1:0: \
                 this machine has no such address"
            );
            Outcome::Ok(())
        })??;
        check_events!["from a", "from b", "to", "", "made", "from a"];
        Ok(())
    }

    pub(super) fn only_addresses_of_the_family_are_tried() -> Outcome {
        const AT: &[At] = &[at("192.0.2.1:80", "4a", "4a over", 10, REFUSED)];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let error = error_of(connect(net(AT, MILL), "mill:80").family(Family::Inet)).await?;
            check_eq!(error.errors().len(), 1);
            let to = connect(net(AT, MILL), "192.0.2.1:80").family(Family::Inet6);
            check_eq!(error_of(to).await?.cause, HostFailure::NoAddresses);
            Outcome::Ok(())
        })??;
        check_events!["asked", "answered", "4a", "4a over"];
        Ok(())
    }

    pub(super) fn connecting_leaves_nothing_at_any_poll() -> Outcome {
        const AT: &[At] = &[
            at("[2001:db8::1]:80", "", "", 300, Ok(())),
            at("192.0.2.1:80", "", "", 100, Ok(())),
            at("10.0.0.1:0", "", "", 0, Ok(())),
            at("[2001:db8::9]:0", "", "", 0, Ok(())),
        ];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let network = net(AT, MILL);
            let mut opened = 0;
            let make = || {
                let locals = ["10.0.0.1:0", "[2001:db8::9]:0"].map(address);
                let connecting = connect(network, "mill:80").timeout(ms(5_000));
                connecting.local_address(locals).into_future()
            };
            let polls = drop_at_every_poll(make, async |point| {
                if let Some(transport) = point.output() {
                    transport.map_err(shown)?.abort();
                    opened += 1;
                }
                batches(4).await;
                check_eq!(get_running_loop()?.next_deadline(), None);
                // Whatever was made is gone, with its source.
                let (begun, over) = count(&["made"], &["lost"]);
                check_eq!(begun, over);
                Ok::<_, Failure>(())
            });
            // The name, the delay, the second address; and the protocol is told.
            check_eq!(polls.await?, 5);
            check_eq!(opened, 1);
            Ok(())
        })?
    }

    /// How many of these events there were.
    fn count(some: &[&str], others: &[&str]) -> (usize, usize) {
        let count = |names: &[&str]| test().log.iter().filter(|name| names.contains(name)).count();
        (count(some), count(others))
    }

    pub(super) fn this_machine_is_its_loopback_and_hosts_may_be_several() -> Outcome {
        const AT: &[At] = &[
            at("127.0.0.1:80", "4", "", 1, REFUSED),
            at("[::1]:80", "6", "", 1, REFUSED),
            at("192.0.2.1:80", "mill", "", 1, REFUSED),
        ];
        const ONE: &[Name] = &[("mill", &["192.0.2.1:0"])];
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            check_eq!(error_of(connect(net(AT, ONE), ("", 80))).await?.errors().len(), 2);
            let several = connect(net(AT, ONE), (["::1", "mill"], 80));
            check_eq!(error_of(several).await?.errors().len(), 2);
            Outcome::Ok(())
        })??;
        check_events!["4", "", "6", "", "asked", "answered", "6", "", "mill", ""];
        Ok(())
    }
}
