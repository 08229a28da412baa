//! On the loopback, with programs of this one's.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use crate::wire::{Probe, noting};
use core::future::Future;
use core::net::{Ipv4Addr, SocketAddr};
use core::panic::Location;
use molen::dns::{AddrInfoHints, NameInfoFlags, Service, getaddrinfo, getnameinfo};
use molen::net::{
    Answer, DatagramProtocol, DatagramTransport, SendfileFallback, SubprocessProtocol, TcpListener,
    TcpStream, UdpSocket, connect_accepted_socket, create_datagram_endpoint, sendfile,
};
use molen::pipe::{ReadPipe, WritePipe};
use molen::sock::{Domain, Socket, SocketOperations, Type};
use molen::subprocess::{
    Command, OnDrop, create_subprocess_exec, create_subprocess_shell, subprocess_exec,
    subprocess_shell,
};
use molen::testing::drop_at_every_poll;
use molen::{Duration, get_running_loop, sleep};
use std::fs::File;
use std::io::IoSlice;
use std::vec::Vec;

pub(super) const ANY_PORT: SocketAddr =
    SocketAddr::new(core::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How many files this process has open, where that can be counted.
fn open_files() -> Option<usize> {
    std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok().filter(|_| cfg!(unix))
}

/// What is left when all that goes on by itself is over: tasks and open files.
async fn left() -> Result<(usize, Option<usize>), Failure> {
    let (mut seen, mut times) = ((0, None), 0);
    // Connections and programs take a while to be gone.
    while times < 5 {
        sleep(Duration::from_millis(2)).await;
        let mut tasks = 0;
        get_running_loop()?.for_each_task(|_| tasks += 1);
        let now = (tasks, open_files());
        times = if now == seen { times + 1 } else { 0 };
        seen = now;
    }
    Ok(seen)
}

/// Drops what `make` makes at every point; no file stays open, and no task is left.
#[track_caller]
pub(super) fn leaves_nothing<T, F>(mut make: impl FnMut() -> F) -> impl Future<Output = Outcome>
where
    F: Future<Output = Option<T>>,
{
    let line = Location::caller().line();
    async move {
        // What the loop and its executor keep for ever is there after this.
        if make().await.is_none() {
            return Err(Failure::shown(&format_args!("what line {line} drops fails by itself")));
        }
        let (_one, files) = left().await?;
        let after = async |point| {
            drop(point);
            // Some of what goes on by itself may not have begun to end.
            for _ in 0..200 {
                let (tasks, now) = left().await?;
                if tasks == 1 && now <= files {
                    return Ok(());
                }
            }
            Err(Failure::shown(&format_args!("line {line} leaves a task or an open file")))
        };
        drop_at_every_poll(make, after).await.map(drop)
    }
}

/// An endpoint's protocol that hears nothing.
struct Deaf;

impl DatagramProtocol<SocketAddr> for Deaf {
    fn datagram_received(
        &mut self,
        _transport: &DatagramTransport<SocketAddr>,
        _data: &[u8],
        _sender: &SocketAddr,
    ) -> Answer {
        Ok(())
    }
}

pub(super) fn waits_for_the_network_leave_nothing_at_any_poll() -> Outcome {
    run(async {
        leaves_nothing(|| async {
            let listener = TcpListener::bind(ANY_PORT).ok()?;
            let _stream = TcpStream::connect(listener.local_addr().ok()?).await.ok()?;
            listener.accept().await.ok()
        })
        .await?;
        leaves_nothing(|| async {
            let listener = TcpListener::bind(ANY_PORT).ok()?;
            let address = listener.local_addr().ok()?;
            let _stream = TcpStream::connect_from(address, Some(ANY_PORT)).await.ok()?;
            listener.accept().await.ok()
        })
        .await?;
        leaves_nothing(|| async {
            let hints = AddrInfoHints::default();
            getaddrinfo(Some("localhost"), Service::Port(80), hints).await.ok()
        })
        .await?;
        leaves_nothing(|| async { getnameinfo(ANY_PORT, NameInfoFlags::NONE).await.ok() }).await?;
        leaves_nothing(|| async {
            let local = ("localhost", 0);
            create_datagram_endpoint(local, None, Deaf).await.map(|endpoint| endpoint.abort()).ok()
        })
        .await?;
        leaves_nothing(|| async {
            let (one, other) = (UdpSocket::bind(ANY_PORT).ok()?, UdpSocket::bind(ANY_PORT).ok()?);
            one.send_to(b"x", other.local_addr().ok()?).await.ok()?;
            other.recv_from(&mut [0; 4]).await.ok()?;
            let to = UdpSocket::connect(other.local_addr().ok()?).ok()?;
            to.send(b"x").await.ok()?;
            other.send_to(b"y", to.local_addr().ok()?).await.ok()?;
            to.recv(&mut [0; 4]).await.ok()
        })
        .await?;
        leaves_nothing(|| async {
            let (near, far) = pair().await?;
            near.write_vectored(&[IoSlice::new(b"x")]).await.ok()?;
            far.read(&mut [0; 4]).await.ok()
        })
        .await?;
        let file = &ok(std::env::current_exe().and_then(File::open))?;
        leaves_nothing(|| async {
            let (near, far) = pair().await?;
            let transport = connect_accepted_socket(near, Probe(noting)).await.ok()?;
            let sent = sendfile(&transport, file).count(100).await;
            transport.abort();
            drop(far);
            sent.ok()
        })
        .await?;
        leaves_nothing(|| by_hand(file)).await
    })
}

/// A connection, of a listener that nobody else has.
async fn pair() -> Option<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(ANY_PORT).ok()?;
    let near = TcpStream::connect(listener.local_addr().ok()?).await.ok()?;
    Some((near, listener.accept().await.ok()?.0))
}

