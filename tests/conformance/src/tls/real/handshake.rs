//! Handshakes, and those that fail.

use super::authority::{ANY, Authority, both};
use super::by_hand::ByHand;
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::real::{ok, run};
use molen::net::{
    Answer, DEFAULT_LIMIT, ExtraInfo, ExtraValue, HostError, HostFailure, Protocol, Server, Start,
    StreamReader, StreamWriter, TcpListener, TcpStream, Transport, create_connection,
    open_connection, start_server,
};
use molen::tls::{
    CertificateProblem, ClientContext, ServerContext, Timeouts, TlsError, TlsInfo, connect_tls,
    create_tls_server, open_tls_streams, start_tls_stream_server,
};
use molen::{Duration, create_task, get_running_loop, sleep, timeout};
use molen::testing::drop_at_every_poll;
use std::rc::Rc;
use std::cell::RefCell;
use std::string::ToString;

/// Says nothing, and hears nothing.
pub(super) struct Silent;

impl Protocol for Silent {
    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        Ok(())
    }
}

/// A pair of streams to `server`, which is named `localhost`.
pub(super) async fn connect(
    server: &Server,
    context: &ClientContext,
) -> Result<(StreamReader, StreamWriter), Failure> {
    ok(open(server, context, "localhost").await?)
}

/// A pair of streams to `server`, or why not.
async fn open(
    server: &Server,
    context: &ClientContext,
    name: &str,
) -> Result<Result<(StreamReader, StreamWriter), TlsError>, Failure> {
    let stream = ok(TcpStream::connect(server.addresses()[0]).await)?;
    Ok(open_tls_streams(stream, DEFAULT_LIMIT, context, name, Timeouts::DEFAULT).await)
}

/// A server that sends back what comes, and says goodbye at the end.
pub(super) fn echo(context: &ServerContext) -> Result<Server, Failure> {
    serve(context, Timeouts::DEFAULT)
}

fn serve(context: &ServerContext, timeouts: Timeouts) -> Result<Server, Failure> {
    let listener = ok(TcpListener::bind(ANY))?;
    let handler = |mut reader: StreamReader, writer: StreamWriter| async move {
        let mut buffer = [0; 4096];
        loop {
            let count = match reader.read(&mut buffer).await {
                Ok(0) => break,
                Ok(count) => count,
                Err(_) => {
                    event("server: lost");
                    return;
                }
            };
            if writer.write(&buffer[..count]).is_err() || writer.drain().await.is_err() {
                return;
            }
        }
        writer.close();
        event(if writer.wait_closed().await.is_ok() { "server: closed" } else { "server: failed" });
    };
    ok(start_tls_stream_server([listener], handler, DEFAULT_LIMIT, context, timeouts, Start::Now))
}

/// Sends a word and gets it back.
pub(super) async fn check_echo(reader: &mut StreamReader, writer: &StreamWriter) -> Outcome {
    writer.write(b"hello")?;
    let mut word = [0; 5];
    reader.readexactly(&mut word).await?;
    check_eq!(&word, b"hello");
    Ok(())
}

pub(super) async fn info(writer: &StreamWriter) -> Result<Rc<TlsInfo>, Failure> {
    match writer.get_extra_info(ExtraInfo::SslObject) {
        Some(ExtraValue::Tls(info)) => Ok(info),
        _ => Err(Failure::said("there is no information on TLS")),
    }
}

/// A plain listener, and a connection to it.
pub(super) async fn plain_pair() -> Result<(TcpStream, TcpStream), Failure> {
    let listener = ok(TcpListener::bind(ANY))?;
    let address = ok(listener.local_addr())?;
    let client = ok(TcpStream::connect(address).await)?;
    let (server, _address) = ok(listener.accept().await)?;
    Ok((client, server))
}

/// Reads until the end, by whatever it comes.
pub(super) async fn until_gone(stream: &TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}

/// Why there is no connection.
fn failure<T>(result: Result<T, HostError>) -> Option<HostFailure> {
    result.err().map(|error| error.cause)
}

pub(in super::super) fn a_name_without_tls_or_tls_without_a_name_is_refused() -> Outcome {
    run(async {
        let (client, _server) = both()?;
        // Nobody listens, and nobody is asked.
        let nobody = ANY;
        let refused = open_connection(nobody).server_hostname("localhost").await;
        check_matches!(failure(refused), Some(HostFailure::Tls(TlsError::HostnameWithoutTls)));
        let several = (["127.0.0.1", "::1"], 1);
        let refused = open_connection(several).tls(&client).await;
        check_matches!(failure(refused), Some(HostFailure::Tls(TlsError::NoServerHostname)));
        for name in ["", "not a name"] {
            let refused = create_connection(nobody, Silent).tls(&client).server_hostname(name).await;
            check_matches!(
                failure(refused),
                Some(HostFailure::Tls(
                    TlsError::NoServerHostname | TlsError::ServerHostname { .. }
                ))
            );
            let (stream, peer) = plain_pair().await?;
            check!(connect_tls(stream, Silent, &client, name).await.is_err(), "it connected");
            // Nothing was said to anybody.
            let mut buffer = [0; 8];
            check_eq!(ok(peer.read(&mut buffer).await)?, 0);
        }
        Ok(())
    })
}

