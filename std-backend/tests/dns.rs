//! The system's resolver, as far as this machine alone answers.

mod local;

use core::cell::RefCell;
use local::run;
use molen_core::executor::{Executor, Job, Refused};
use molen_core::{Duration, create_task, get_running_loop, run_in_executor, sleep, timeout};
use molen_std::ThreadPoolExecutor;
use molen_std::dns::{
    AddrInfo, AddrInfoFlags, AddrInfoHints, AddrInfoQuery, DnsError, DnsFailure, Family, Lookup,
    NameInfo, NameInfoFlags, Resolver, ResolverEventLoop, SocketType, SystemResolver, getaddrinfo,
    getnameinfo,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

const STREAM: AddrInfoHints = AddrInfoHints {
    family: Family::Any,
    socket_type: SocketType::Stream,
    protocol: 0,
    flags: AddrInfoFlags::NONE,
};

#[test]
fn localhost_is_this_machine_and_services_have_ports() {
    run(async {
        let found = getaddrinfo(Some("localhost"), "http", STREAM).await.unwrap();
        assert!(!found.is_empty());
        for info in found {
            assert!(info.address.ip().is_loopback());
            assert_eq!((info.address.port(), info.socket_type), (80, SocketType::Stream));
        }
        let hints = AddrInfoHints { family: Family::Inet, ..STREAM };
        let found = getaddrinfo(Some("localhost"), 7, hints).await.unwrap();
        assert_eq!(found[0].address, SocketAddr::from((Ipv4Addr::LOCALHOST, 7)));
        let hints = AddrInfoHints { flags: AddrInfoFlags::PASSIVE, ..hints };
        let found = getaddrinfo(None, 7, hints).await.unwrap();
        assert_eq!(found[0].address, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7)));
    });
}

#[test]
fn an_address_gives_an_answer_for_each_type_of_socket() {
    run(async {
        let found = getaddrinfo(Some("127.0.0.1"), 7, AddrInfoHints::default()).await.unwrap();
        let has = |wanted| found.iter().any(|info| info.socket_type == wanted);
        // Windows may have one for all.
        let all = has(SocketType::Stream) && has(SocketType::Datagram);
        assert!(all || (cfg!(windows) && has(SocketType::Any)), "{found:?}");
    });
}

#[test]
fn what_is_no_name_is_not_found() {
    run(async {
        let numbers = AddrInfoHints { flags: AddrInfoFlags::NUMERIC_HOST, ..STREAM };
        let error = getaddrinfo(Some("no.number"), 80, numbers).await.unwrap_err();
        assert!(matches!(error.cause, DnsFailure::NotFound), "{error}");
        assert_eq!(
            error.to_string(),
            "cannot resolve no.number, service 80: there is no such name"
        );
        let error = getaddrinfo(Some("a\0b"), 80, STREAM).await.unwrap_err();
        assert!(matches!(error.cause, DnsFailure::Os(_)), "{error}");
    });
}

#[test]
fn an_address_has_a_name_and_its_port_a_service() {
    run(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
        let found = getnameinfo(address, NameInfoFlags::NUMERIC_HOST).await.unwrap();
        assert_eq!((&*found.host, &*found.service), ("127.0.0.1", "http"));
        let found = getnameinfo(address, NameInfoFlags::NUMERIC_SERVICE).await.unwrap();
        assert_eq!(found.service, "80");
        assert!(!found.host.is_empty());
    });
}

#[test]
fn a_full_default_executor_does_not_hold_names_up() {
    let (open, door) = std::sync::mpsc::channel::<()>();
    let door = Arc::new(Mutex::new(door));
    run(async {
        let event_loop = get_running_loop().unwrap();
        let small = ThreadPoolExecutor::new(NonZero::<usize>::MIN, "small");
        event_loop.set_default_executor(Some(Arc::new(small)));
        let blocked = run_in_executor(None, move || door.lock().unwrap().recv()).unwrap();
        let found = timeout(Duration::from_secs(30), getaddrinfo(Some("localhost"), 80, STREAM));
        assert!(found.await.unwrap().is_ok());
        drop(open);
        assert!(blocked.await.unwrap().is_err());
    });
}

/// Takes jobs and runs none.
#[derive(Default)]
struct Desk(Mutex<Vec<Job>>);

impl Executor for Desk {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        self.0.lock().unwrap().push(job);
        Ok(())
    }
}

#[test]
fn a_cancelled_question_is_withdrawn() {
    run(async {
        let desk = Arc::new(Desk::default());
        let resolver = SystemResolver::with_executor(desk.clone());
        get_running_loop().unwrap().set_resolver(Some(Rc::new(resolver))).unwrap();
        let task = create_task(getaddrinfo(Some("localhost"), 80, STREAM)).unwrap();
        sleep(Duration::ZERO).await;
        assert!(!desk.0.lock().unwrap()[0].is_cancelled());
        task.cancel();
        assert!(task.await.is_err());
        assert!(desk.0.lock().unwrap()[0].is_cancelled());
    });
}

/// Knows one name.
#[derive(Default)]
struct Phonebook(RefCell<Vec<String>>);

impl Resolver for Phonebook {
    fn getaddrinfo(&self, query: AddrInfoQuery) -> Lookup<Vec<AddrInfo>> {
        let question = query.host.unwrap_or_default().into_string();
        self.0.borrow_mut().push(question.clone());
        Box::pin(async move {
            sleep(Duration::from_millis(1)).await;
            match &*question {
                "mill" => Ok(vec![AddrInfo {
                    socket_type: SocketType::Stream,
                    protocol: 6,
                    canonical_name: None,
                    address: SocketAddr::from(([192, 0, 2, 1], 80)),
                }]),
                _ => Err(DnsError { question, cause: DnsFailure::NotFound }),
            }
        })
    }

    fn getnameinfo(&self, address: SocketAddr, _flags: NameInfoFlags) -> Lookup<NameInfo> {
        Box::pin(async move {
            Ok(NameInfo { host: "mill".into(), service: address.port().to_string() })
        })
    }
}

#[test]
fn a_resolver_of_ones_own_is_asked_for_names_only() {
    run(async {
        let book = Rc::new(Phonebook::default());
        let event_loop = get_running_loop().unwrap();
        assert!(event_loop.set_resolver(Some(book.clone())).unwrap().is_none());
        let found = getaddrinfo(Some("mill"), 80, STREAM).await.unwrap();
        assert_eq!(found[0].address, SocketAddr::from(([192, 0, 2, 1], 80)));
        assert!(getaddrinfo(Some("tower"), 80, STREAM).await.is_err());
        getaddrinfo(Some("127.0.0.1"), 80, STREAM).await.unwrap();
        assert_eq!(*book.0.borrow(), ["mill", "tower"]);
        let found = getnameinfo(found[0].address, NameInfoFlags::NONE).await.unwrap();
        assert_eq!(found.host, "mill");
        assert!(event_loop.set_resolver(None).unwrap().is_some());
        assert!(getaddrinfo(Some("localhost"), 80, STREAM).await.is_ok());
    });
}
