//! Over this machine's loopback.

use crate::case::{Failure, Outcome};
use crate::real::ok;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use molen::io::source::SourceError;
use molen::net::{
    ExtraInfo, ExtraValue, Family, Server, StreamReader, StreamWriter, TcpStream, open_connection,
    start_server,
};
use molen::{Duration, create_task, sleep, timeout};
use std::string::ToString;
use std::vec::Vec;

/// Any free port of the loopback.
const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Says what it was told, line by line.
async fn echo(mut reader: StreamReader, writer: StreamWriter) -> Result<(), Failure> {
    loop {
        let line = reader.readline().await?;
        if line.is_empty() {
            return Ok(());
        }
        ok(writer.write(&line))?;
        ok(writer.drain().await)?;
    }
}

async fn serve_echo(on: impl Into<molen::net::Hosts>) -> Result<Server, Failure> {
    ok(start_server(on, async |reader, writer| {
        // The end of a client is no failure.
        let _ = echo(reader, writer).await;
    })
    .await)
}

/// Fails unless `address` answers.
async fn answers(address: SocketAddr) -> Outcome {
    let (mut reader, writer) = ok(open_connection(address).await)?;
    ok(writer.write(b"hello\n"))?;
    check_eq!(reader.readline().await?, b"hello\n");
    Ok(())
}

pub(super) fn connects_after_close_are_refused() -> Outcome {
    run!(async {
        let server = serve_echo(ANY).await?;
        let address = server.addresses()[0];
        answers(address).await?;
        server.close();
        server.wait_closed().await;
        let refused = open_connection(address).await.err();
        let refused = refused.ok_or_else(|| Failure::said("it connected"))?;
        check_eq!(refused.source_error(), Some(SourceError::ConnectionRefused));
        Ok(())
    })
}

