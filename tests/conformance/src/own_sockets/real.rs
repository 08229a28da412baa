//! Over this machine's loopback.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use core::cell::RefCell;
use core::net::{Ipv4Addr, SocketAddr};
use molen::dns::{
    AddrInfo, AddrInfoQuery, DnsError, DnsFailure, Lookup, NameInfo, NameInfoFlags, Resolver,
    ResolverEventLoop,
};
use molen::get_running_loop;
use molen::io::source::SourceError;
use molen::net::{
    Answer, ExtraInfo, ExtraValue, Protocol, Server, StreamReader, StreamWriter, TcpStream,
    Transport, connect_accepted_socket, create_connection_with_sock, create_server,
    create_server_with_socks, open_connection, open_connection_with_sock, start_server,
    start_server_with_socks,
};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream as StdStream};
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Sends back what comes.
struct Echo;

impl Protocol for Echo {
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        transport.write(data)?;
        Ok(())
    }
}

/// Says a line, and that is it.
async fn greet(_reader: StreamReader, writer: StreamWriter) {
    let _ = writer.write(b"hello\n");
    let _ = writer.drain().await;
}

/// Fails unless `address` greets.
async fn is_greeted(address: SocketAddr) -> Outcome {
    let (mut reader, _writer) = ok(open_connection(address).await)?;
    check_eq!(reader.readline().await?, b"hello\n");
    Ok(())
}

/// Both ends of a connection, as the standard library has them.
fn standard_pair() -> Result<(StdStream, StdStream), Failure> {
    let listener = ok(TcpListener::bind(ANY))?;
    let client = ok(StdStream::connect(ok(listener.local_addr())?))?;
    let (server, _peer) = ok(listener.accept())?;
    Ok((client, server))
}

pub(super) fn servers_that_share_a_port_share_its_connections() -> Outcome {
    run(async {
        let first = start_server(ANY, greet).reuse_port(true).await;
        if cfg!(windows) {
            let error = first.err().ok_or_else(|| Failure::said("it listens"))?;
            let unsupported = matches!(error.source_error(), Some(SourceError::Unsupported(_)));
            check!(unsupported, "another error");
            return Err(Failure::Unsupported("sockets of Windows cannot share a port"));
        }
        let first = ok(first)?;
        let address = first.addresses()[0];
        let counted = Rc::new(RefCell::new(0));
        let count = counted.clone();
        let second = start_server(address, move |reader, writer| {
            *count.borrow_mut() += 1;
            greet(reader, writer)
        });
        let second = ok(second.reuse_port(true).await)?;
        check_eq!(second.addresses(), [address]);
        for _ in 0..64 {
            is_greeted(address).await?;
        }
        if cfg!(target_os = "linux") {
            // Each alone may take all of them once in 2^63 runs.
            let by_second = *counted.borrow();
            check!((1..64).contains(&by_second), "one server took all connections");
        }
        // Who does not share is not let in.
        let third = start_server(address, greet).await.err();
        let third = third.ok_or_else(|| Failure::said("it listens"))?;
        check_eq!(third.source_error(), Some(SourceError::AddressInUse));
        first.close();
        is_greeted(address).await?;
        second.close();
        Ok(())
    })
}

pub(super) fn an_accepted_socket_of_the_standard_library_gets_a_protocol() -> Outcome {
    run(async {
        let (mut client, server) = standard_pair()?;
        let address = ok(server.local_addr())?;
        let transport = ok(connect_accepted_socket(ok(TcpStream::from_std(server))?, Echo).await)?;
        let sock_name = transport.get_extra_info(ExtraInfo::SockName);
        check_eq!(sock_name, Some(ExtraValue::Address(address)));
        let client = std::thread::spawn(move || {
            client.write_all(b"hello\n")?;
            client.shutdown(std::net::Shutdown::Write)?;
            let mut heard = String::new();
            client.read_to_string(&mut heard)?;
            std::io::Result::Ok(heard)
        });
        let heard = molen::to_thread(move || client.join()).await;
        let heard = ok(heard)?.map_err(|_panic| Failure::said("the client panicked"))?;
        check_eq!(ok(heard)?, "hello\n");
        Ok(())
    })
}

/// Knows nothing, and writes down what it is asked for.
#[derive(Default)]
struct Ignorant(RefCell<Vec<String>>);

impl Resolver for Ignorant {
    fn getaddrinfo(&self, query: AddrInfoQuery) -> Lookup<Vec<AddrInfo>> {
        let question = query.to_string();
        self.0.borrow_mut().push(question.clone());
        let cause = DnsFailure::NotFound;
        std::boxed::Box::pin(core::future::ready(Err(DnsError { question, cause })))
    }

    fn getnameinfo(&self, address: SocketAddr, _flags: NameInfoFlags) -> Lookup<NameInfo> {
        let error = DnsError { question: address.to_string(), cause: DnsFailure::NotFound };
        std::boxed::Box::pin(core::future::ready(Err(error)))
    }
}

