//! Names by hickory on the loop, asked of name servers of ours on the loopback.

mod local;

use core::cell::RefCell;
use local::{ANY_PORT, run};
use molen_core::get_running_loop;
use molen_core::{Duration, all_tasks, create_task, sleep, timeout};
use molen_std::dns::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts, ServerOrderingStrategy,
};
use molen_std::dns::hickory_resolver::proto::op::{Message, Query, ResponseCode};
use molen_std::dns::hickory_resolver::proto::rr::rdata::{CNAME, PTR};
use molen_std::dns::hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use molen_std::dns::{
    AddrInfo, AddrInfoFlags, AddrInfoHints, DnsError, DnsFailure, Family, HickoryResolver,
    NameInfoFlags, Resolver, ResolverEventLoop, Service, SocketType, getaddrinfo, getnameinfo,
};
use molen_std::net::{TcpListener, UdpSocket, open_connection, start_server};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// What a server of ours does with a question.
enum Reply {
    Records(Vec<RData>),
    Code(ResponseCode),
    Truncated,
    Silence,
}
use Reply::{Code, Records, Silence, Truncated};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Via {
    Udp,
    Tcp,
}

/// A question that a server was asked.
#[derive(Clone, Debug)]
struct Asked {
    name: String,
    record_type: RecordType,
    via: Via,
    from: SocketAddr,
}

/// A name server of the running loop.
struct Server {
    address: SocketAddr,
    asked: Rc<RefCell<Vec<Asked>>>,
}

impl Server {
    /// One whose answers are those of `reply`, to a name in lower case.
    fn new(reply: impl Fn(&str, RecordType, Via) -> Reply + 'static) -> Server {
        let (udp, tcp) = (0..16).find_map(|_| both_on_one_port()).expect("a free port");
        let server = Server { address: udp.local_addr().unwrap(), asked: Rc::default() };
        let (asked, reply) = (server.asked.clone(), Rc::new(reply));
        let answer = move |message: &[u8], via, from| {
            let question = Message::from_vec(message).unwrap();
            let query = question.queries[0].clone();
            let (name, record_type) = (query.name().to_ascii().to_lowercase(), query.query_type());
            let reply = reply(&name, record_type, via);
            asked.borrow_mut().push(Asked { name, record_type, via, from });
            answer(&question, query, reply)
        };
        let by_udp = answer.clone();
        let receiving = create_task(async move {
            let mut message = [0; 1500];
            loop {
                // What Windows tells of a resolver that is gone is no message.
                let Ok((length, from)) = udp.recv_from(&mut message).await else { continue };
                if let Some(answer) = by_udp(&message[..length], Via::Udp, from) {
                    let _gone = udp.send_to(&answer, from).await;
                }
            }
        });
        receiving.unwrap().detach();
        let accepting = create_task(async move {
            loop {
                let (stream, from) = tcp.accept().await.unwrap();
                let mut length = [0; 2];
                if !read_exactly(&stream, &mut length).await {
                    continue;
                }
                let mut message = vec![0; u16::from_be_bytes(length).into()];
                if !read_exactly(&stream, &mut message).await {
                    continue;
                }
                if let Some(answer) = answer(&message, Via::Tcp, from) {
                    let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                    stream.write_all(&[&length, &answer[..]].concat()).await.unwrap();
                }
            }
        });
        accepting.unwrap().detach();
        server
    }

    fn asked(&self) -> Vec<(String, RecordType, Via)> {
        let asked = self.asked.borrow();
        let mut all: Vec<_> =
            asked.iter().map(|one| (one.name.clone(), one.record_type, one.via)).collect();
        all.sort_by_key(|(name, record_type, _)| (name.clone(), u16::from(*record_type)));
        all
    }
}

fn both_on_one_port() -> Option<(UdpSocket, TcpListener)> {
    let tcp = TcpListener::bind(ANY_PORT).unwrap();
    let udp = UdpSocket::bind(tcp.local_addr().unwrap()).ok()?;
    Some((udp, tcp))
}

async fn read_exactly(stream: &molen_std::net::TcpStream, mut buffer: &mut [u8]) -> bool {
    while !buffer.is_empty() {
        match stream.read(buffer).await {
            Ok(count) if count > 0 => buffer = &mut buffer[count..],
            _ => return false,
        }
    }
    true
}