/// All operations of sockets that are not molen's.
async fn by_hand(file: &File) -> Option<()> {
    let it = get_running_loop().ok()?;
    let stream = || Socket::new(Domain::IPV4, Type::STREAM, None).ok();
    let message = || Socket::new(Domain::IPV4, Type::DGRAM, None).ok();
    let (door, near) = (stream()?, stream()?);
    door.bind(&ANY_PORT.into()).ok()?;
    door.listen(1).ok()?;
    let (here, there) = (message()?, message()?);
    for socket in [&here, &there] {
        socket.bind(&ANY_PORT.into()).ok()?;
    }
    for socket in [&door, &near, &here, &there] {
        socket.set_nonblocking(true).ok()?;
    }
    it.sock_connect(&near, door.local_addr().ok()?).await.ok()?;
    let (far, _address) = it.sock_accept(&door).await.ok()?;
    it.sock_sendall(&near, b"xy").await.ok()?;
    it.sock_recv(&far, 1).await.ok()?;
    it.sock_recv_into(&far, &mut [0; 1]).await.ok()?;
    let fallback = SendfileFallback::ReadAndSend;
    it.sock_sendfile(&near, file, 0, Some(1), fallback).await.ok()?;
    for _ in 0..2 {
        it.sock_sendto(&here, b"x", there.local_addr().ok()?).await.ok()?;
    }
    it.sock_recvfrom(&there, 4).await.ok()?;
    it.sock_recvfrom_into(&there, &mut [0; 4], 0).await.ok()?;
    Some(())
}

fn ends() -> Option<(ReadPipe, WritePipe)> {
    let (reader, writer) = std::io::pipe().ok()?;
    Some((ReadPipe::new(reader).ok()?, WritePipe::new(writer).ok()?))
}

/// Hears nothing of its program.
struct Indifferent;

impl SubprocessProtocol for Indifferent {}

/// A program that ends when its input does, or with whoever started it.
fn waiting() -> Option<Command> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.args(["child", "cat"]).pipes().on_drop(OnDrop::Kill);
    Some(command)
}