pub(in super::super) fn connections_by_name_are_secured_for_that_name() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let handler = async |mut reader: StreamReader, writer: StreamWriter| {
            if let Ok(line) = reader.readline().await {
                let _ = writer.write(&line);
            }
        };
        let server = ok(start_server(("127.0.0.1", 0), handler).tls(&server).await)?;
        let port = server.addresses()[0].port();
        let connecting = open_connection(("localhost", port)).tls(&client);
        let (mut reader, writer) = ok(connecting.timeout(Duration::from_secs(30)).await)?;
        check_eq!(info(&writer).await?.server_hostname.as_deref(), Some("localhost"));
        writer.write(b"hello\n")?;
        check_eq!(ok(reader.readline().await)?, b"hello\n");
        check_eq!(ok(reader.read(&mut [0; 8]).await)?, 0);
        // The address is another name, which the certificate does not have.
        let refused = open_connection(("127.0.0.1", port)).tls(&client).await;
        check_matches!(
            failure(refused),
            Some(HostFailure::Tls(TlsError::Certificate {
                problem: CertificateProblem::WrongName,
                ..
            }))
        );
        // The time for all of it is for the handshake too.
        let silent = ok(TcpListener::bind(ANY))?;
        let address = ok(silent.local_addr())?;
        let connecting = open_connection(address).tls(&client).timeout(Duration::from_millis(20));
        check_matches!(failure(connecting.await), Some(HostFailure::TimedOut { .. }));
        let connecting =
            open_connection(address).tls(&client).handshake_timeout(Duration::from_millis(20));
        check_matches!(
            failure(connecting.await),
            Some(HostFailure::Tls(TlsError::HandshakeTimeout(_)))
        );
        Ok(())
    })
}

pub(in super::super) fn a_timeout_of_zero_is_refused() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let (stream, _peer) = plain_pair().await?;
        let connected = connect_tls(stream, Silent, &client, "localhost")
            .handshake_timeout(Duration::ZERO)
            .await;
        check_matches!(connected, Err(TlsError::NoTime { of: "handshake" }));
        let (stream, _peer) = plain_pair().await?;
        let connected =
            connect_tls(stream, Silent, &client, "localhost").shutdown_timeout(Duration::ZERO).await;
        check_matches!(connected, Err(TlsError::NoTime { of: "shutdown" }));
        let listener = ok(TcpListener::bind(ANY))?;
        let timeouts = Timeouts { handshake: Duration::ZERO, ..Timeouts::DEFAULT };
        let served = create_tls_server([listener], || Silent, &server, timeouts, Start::Now);
        check_matches!(served, Err(TlsError::NoTime { of: "handshake" }));
        Ok(())
    })
}

