//! Questions that this machine answers by itself.

use crate::case::Outcome;
use crate::fixture::{OnDrop, event};
use crate::real::{ok, run};
use core::net::{Ipv4Addr, SocketAddr};
use molen::dns::{
    AddrInfo, AddrInfoFlags, AddrInfoHints, AddrInfoQuery, DnsError, DnsFailure, Family, Lookup,
    NameInfo, NameInfoFlags, Resolver, ResolverEventLoop, SocketType, SystemResolver, getaddrinfo,
    getnameinfo,
};
use molen::executor::{Executor, Job, Refused};
use molen::{ThreadPoolExecutor, create_task, get_running_loop, run_in_executor, yield_now};
use std::boxed::Box;
use std::num::NonZero;
use std::rc::Rc;
use std::string::ToString;
use std::sync::{Arc, Mutex, PoisonError};
use std::vec;
use std::vec::Vec;

const STREAM: AddrInfoHints = AddrInfoHints {
    family: Family::Any,
    socket_type: SocketType::Stream,
    protocol: 0,
    flags: AddrInfoFlags::NONE,
};

pub(super) fn localhost_is_this_machine() -> Outcome {
    run(async {
        let found = ok(getaddrinfo(Some("localhost"), 80, STREAM).await)?;
        check!(!found.is_empty(), "it has no address");
        for info in found {
            check!(info.address.ip().is_loopback(), "it is another machine");
            check_eq!((info.address.port(), info.socket_type), (80, SocketType::Stream));
        }
        Ok(())
    })
}

/// Knows one name; notes each question, and its end.
struct Phonebook {
    _end: OnDrop,
}

impl Resolver for Phonebook {
    fn getaddrinfo(&self, query: AddrInfoQuery) -> Lookup<Vec<AddrInfo>> {
        event("asked");
        Box::pin(async move {
            yield_now().await;
            match query.host.as_deref() {
                Some("mill") => Ok(vec![AddrInfo {
                    socket_type: SocketType::Stream,
                    protocol: 6,
                    canonical_name: None,
                    address: SocketAddr::from(([192, 0, 2, 1], 80)),
                }]),
                host => Err(DnsError {
                    question: host.unwrap_or_default().to_string(),
                    cause: DnsFailure::NotFound,
                }),
            }
        })
    }

    fn getnameinfo(&self, address: SocketAddr, _flags: NameInfoFlags) -> Lookup<NameInfo> {
        event("asked for a name");
        let service = address.port().to_string();
        Box::pin(async move { Ok(NameInfo { host: "mill".into(), service }) })
    }
}

fn phonebook() -> Rc<Phonebook> {
    Rc::new(Phonebook { _end: OnDrop("dropped") })
}

pub(super) fn an_address_in_numbers_asks_nobody() -> Outcome {
    run(async {
        ok(get_running_loop()?.set_resolver(Some(phonebook())))?;
        for (host, expected) in [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")] {
            let found = ok(getaddrinfo(Some(host), 80, STREAM).await)?;
            check_eq!(found[0].address.to_string(), expected);
        }
        let numbers = NameInfoFlags::NUMERIC_HOST | NameInfoFlags::NUMERIC_SERVICE;
        let found = ok(getnameinfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 80)), numbers).await)?;
        check_eq!((&*found.host, &*found.service), ("127.0.0.1", "80"));
        check_events!();
        Ok(())
    })
}

pub(super) fn a_resolver_of_ones_own_is_asked() -> Outcome {
    run(async {
        let event_loop = get_running_loop()?;
        ok(event_loop.set_resolver(Some(phonebook())))?;
        let found = ok(getaddrinfo(Some("mill"), 80, STREAM).await)?;
        check_eq!(found[0].address, SocketAddr::from(([192, 0, 2, 1], 80)));
        let refused = getaddrinfo(Some("tower"), 80, STREAM).await.map_err(|error| error.cause);
        check_matches!(refused, Err(DnsFailure::NotFound));
        let name = ok(getnameinfo(found[0].address, NameInfoFlags::NONE).await)?;
        check_eq!(name.host, "mill");
        drop(ok(event_loop.set_resolver(None))?);
        ok(getaddrinfo(Some("localhost"), 80, STREAM).await)?;
        check_events!("asked", "asked", "asked for a name", "dropped");
        Ok(())
    })
}

pub(super) fn a_full_default_executor_does_not_hold_names_up() -> Outcome {
    let (open, door) = std::sync::mpsc::channel::<()>();
    run(async move {
        let small = ThreadPoolExecutor::new(NonZero::<usize>::MIN, "small");
        get_running_loop()?.set_default_executor(Some(Arc::new(small)));
        let blocked = run_in_executor(None, move || door.recv().is_err());
        let blocked = ok(blocked.map_err(|refused| refused.reason))?;
        ok(getaddrinfo(Some("localhost"), 80, STREAM).await)?;
        drop(open);
        check!(ok(blocked.await)?, "it was not blocked");
        Ok(())
    })
}

/// Takes jobs and runs none.
#[derive(Default)]
struct Desk(Mutex<Vec<Job>>);

impl Executor for Desk {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        Ok(())
    }
}

pub(super) fn a_cancelled_question_is_withdrawn() -> Outcome {
    run(async {
        let desk = Arc::new(Desk::default());
        let withdrawn = || {
            let jobs = desk.0.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.iter().map(Job::is_cancelled).collect::<Vec<_>>()
        };
        let resolver = SystemResolver::with_executor(desk.clone());
        ok(get_running_loop()?.set_resolver(Some(Rc::new(resolver))))?;
        let task = create_task(getaddrinfo(Some("localhost"), 80, STREAM))?;
        yield_now().await;
        check_eq!(withdrawn(), [false]);
        task.cancel();
        check!(task.await.is_err(), "it was not cancelled");
        check_eq!(withdrawn(), [true]);
        Ok(())
    })
}

pub(super) fn what_is_no_name_is_not_found() -> Outcome {
    run(async {
        let numbers = AddrInfoHints { flags: AddrInfoFlags::NUMERIC_HOST, ..STREAM };
        let refused = getaddrinfo(Some("no.number"), 80, numbers).await;
        check_matches!(refused.map_err(|error| error.cause), Err(DnsFailure::NotFound));
        let refused = getaddrinfo(Some("a\0b"), 80, STREAM).await;
        check_matches!(refused.map_err(|error| error.cause), Err(DnsFailure::Os(_)));
        Ok(())
    })
}

pub(super) fn an_address_has_a_name_and_its_port_a_service() -> Outcome {
    run(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
        let found = ok(getnameinfo(address, NameInfoFlags::NUMERIC_HOST).await)?;
        check_eq!((&*found.host, &*found.service), ("127.0.0.1", "http"));
        Ok(())
    })
}

pub(super) fn closing_the_loop_lets_go_of_its_resolver() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    ok(event_loop.set_resolver(Some(phonebook())))?;
    event_loop.close()?;
    check_events!("dropped");
    Ok(())
}