pub(super) fn a_server_without_a_host_listens_on_both_families() -> Outcome {
    run!(async {
        let server = serve_echo(("", 0)).await?;
        let addresses = server.addresses();
        let port = addresses[0].port();
        check_eq!(addresses[0].ip(), IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        answers((Ipv4Addr::LOCALHOST, port).into()).await?;
        if addresses.len() == 1 {
            return Err(Failure::Unsupported("this machine has no IPv6"));
        }
        check_eq!(addresses[1], SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
        answers((Ipv6Addr::LOCALHOST, port).into()).await?;
        server.close();
        server.close_clients();
        server.wait_closed().await;
        // One family alone.
        let server = ok(start_server(("", 0), async |_reader, _writer| ())
            .family(Family::Inet)
            .await)?;
        check_eq!(server.addresses().len(), 1);
        server.close();
        Ok(())
    })
}

pub(super) fn a_server_listens_on_each_distinct_address() -> Outcome {
    run!(async {
        let server = serve_echo((["127.0.0.1", "127.0.0.1", "127.0.0.2"], 0)).await?;
        let addresses = server.addresses();
        check_eq!(addresses.len(), 2);
        check_eq!(addresses[0].port(), addresses[1].port());
        for address in addresses {
            answers(address).await?;
        }
        server.close();
        Ok(())
    })
}

pub(super) fn an_address_in_use_is_refused() -> Outcome {
    run!(async {
        let server = serve_echo(ANY).await?;
        let address = server.addresses()[0];
        let refused = start_server(address, async |_reader, _writer| ()).await.err();
        let refused = refused.ok_or_else(|| Failure::said("it listens"))?;
        check_eq!(refused.source_error(), Some(SourceError::AddressInUse));
        let text = refused.to_string();
        check!(text.starts_with("cannot listen on 127.0.0.1:"), "another text");
        check!(text.ends_with(": the address is in use"), "another text");
        // The one that has it goes on.
        answers(address).await
    })
}

pub(super) fn streams_talk_by_lines_over_real_sockets() -> Outcome {
    run!(async {
        let server = serve_echo(ANY).await?;
        let address = server.addresses()[0];
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(ok(create_task(async move {
                for _ in 0..5 {
                    answers(address).await?;
                }
                Outcome::Ok(())
            }))?);
        }
        for client in clients {
            client.await??;
        }
        server.close();
        server.wait_closed().await;
        check_eq!(server.client_count(), 0);
        Ok(())
    })
}

/// An address of this machine where nobody listens.
async fn nobody() -> Result<SocketAddr, Failure> {
    let server = serve_echo(ANY).await?;
    let address = server.addresses()[0];
    server.close();
    server.wait_closed().await;
    Ok(address)
}

pub(super) fn all_addresses_refusing_is_one_error() -> Outcome {
    run!(async {
        let (one, two) = (nobody().await?, nobody().await?);
        let error = open_connection([one, two]).await.err();
        let error = error.ok_or_else(|| Failure::said("it connected"))?;
        check_eq!(error.source_error(), Some(SourceError::ConnectionRefused));
        let mut refused: Vec<_> = error.errors().iter().map(|error| error.address).collect();
        refused.dedup();
        check!(refused == [one, two] || one == two, "others refused");
        // The one that answers is found behind those that do not.
        let server = serve_echo(ANY).await?;
        let three = server.addresses()[0];
        let (_reader, writer) = ok(open_connection([one, two, three]).await)?;
        let peer = writer.get_extra_info(ExtraInfo::PeerName);
        check_eq!(peer, Some(ExtraValue::Address(three)));
        Ok(())
    })
}

pub(super) fn a_connection_comes_from_its_local_address() -> Outcome {
    run!(async {
        let server = serve_echo(ANY).await?;
        let address = server.addresses()[0];
        let to = open_connection(address).local_address("127.0.0.1:0");
        let (_reader, writer) = ok(to.await)?;
        let from = writer.get_extra_info(ExtraInfo::SockName);
        let Some(ExtraValue::Address(from)) = from else {
            return Err(Failure::said("it has no address"));
        };
        check_eq!(from.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let other = open_connection(address).local_address("[::1]:0").await.err();
        let other = other.ok_or_else(|| Failure::said("it connected"))?;
        check_eq!(other.errors().len(), 0);
        // Not one of ours: of a net for documentation.
        let absent = open_connection(address).local_address("192.0.2.1:0").await.err();
        let absent = absent.ok_or_else(|| Failure::said("it connected"))?;
        check_eq!(absent.source_error(), Some(SourceError::AddressNotAvailable));
        check!(absent.to_string().contains("cannot bind to 192.0.2.1:0"), "another text");
        Ok(())
    })
}

pub(super) fn an_attempt_without_an_answer_is_given_up() -> Outcome {
    run!(async {
        // A net for documentation: nothing comes back, or at once that there is no way.
        let limit = Duration::from_millis(50);
        let error = open_connection("192.0.2.1:9").timeout(limit).await.err();
        let error = error.ok_or_else(|| Failure::said("it connected"))?;
        check!(error.is_timeout() || error.errors().len() == 1, "another error");
        // An address that answers is found meanwhile.
        let server = serve_echo(ANY).await?;
        let both = ["192.0.2.1:9".parse().map_err(|error| Failure::shown(&error))?, server.addresses()[0]];
        let connecting = open_connection(both).happy_eyeballs_delay(Duration::from_millis(5));
        let (mut reader, writer) = ok(connecting.await)?;
        ok(writer.write(b"hello\n"))?;
        check_eq!(reader.readline().await?, b"hello\n");
        Ok(())
    })
}

pub(super) fn a_name_is_looked_up_by_the_host() -> Outcome {
    run!(async {
        let server = serve_echo(ANY).await?;
        let port = server.addresses()[0].port();
        let connected = open_connection(("localhost", port)).timeout(Duration::from_secs(20)).await;
        #[cfg(target_os = "wasi")]
        if let Err(error) = &connected
            && let molen::net::HostFailure::Name(molen::net::NameError::Unsupported(_)) = error.cause
        {
            return Err(Failure::Unsupported("the host lets the component look up no names"));
        }
        let (mut reader, writer) = ok(connected)?;
        ok(writer.write(b"hello\n"))?;
        check_eq!(reader.readline().await?, b"hello\n");
        Ok(())
    })
}

pub(super) fn clients_are_sent_away_over_real_sockets() -> Outcome {
    run!(async {
        let server = serve_echo(ANY).await?;
        let address = server.addresses()[0];
        let (mut reader, writer) = ok(open_connection(address).await)?;
        ok(writer.write(b"hello\n"))?;
        check_eq!(reader.readline().await?, b"hello\n");
        check_eq!(server.client_count(), 1);
        check_eq!(server.shutdown(Duration::from_secs(20)).await, 0);
        check_eq!(reader.readline().await?, b"");
        // One that reads nothing: what is written to it never leaves.
        let server = ok(start_server(ANY, async |_reader: StreamReader, writer: StreamWriter| {
            let _ = writer.write(&std::vec![7; 64 << 20]);
            let _ = writer.drain().await;
        })
        .await)?;
        let silent = ok(TcpStream::connect(server.addresses()[0]).await)?;
        check_eq!(silent.read(&mut [0]).await?, 1);
        check_eq!(server.shutdown(Duration::from_millis(50)).await, 1);
        drop(silent);
        Ok(())
    })
}

pub(super) fn a_megabyte_waits_for_a_slow_reader() -> Outcome {
    run!(async {
        const SIZE: usize = 1 << 20;
        let server = ok(start_server(ANY, async |_reader: StreamReader, writer: StreamWriter| {
            let _ = writer.write(&std::vec![7; SIZE]);
            let _ = writer.drain().await;
        })
        .await)?;
        let (mut reader, _writer) = ok(open_connection(server.addresses()[0]).limit(4096).await)?;
        let mut chunk = std::vec![0; 10_000];
        let mut total = 0;
        loop {
            match reader.read(&mut chunk).await? {
                0 => break,
                count => total += count,
            }
            if total < 100_000 {
                sleep(Duration::from_millis(1)).await;
            }
        }
        check_eq!(total, SIZE);
        Ok(())
    })
}

pub(super) fn what_comes_before_the_end_is_read_and_half_a_connection_stays() -> Outcome {
    run!(async {
        let server = ok(start_server(ANY, async |mut reader: StreamReader, writer: StreamWriter| {
            if let Ok(all) = reader.read_to_end().await {
                let _ = writer.write(&all);
                let _ = writer.drain().await;
            }
        })
        .await)?;
        let (mut reader, writer) = ok(open_connection(server.addresses()[0]).await)?;
        ok(writer.write(b"one\ntwo\n"))?;
        ok(writer.write_eof())?;
        check_eq!(reader.readline().await?, b"one\n");
        check_eq!(reader.readline().await?, b"two\n");
        check_eq!(reader.readline().await?, b"");
        check!(timeout(Duration::from_secs(20), server_empty(&server)).await.is_ok(), "it hangs");
        Ok(())
    })
}

async fn server_empty(server: &Server) {
    while server.client_count() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}

pub(super) fn both_ends_of_a_connection_know_their_addresses() -> Outcome {
    run!(async {
        // Each client is told how the server sees the connection.
        let server = start_server(ANY, async |_reader, writer: StreamWriter| {
            let seen = std::format!("{:?} {:?}\n", writer.local_address(), writer.peer_address());
            let _ = writer.write(seen.as_bytes());
        });
        let server = ok(server.await)?;
        let address = server.addresses()[0];
        let (mut reader, writer) = ok(open_connection(address).await)?;
        let transport = writer.transport().clone();
        check_eq!(writer.peer_address(), Some(address));
        check_eq!(transport.peer_address(), Some(address));
        check_eq!(transport.local_address(), writer.local_address());
        let told = std::format!("{:?} {:?}\n", writer.peer_address(), writer.local_address());
        check_eq!(reader.readline().await?, told.as_bytes());
        drop((reader, writer));
        while !transport.is_lost() {
            sleep(Duration::from_millis(1)).await;
        }
        check_eq!((transport.peer_address(), transport.local_address()), (None, None));
        Ok(())
    })
}