pub(in super::super) fn a_peer_that_goes_in_the_handshake_fails_it() -> Outcome {
    run(async {
        let (client, _server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let connecting = create_task(async move {
            connect_tls(stream, Silent, &client, "localhost").await.map(drop)
        })?;
        let mut first = [0; 1];
        check_eq!(ok(peer.read(&mut first).await)?, 1);
        drop(peer);
        check_matches!(connecting.await?, Err(TlsError::ConnectionLost(_)));
        Ok(())
    })
}

pub(in super::super) fn closing_a_server_s_client_in_its_handshake_ends_the_connection() -> Outcome {
    run(async {
        let (_client, server) = both()?;
        let server = echo(&server)?;
        let stream = ok(TcpStream::connect(server.addresses()[0]).await)?;
        while server.client_count() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        server.close();
        server.close_clients();
        until_gone(&stream).await;
        server.wait_closed().await;
        check_events![];
        Ok(())
    })
}

pub(in super::super) fn a_cancelled_connect_to_a_silent_peer_ends_the_connection() -> Outcome {
    run(async {
        let (client, _server) = both()?;
        let (stream, peer) = plain_pair().await?;
        let before = ok(get_running_loop())?.next_deadline();
        let connecting = create_task(async move {
            connect_tls(stream, Silent, &client, "localhost").await.map(drop)
        })?;
        let mut first = [0; 1];
        check_eq!(ok(peer.read(&mut first).await)?, 1);
        connecting.cancel();
        until_gone(&peer).await;
        check!(connecting.await.is_err(), "it connected");
        // The handshake's timer is gone; the case's own is left.
        check_eq!(ok(get_running_loop())?.next_deadline(), before);
        Ok(())
    })
}

pub(in super::super) fn a_certificate_that_nobody_trusts_is_refused() -> Outcome {
    run(async {
        let (_client, server) = both()?;
        let server = echo(&server)?;
        let refused = open(&server, &ok(ClientContext::new())?, "localhost").await?;
        // Platforms do not agree on what is wrong with it.
        check_matches!(refused, Err(TlsError::Certificate { .. }));
        // And by whoever trusts another authority of the same kind.
        let refused = open(&server, &Authority::new()?.client()?, "localhost").await?;
        let Err(error @ TlsError::Certificate { .. }) = refused else {
            return Err(Failure::said("it is accepted"));
        };
        check!(error.to_string().contains("localhost"), "the error does not name the server");
        check_events![];
        Ok(())
    })
}

pub(in super::super) fn both_sides_know_what_was_agreed_on() -> Outcome {
    run(async {
        let authority = Authority::new()?;
        let server_context = authority.server("localhost")?.alpn(&["mill/2", "mill/1"]);
        let client_context = authority.client()?.alpn(&["mill/1", "mill/2"]);
        let found = Rc::new(RefCell::new(None));
        let found_there = found.clone();
        let handler = move |mut reader: StreamReader, writer: StreamWriter| {
            let found = found_there.clone();
            async move {
                *found.borrow_mut() = info(&writer).await.ok();
                let _ = reader.read_to_end().await;
            }
        };
        let listener = ok(TcpListener::bind(ANY))?;
        let address = ok(listener.local_addr())?;
        let timeouts = Timeouts::DEFAULT;
        let server = ok(start_tls_stream_server(
            [listener],
            handler,
            DEFAULT_LIMIT,
            &server_context,
            timeouts,
            Start::Now,
        ))?;
        let (_reader, writer) = connect(&server, &client_context).await?;
        let ours = info(&writer).await?;
        check_eq!(ours.version, "TLSv1.3");
        check!(ours.cipher.starts_with("TLS13_"), "the cipher has another name");
        check_eq!(ours.alpn_protocol.as_deref(), Some(&b"mill/2"[..]));
        check_eq!(ours.server_hostname.as_deref(), Some("localhost"));
        check_eq!(ours.peer_certificates.len(), 1);
        check_eq!(
            writer.get_extra_info(ExtraInfo::PeerName),
            Some(ExtraValue::Address(address))
        );
        writer.close();
        ok(writer.wait_closed().await)?;
        let theirs = found.take();
        let Some(theirs) = theirs else { return Err(Failure::said("the server knows nothing")) };
        check_eq!(theirs.cipher, ours.cipher);
        check_eq!(theirs.alpn_protocol, ours.alpn_protocol);
        // SNI.
        check_eq!(theirs.server_hostname, ours.server_hostname);
        check!(theirs.peer_certificates.is_empty(), "the client showed a certificate");
        Ok(())
    })
}

pub(in super::super) fn sides_without_a_common_protocol_do_not_connect() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let server = echo(&server.alpn(&["mill/2"]))?;
        let refused = open(&server, &client.alpn(&["water/1"]), "localhost").await?;
        check_matches!(refused, Err(TlsError::Alert { .. }));
        check_events![];
        Ok(())
    })
}

pub(in super::super) fn an_expired_certificate_is_refused() -> Outcome {
    run(async {
        let authority = Authority::new()?;
        let server = echo(&authority.expired("localhost")?.server()?)?;
        let refused = open(&server, &authority.client()?, "localhost").await?;
        check_matches!(
            refused,
            Err(TlsError::Certificate { problem: CertificateProblem::Expired, .. })
        );
        Ok(())
    })
}

pub(in super::super) fn a_certificate_of_another_name_is_refused() -> Outcome {
    run(async {
        let authority = Authority::new()?;
        let server = echo(&authority.server("example.org")?)?;
        let refused = open(&server, &authority.client()?, "localhost").await?;
        check_matches!(
            refused,
            Err(TlsError::Certificate { problem: CertificateProblem::WrongName, .. })
        );
        let (mut reader, writer) = ok(open(&server, &authority.client()?, "example.org").await?)?;
        check_echo(&mut reader, &writer).await
    })
}

pub(in super::super) fn an_address_is_a_name() -> Outcome {
    run(async {
        let authority = Authority::new()?;
        let server = echo(&authority.server("127.0.0.1")?)?;
        let (mut reader, writer) = ok(open(&server, &authority.client()?, "127.0.0.1").await?)?;
        check_echo(&mut reader, &writer).await
    })
}