pub(super) fn addresses_in_numbers_ask_no_resolver() -> Outcome {
    run(async {
        let resolver = Rc::new(Ignorant::default());
        ok(ok(get_running_loop())?.set_resolver(Some(resolver.clone())))?;
        let server = ok(start_server(("127.0.0.1", 0), greet).await)?;
        let port = server.addresses()[0].port();
        let text = std::format!("127.0.0.1:{port}");
        let (mut reader, _writer) = ok(open_connection(("127.0.0.1", port)).await)?;
        check_eq!(reader.readline().await?, b"hello\n");
        let (mut reader, _writer) = ok(open_connection(&*text).local_address("127.0.0.1:0").await)?;
        check_eq!(reader.readline().await?, b"hello\n");
        check!(resolver.0.borrow().is_empty(), "the resolver was asked for an address");
        let error = open_connection(("mill.test", port)).await.err();
        let error = error.ok_or_else(|| Failure::said("it connected"))?;
        check_eq!(
            error.to_string(),
            std::format!("cannot connect to mill.test:{port}: there is no such name")
        );
        check_eq!(*resolver.0.borrow(), [std::format!("mill.test, service {port}")]);
        Ok(())
    })
}

pub(super) fn a_connection_that_stands_gets_streams_or_a_protocol() -> Outcome {
    run(async {
        let (client, server) = standard_pair()?;
        let peer = ok(client.peer_addr())?;
        let transport = ok(create_connection_with_sock(server, Echo).await)?;
        let (mut reader, writer) = ok(open_connection_with_sock(client).limit(100).await)?;
        check_eq!(writer.get_extra_info(ExtraInfo::PeerName), Some(ExtraValue::Address(peer)));
        ok(writer.write(b"hello\n"))?;
        check_eq!(reader.readline().await?, b"hello\n");
        transport.close();
        check_eq!(reader.readline().await?, b"");
        Ok(())
    })?;
    // The address says which socket it was.
    let (client, _server) = standard_pair()?;
    let peer = ok(client.peer_addr())?;
    let waker = core::task::Waker::noop();
    let mut connecting = core::future::IntoFuture::into_future(open_connection_with_sock(client));
    let refused = match connecting.as_mut().poll(&mut core::task::Context::from_waker(waker)) {
        core::task::Poll::Ready(Err(error)) => error,
        _ => return Err(Failure::said("it needs no loop")),
    };
    check_eq!(
        refused.to_string(),
        std::format!("cannot connect to {peer}: no event loop is running on this thread")
    );
    Ok(())
}

/// Listening sockets of the standard library, and their addresses.
fn standard_listeners<const N: usize>() -> Result<([TcpListener; N], Vec<SocketAddr>), Failure> {
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for _ in 0..N {
        let listener = ok(TcpListener::bind(ANY))?;
        addresses.push(ok(listener.local_addr())?);
        listeners.push(listener);
    }
    let listeners = listeners.try_into().map_err(|_other| Failure::said("as many as asked for"))?;
    Ok((listeners, addresses))
}

pub(super) fn a_server_accepts_from_the_sockets_that_it_is_given() -> Outcome {
    run(async {
        let (listeners, addresses) = standard_listeners::<2>()?;
        let server = start_server_with_socks(listeners, greet).backlog(5).keep_alive(true);
        let server: Server = ok(server.await)?;
        check_eq!(server.addresses(), addresses);
        for address in addresses {
            is_greeted(address).await?;
        }
        server.close();
        let (listeners, addresses) = standard_listeners::<1>()?;
        let server = ok(create_server_with_socks(listeners, || Echo).await)?;
        let (mut reader, writer) = ok(open_connection(addresses[0]).await)?;
        ok(writer.write(b"hello\n"))?;
        check_eq!(reader.readline().await?, b"hello\n");
        server.close();
        // Two handles of one socket: only one of them could be waited for.
        let ([listener], addresses) = standard_listeners::<1>()?;
        let twice = [ok(listener.try_clone())?, listener];
        let refused = create_server_with_socks(twice, || Echo).await.err();
        let refused = refused.ok_or_else(|| Failure::said("it listens twice"))?;
        check_eq!(refused.source_error(), Some(SourceError::AddressInUse));
        // It has let go of them.
        ok(create_server(addresses[0], || Echo).await)?.close();
        let none = create_server_with_socks([], || Echo).await;
        check!(none.is_err(), "it listens without a socket");
        Ok(())
    })
}

#[cfg(any(target_os = "linux", windows))]
pub(super) fn sockets_from_elsewhere_carry_tls() -> Outcome {
    use molen::tls::{ClientContext, ServerContext};
    let identity = ok(rcgen::generate_simple_self_signed(["localhost".to_string()]))?;
    let certificate = identity.cert.pem();
    let server_context =
        ok(ServerContext::from_pem(&certificate, identity.signing_key.serialize_pem()))?;
    let client_context = ok(ClientContext::with_roots_pem(&certificate))?;
    run(async move {
        let (listeners, addresses) = standard_listeners::<1>()?;
        let server = start_server_with_socks(listeners, greet).tls(&server_context);
        let server = ok(server.await)?;
        let connect = || ok(StdStream::connect(addresses[0]));
        let secured = open_connection_with_sock(connect()?).tls(&client_context);
        let (mut reader, _writer) = ok(secured.server_hostname("localhost").await)?;
        check_eq!(reader.readline().await?, b"hello\n");
        // Without a name it is the peer's address, which the certificate does not have.
        let unnamed = open_connection_with_sock(connect()?).tls(&client_context).await;
        check!(unnamed.is_err(), "any name will do");
        server.close();
        Ok(())
    })
}

#[cfg(not(any(target_os = "linux", windows)))]
pub(super) fn sockets_from_elsewhere_carry_tls() -> Outcome {
    Err(Failure::Unsupported("no TLS engine is built for this platform"))
}