fn answer(question: &Message, query: Query, reply: Reply) -> Option<Vec<u8>> {
    let mut message = Message::response(question.id, question.op_code);
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    let mut name = query.name().clone();
    message.add_query(query);
    match reply {
        Silence => return None,
        Code(code) => message.metadata.response_code = code,
        Truncated => message.metadata.truncation = true,
        Records(all) => {
            for data in all {
                let owner = name.clone();
                if let RData::CNAME(CNAME(target)) = &data {
                    name = target.clone();
                }
                message.add_answer(Record::from_rdata(owner, 60, data));
            }
        }
    }
    Some(message.to_vec().unwrap())
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn address(text: &str) -> RData {
    ip(text).into()
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// Knows `mill.test`, of both families.
fn mill(asked: &str, record_type: RecordType, _via: Via) -> Reply {
    match (asked, record_type) {
        ("mill.test.", RecordType::A) => Records(vec![address("127.0.0.1")]),
        ("mill.test.", RecordType::AAAA) => Records(vec![address("::1")]),
        _ => Code(ResponseCode::NXDomain),
    }
}

/// The running loop asks `resolver` from now on.
fn use_resolver(resolver: Result<HickoryResolver, DnsError>) {
    let resolver: Rc<dyn Resolver> = Rc::new(resolver.unwrap());
    get_running_loop().unwrap().set_resolver(Some(resolver)).unwrap();
}

fn use_servers(servers: &[&Server]) {
    use_resolver(HickoryResolver::with_servers(servers.iter().map(|server| server.address)));
}

/// As [`use_servers`], one server after the other in their order, each for
/// `limit` and twice at most.
fn use_servers_in_order(servers: &[&Server], limit: Duration) {
    let configured = servers.iter().map(|server| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let connections = connections.map(|mut connection| {
            connection.port = server.address.port();
            connection
        });
        NameServerConfig::new(server.address.ip(), true, connections.into())
    });
    let mut config = ResolverConfig::from_name_servers(configured.collect());
    config.add_search(name("test."));
    let mut options = ResolverOpts::default();
    options.timeout = limit;
    options.attempts = 1;
    options.num_concurrent_reqs = 1;
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    use_resolver(HickoryResolver::with_config(config, options));
}

const STREAM: AddrInfoHints = AddrInfoHints {
    family: Family::Any,
    socket_type: SocketType::Stream,
    protocol: 0,
    flags: AddrInfoFlags::NONE,
};

async fn look_up(
    host: &str,
    service: impl Into<Service>,
    hints: AddrInfoHints,
) -> Result<Vec<AddrInfo>, DnsError> {
    timeout(Duration::from_secs(60), getaddrinfo(Some(host), service, hints)).await.unwrap()
}

/// The addresses, in an order of their own: which family comes first depends on
/// whether this machine has IPv6.
fn sorted(found: &[AddrInfo]) -> Vec<String> {
    let mut addresses: Vec<_> = found.iter().map(|info| info.address.to_string()).collect();
    addresses.sort();
    addresses
}

#[test]
fn both_families_are_asked_for_and_fresh_answers_are_kept() {
    run(async {
        let server = Server::new(mill);
        use_servers(&[&server]);
        let tasks = all_tasks().len();
        for _ in 0..2 {
            let found = look_up("mill.test", 80, STREAM).await.unwrap();
            assert_eq!(sorted(&found), ["127.0.0.1:80", "[::1]:80"]);
            assert_eq!((found[0].socket_type, found[0].protocol), (SocketType::Stream, 6));
        }
        let once = |record_type| ("mill.test.".to_owned(), record_type, Via::Udp);
        assert_eq!(server.asked(), [once(RecordType::A), once(RecordType::AAAA)]);
        let hints = AddrInfoHints { family: Family::Inet, ..STREAM };
        let found = look_up("mill.test", 7, hints).await.unwrap();
        assert_eq!(sorted(&found), ["127.0.0.1:7"]);
        // What it runs is not the program's.
        assert_eq!(all_tasks().len(), tasks);
    });
}

#[test]
fn what_has_no_route_comes_last_and_aliases_have_a_canonical_name() {
    run(async {
        let server = Server::new(|_name, record_type, _via| match record_type {
            RecordType::A => Records(vec![
                RData::CNAME(CNAME(name("wind.test."))),
                RData::CNAME(CNAME(name("tower.test."))),
                // To broadcast needs an option that sockets for connections lack.
                address("255.255.255.255"),
                address("127.0.0.1"),
            ]),
            _ => Records(vec![]),
        });
        use_servers(&[&server]);
        let hints = AddrInfoHints { flags: AddrInfoFlags::CANONICAL_NAME, ..STREAM };
        let found = look_up("mill.test", 80, hints).await.unwrap();
        let addresses: Vec<_> = found.iter().map(|info| info.address.to_string()).collect();
        assert_eq!(addresses, ["127.0.0.1:80", "255.255.255.255:80"]);
        assert_eq!(found[0].canonical_name.as_deref(), Some("tower.test"));
        assert_eq!(found[1].canonical_name, None);
        let hints = AddrInfoHints { flags: AddrInfoFlags::ADDRESS_CONFIGURED, ..STREAM };
        assert_eq!(sorted(&look_up("mill.test", 80, hints).await.unwrap()), ["127.0.0.1:80"]);
    });
}

#[test]
fn names_that_are_not_are_not_found() {
    run(async {
        let server = Server::new(|name, _type, _via| match name {
            "empty.test." => Records(vec![]),
            _ => Code(ResponseCode::NXDomain),
        });
        use_servers(&[&server]);
        let error = look_up("tower.test", 80, STREAM).await.unwrap_err();
        assert!(matches!(error.cause, DnsFailure::NotFound), "{error:?}");
        assert_eq!(
            error.to_string(),
            "cannot resolve tower.test, service 80: there is no such name"
        );
        let long = "a".repeat(64) + ".test";
        for host in ["empty.test", &long, "a..test"] {
            let error = look_up(host, 80, STREAM).await.unwrap_err();
            assert!(matches!(error.cause, DnsFailure::NotFound), "{host}: {error:?}");
        }
        let asked = server.asked().len();
        let hints = AddrInfoHints { flags: AddrInfoFlags::NUMERIC_HOST, ..STREAM };
        let error = look_up("mill.test", 80, hints).await.unwrap_err();
        assert!(matches!(error.cause, DnsFailure::NotFound), "{error:?}");
        assert_eq!(server.asked().len(), asked);
    });
}

#[test]
fn a_server_that_fails_is_followed_by_the_next() {
    run(async {
        let broken = Server::new(|_name, _type, _via| Code(ResponseCode::ServFail));
        let good = Server::new(mill);
        use_servers_in_order(&[&broken, &good], Duration::from_secs(30));
        let found = look_up("mill.test", 80, STREAM).await.unwrap();
        assert_eq!(sorted(&found), ["127.0.0.1:80", "[::1]:80"]);
        assert!(!broken.asked().is_empty());
        assert_eq!(good.asked().len(), 2);
        use_servers_in_order(&[&broken], Duration::from_secs(30));
        let error = look_up("mill.test", 80, STREAM).await.unwrap_err();
        assert!(matches!(error.cause, DnsFailure::TryAgain), "{error:?}");
        assert_eq!(
            error.to_string(),
            "cannot resolve mill.test, service 80: no name server answers now"
        );
    });
}

#[test]
fn a_server_that_is_silent_is_not_waited_for_longer_than_was_said() {
    run(async {
        let silent = Server::new(|_name, _type, _via| Silence);
        use_servers_in_order(&[&silent], Duration::from_millis(100));
        let error = look_up("mill.test.", 80, STREAM).await.unwrap_err();
        assert!(matches!(error.cause, DnsFailure::TryAgain), "{error:?}");
        assert!(!silent.asked().is_empty());
        // By default two servers are asked at once.
        let good = Server::new(mill);
        use_servers(&[&silent, &good]);
        let found = timeout(Duration::from_secs(4), look_up("mill.test", 80, STREAM)).await;
        assert_eq!(sorted(&found.unwrap().unwrap()), ["127.0.0.1:80", "[::1]:80"]);
    });
}

#[test]
fn a_truncated_answer_is_asked_for_again_over_tcp() {
    run(async {
        let server = Server::new(|name, record_type, via| match (via, record_type) {
            (Via::Udp, _) => Truncated,
            (Via::Tcp, RecordType::A) => {
                Records((1..=200).map(|last| address(&format!("127.0.1.{last}"))).collect())
            }
            _ => mill(name, record_type, via),
        });
        use_servers(&[&server]);
        let hints = AddrInfoHints { family: Family::Inet, ..STREAM };
        assert_eq!(look_up("mill.test", 80, hints).await.unwrap().len(), 200);
        let one = |via| ("mill.test.".to_owned(), RecordType::A, via);
        assert_eq!(server.asked(), [one(Via::Udp), one(Via::Tcp)]);
    });
}

#[test]
fn a_question_that_is_given_up_leaves_no_socket() {
    run(async {
        let silent = Server::new(|_name, _type, _via| Silence);
        use_servers(&[&silent]);
        let task = create_task(look_up("mill.test", 80, STREAM)).unwrap();
        while silent.asked.borrow().len() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
        let sockets: Vec<_> = silent.asked.borrow().iter().map(|asked| asked.from).collect();
        for socket in &sockets {
            assert!(UdpSocket::bind(*socket).is_err(), "{socket} is the question's");
        }
        task.cancel();
        assert!(task.await.is_err());
        for socket in &sockets {
            UdpSocket::bind(*socket).unwrap();
        }
    });
}

#[test]
fn services_have_names_and_each_kind_of_socket_has_an_answer() {
    run(async {
        let server = Server::new(mill);
        use_servers(&[&server]);
        let hints = AddrInfoHints { family: Family::Inet, ..STREAM };
        let found = look_up("mill.test", "http", hints).await.unwrap();
        assert_eq!(sorted(&found), ["127.0.0.1:80"]);
        let any = AddrInfoHints { family: Family::Inet, ..Default::default() };
        let found = look_up("mill.test", 80, any).await.unwrap();
        let has = |wanted| found.iter().any(|info| info.socket_type == wanted);
        // Windows may have one for all.
        let all = has(SocketType::Stream) && has(SocketType::Datagram);
        assert!(all || (cfg!(windows) && has(SocketType::Any)), "{found:?}");
        let error = look_up("mill.test", "no-such-service", STREAM).await.unwrap_err();
        assert!(
            error.to_string().starts_with("cannot resolve mill.test, service no-such-service: ")
        );
    });
}

#[test]
fn addresses_have_names() {
    run(async {
        let server = Server::new(|name_asked, record_type, _via| match (name_asked, record_type) {
            ("1.2.0.192.in-addr.arpa.", RecordType::PTR) => {
                Records(vec![RData::PTR(PTR(name("mill.test.")))])
            }
            _ => Code(ResponseCode::NXDomain),
        });
        use_servers(&[&server]);
        let known: SocketAddr = "192.0.2.1:80".parse().unwrap();
        let found = getnameinfo(known, NameInfoFlags::NONE).await.unwrap();
        assert_eq!((&*found.host, &*found.service), ("mill.test", "http"));
        let found = getnameinfo(known, NameInfoFlags::NUMERIC_SERVICE).await.unwrap();
        assert_eq!((&*found.host, &*found.service), ("mill.test", "80"));
        let asked = server.asked().len();
        let found = getnameinfo(known, NameInfoFlags::NUMERIC_HOST).await.unwrap();
        assert_eq!((&*found.host, &*found.service), ("192.0.2.1", "http"));
        assert_eq!(server.asked().len(), asked);
        let unknown: SocketAddr = "192.0.2.2:80".parse().unwrap();
        let found = getnameinfo(unknown, NameInfoFlags::NUMERIC_SERVICE).await.unwrap();
        assert_eq!((&*found.host, &*found.service), ("192.0.2.2", "80"));
        let error = getnameinfo(unknown, NameInfoFlags::NAME_REQUIRED).await.unwrap_err();
        assert!(matches!(error.cause, DnsFailure::NotFound), "{error:?}");
        assert_eq!(error.to_string(), "cannot resolve 192.0.2.2:80: there is no such name");
    });
}

#[test]
fn short_names_are_completed_and_this_machine_is_not_asked_for() {
    run(async {
        let server = Server::new(mill);
        use_servers_in_order(&[&server], Duration::from_secs(30));
        let found = look_up("mill", 80, STREAM).await.unwrap();
        assert_eq!(sorted(&found), ["127.0.0.1:80", "[::1]:80"]);
        let asked = server.asked().len();
        for info in look_up("localhost", 80, STREAM).await.unwrap() {
            assert!(info.address.ip().is_loopback());
        }
        let found = getaddrinfo(None, 80, STREAM).await.unwrap();
        assert!(found.iter().all(|info| info.address.ip().is_loopback()));
        let numbers = look_up("127.0.0.1", 80, AddrInfoHints::default()).await.unwrap();
        assert_eq!(numbers[0].address, "127.0.0.1:80".parse().unwrap());
        assert_eq!(server.asked().len(), asked);
    });
}

#[test]
fn connections_by_name_ask_it() {
    run(async {
        let names = Server::new(mill);
        use_servers(&[&names]);
        let server = start_server(("mill.test", 0), async |_reader, writer| {
            let writer: molen_std::net::StreamWriter = writer;
            writer.write(b"flour\n").map_err(|error| error.to_string())?;
            writer.drain().await.map_err(|error| error.to_string())
        });
        let server = server.await.unwrap();
        let port = server.addresses()[0].port();
        let (mut reader, _writer) = open_connection(("mill.test", port)).await.unwrap();
        assert_eq!(reader.readline().await.unwrap(), b"flour\n");
        let error = open_connection(("tower.test", port)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot connect to tower.test:{port}: there is no such name")
        );
    });
}