pub(in super::super) fn a_handshake_byte_by_byte_is_a_handshake() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let server = echo(&server)?;
        let stream = ok(TcpStream::connect(server.addresses()[0]).await)?;
        let mut peer = ByHand::client(stream, &client)?;
        peer.step = 1;
        peer.handshake().await?;
        peer.write(b"hello").await?;
        check_eq!(peer.read(5).await?, b"hello");
        peer.engine.close_notify();
        peer.send().await?;
        peer.until_the_end().await?;
        server.close();
        server.wait_closed().await;
        sleep(Duration::from_millis(5)).await;
        check_events!["server: closed"];
        Ok(())
    })
}

pub(in super::super) fn connecting_can_be_dropped_at_every_poll() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let server = echo(&server)?;
        let address = server.addresses()[0];
        let make = || async {
            let stream = TcpStream::connect(address).await.map_err(|_| TlsError::Truncated)?;
            open_tls_streams(stream, DEFAULT_LIMIT, &client, "localhost", Timeouts::DEFAULT).await
        };
        let polls = drop_at_every_poll(make, async |point| {
            if let Some(output) = point.output() {
                let (mut reader, writer) = ok(output)?;
                check_echo(&mut reader, &writer).await?;
                writer.close();
                ok(writer.wait_closed().await)?;
            }
            // Whatever was begun is over at the other side too.
            while server.client_count() > 0 {
                sleep(Duration::from_millis(1)).await;
            }
            Outcome::Ok(())
        })
        .await?;
        check!(polls >= 3, "it took less than a connection, a handshake and a protocol");
        Ok(())
    })
}

pub(in super::super) fn a_silent_client_holds_nobody_up() -> Outcome {
    run(async {
        let (client, server) = both()?;
        let timeouts = Timeouts { handshake: Duration::from_millis(300), ..Timeouts::DEFAULT };
        let server = serve(&server, timeouts)?;
        let silent = ok(TcpStream::connect(server.addresses()[0]).await)?;
        let (mut reader, writer) =
            ok(timeout(Duration::from_millis(250), connect(&server, &client)).await)??;
        check_echo(&mut reader, &writer).await?;
        check_eq!(server.client_count(), 2);
        until_gone(&silent).await;
        // The one that has shaken hands has all the time in the world.
        check_echo(&mut reader, &writer).await?;
        check_eq!(server.client_count(), 1);
        Ok(())
    })
}

pub(in super::super) fn a_server_may_know_its_clients() -> Outcome {
    run(async {
        let authority = Authority::new()?;
        let identity = authority.identity("localhost")?;
        let context = ok(ServerContext::from_pem_for_known_clients(
            &identity.certificate,
            &identity.key,
            &authority.root,
        ))?;
        let server = echo(&context)?;
        let known = authority.identity("miller")?;
        let client = authority.client()?;
        let client_with =
            ok(client.clone().client_certificate_pem(&known.certificate, &known.key))?;
        let (mut reader, writer) = connect(&server, &client_with).await?;
        check_echo(&mut reader, &writer).await?;
        drop(writer);
        // In TLS 1.3 a client is done before the server has seen its certificate.
        let failed = match open(&server, &client, "localhost").await? {
            Err(_) => true,
            Ok((mut reader, _writer)) => reader.read(&mut [0; 8]).await.is_err(),
        };
        check!(failed, "a stranger was let in");
        Ok(())
    })
}

pub(in super::super) fn a_connection_of_the_older_version_works_too() -> Outcome {
    use molen::tls::rustls::{ClientConfig, RootCertStore, crypto, pki_types, version};
    use pki_types::pem::PemObject;
    run(async {
        let authority = Authority::new()?;
        let server = echo(&authority.server("localhost")?)?;
        let mut roots = RootCertStore::empty();
        let root = ok(pki_types::CertificateDer::from_pem_slice(authority.root.as_bytes()))?;
        ok(roots.add(root))?;
        let provider = std::sync::Arc::new(crypto::ring::default_provider());
        let config = ok(ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS12]))?
        .with_root_certificates(roots)
        .with_no_client_auth();
        let client = ClientContext::from(std::sync::Arc::new(config));
        let (mut reader, writer) = connect(&server, &client).await?;
        check_eq!(info(&writer).await?.version, "TLSv1.2");
        check_echo(&mut reader, &writer).await?;
        writer.close();
        ok(writer.wait_closed().await)?;
        server.close();
        server.wait_closed().await;
        sleep(Duration::from_millis(5)).await;
        check_events!["server: closed"];
        Ok(())
    })
}