pub(super) fn waits_for_pipes_and_programs_leave_nothing_at_any_poll() -> Outcome {
    run(async {
        leaves_nothing(|| async {
            let (reader, writer) = ends()?;
            writer.write(b"a").await.ok()?;
            writer.write_all(b"bc").await.ok()?;
            reader.read(&mut [0; 1]).await.ok()?;
            writer.close();
            reader.read_to_end(&mut Vec::new()).await.ok()
        })
        .await?;
        leaves_nothing(|| async {
            let mut process = create_subprocess_exec(&mut waiting()?).await.ok()?;
            let stdin = process.stdin.take()?;
            process.kill().ok()?;
            stdin.disconnected().await;
            Some(())
        })
        .await?;
        leaves_nothing(|| async {
            let mut process = create_subprocess_exec(&mut waiting()?).await.ok()?;
            process.communicate(Some(b"hello")).await.ok()
        })
        .await?;
        leaves_nothing(|| async {
            let process = create_subprocess_exec(&mut waiting()?).await.ok()?;
            process.kill().ok()?;
            process.wait().await.ok()
        })
        .await?;
        leaves_nothing(|| async {
            create_subprocess_shell("exit 3").await.ok()?.wait().await.ok()
        })
        .await?;
        leaves_nothing(|| async {
            subprocess_exec(&mut waiting()?, Indifferent).await.ok()?.close();
            Some(())
        })
        .await?;
        leaves_nothing(|| async {
            subprocess_shell("exit 3", Indifferent).await.ok()?.close();
            Some(())
        })
        .await
    })
}

#[cfg(not(unix))]
pub(super) fn waits_for_unix_sockets_and_signals_leave_nothing_at_any_poll() -> Outcome {
    Err(Failure::Unsupported("this platform has no Unix sockets, and no signals"))
}

#[cfg(unix)]
pub(super) use unix::waits_for_unix_sockets_and_signals_leave_nothing_at_any_poll;

#[cfg(unix)]
mod unix {
    use super::{Outcome, Probe, leaves_nothing, noting, ok, run};
    use molen::net::{
        Answer, DatagramProtocol, DatagramTransport, UnixAddress, UnixDatagram, UnixListener,
        UnixStream, create_datagram_endpoint, create_unix_connection, create_unix_server,
    };
    use molen::signals::{Signal, wait};
    use molen::subprocess::create_subprocess_shell;

    struct Deaf;

    impl DatagramProtocol<UnixAddress> for Deaf {
        fn datagram_received(
            &mut self,
            _transport: &DatagramTransport<UnixAddress>,
            _data: &[u8],
            _sender: &UnixAddress,
        ) -> Answer {
            Ok(())
        }
    }

    pub(in super::super) fn waits_for_unix_sockets_and_signals_leave_nothing_at_any_poll() -> Outcome
    {
        run(async {
            let place = std::format!("molen-dropping-{}", std::process::id());
            let place = &std::env::temp_dir().join(place);
            leaves_nothing(|| async {
                // What was served at a path is removed with its server, dropped or closed.
                let server = create_unix_server(place, || Probe(noting)).await.ok()?;
                server.close();
                server.wait_closed().await;
                (!place.exists()).then_some(())
            })
            .await?;
            let listener = &ok(UnixListener::bind(place))?;
            leaves_nothing(|| async {
                let stream = UnixStream::connect(place).await.ok()?;
                let other = listener.accept().await.ok()?;
                stream.write_all(b"x").await.ok()?;
                other.read(&mut [0; 4]).await.ok()
            })
            .await?;
            leaves_nothing(|| async {
                let transport = create_unix_connection(place, Probe(noting)).await.ok()?;
                let _accepted = listener.accept().await.ok()?;
                transport.abort();
                Some(())
            })
            .await?;
            ok(std::fs::remove_file(place))?;
            leaves_nothing(|| async {
                let (one, other) = UnixDatagram::pair().ok()?;
                one.send_to(b"x", None).await.ok()?;
                other.recv_from(&mut [0; 4]).await.ok()
            })
            .await?;
            leaves_nothing(|| async {
                // Its address is its own again.
                let _ = std::fs::remove_file(place);
                create_datagram_endpoint(&**place, None, Deaf).await.ok()?.abort();
                Some(())
            })
            .await?;
            leaves_nothing(|| async {
                let told = wait(&[Signal::WINCH]);
                let script = std::format!("kill -{} $PPID", Signal::WINCH.as_raw());
                create_subprocess_shell(script).await.ok()?.wait().await.ok()?;
                told.await.ok()
            })
            .await?;
            // What was bound there last.
            let _ = std::fs::remove_file(place);
            Ok(())
        })
    }
}
