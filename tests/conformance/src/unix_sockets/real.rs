//! Unix sockets in a directory of the case's own.

use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::real::{ok, run};
use crate::wire::{Probe, noting};
use molen::net::{
    ExtraInfo, ExtraValue, PeerCredentials, Server, Transport, UnixAddress,
    UnixListener, UnixRefused, UnixStream, create_unix_connection, create_unix_server,
    open_unix_connection, start_unix_server,
};
use molen::sock::{Domain, SockAddr, Socket, SocketOperations, Type};
use molen::{Duration, sleep, timeout};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::string::ToString;
use std::vec::Vec;

/// A directory that is gone when the case ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Result<Directory, Failure> {
        let name = std::format!("molen-unix-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        ok(fs::create_dir(&path))?;
        Ok(Directory(path))
    }

    fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // It may stay, if the system says so.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

async fn close(server: &Server) -> Outcome {
    server.close();
    server.wait_closed().await;
    Ok(())
}

async fn serve(path: &Path) -> Result<Server, Failure> {
    ok(create_unix_server(path, || Probe(|_transport, _call| Ok(molen::net::AfterEof::Close))).await)
}

pub(super) fn a_closed_unix_server_removes_its_own_path() -> Outcome {
    run(async {
        let directory = Directory::new("317")?;
        let path = directory.socket();
        let first = serve(&path).await?;
        check!(is_socket(&path), "the first server has no path");
        check_eq!(first.unix_addresses()[0].as_pathname(), Some(&*path));
        close(&first).await?;
        check!(first.unix_addresses().is_empty(), "it listens");
        check!(!path.exists(), "the path is left");

        let first = serve(&path).await?;
        let inode = ok(fs::metadata(&path))?.ino();
        // While it listens, so that the number is not used again.
        let second = serve(&path).await?;
        check!(ok(fs::metadata(&path))?.ino() != inode, "the path was not replaced");
        close(&first).await?;
        check!(is_socket(&path), "the path of the second server was removed");
        ok(UnixStream::connect(&path).await)?;
        close(&second).await?;
        check!(!path.exists(), "the second path is left");

        let kept = create_unix_server(&path, || Probe(noting)).cleanup_socket(false);
        close(&ok(kept.await)?).await?;
        check!(is_socket(&path), "a path that was to stay is gone");
        Ok(())
    })
}

pub(super) fn a_path_that_is_gone_is_no_error() -> Outcome {
    run(async {
        let directory = Directory::new("318")?;
        let path = directory.socket();
        let event_loop = molen::get_running_loop()?;
        event_loop.set_exception_handler(Some(std::rc::Rc::new(|_loop, _context| {
            event("reported");
            Ok(())
        })));
        let server = serve(&path).await?;
        ok(fs::remove_file(&path))?;
        close(&server).await?;
        check_events![];
        Ok(())
    })
}

fn name(transport: &Transport, what: ExtraInfo) -> Result<UnixAddress, Failure> {
    match transport.get_extra_info(what) {
        Some(ExtraValue::UnixAddress(address)) => Ok(address),
        _ => Err(Failure::said("it has no name of a Unix socket")),
    }
}

pub(super) fn both_ends_know_their_names_and_whom_they_talk_to() -> Outcome {
    run(async {
        let directory = Directory::new("1980")?;
        let path = directory.socket();
        let named = path.clone();
        let server = start_unix_server(&path, move |mut reader, writer| {
            let named = named.clone();
            async move {
                check!(name(writer.transport(), ExtraInfo::PeerName)?.is_unnamed(), "it is named");
                let own = name(writer.transport(), ExtraInfo::SockName)?;
                check_eq!(own.as_pathname(), Some(&*named));
                let line = ok(reader.readline().await)?;
                writer.writelines(&[b"> ", &line])?;
                ok(writer.drain().await)
            }
        });
        let server = ok(server.limit(100).backlog(5).mode(0o600).await)?;
        check_eq!(ok(fs::metadata(&path))?.permissions().mode() & 0o777, 0o600);
        let (mut reader, writer) = ok(open_unix_connection(&path).limit(100).await)?;
        let peer = name(writer.transport(), ExtraInfo::PeerName)?;
        check_eq!(peer.to_string(), path.display().to_string());
        let credentials = ok(PeerCredentials::of(writer.transport()))?;
        check_eq!(credentials.uid, ok(fs::metadata(&path))?.uid());
        if cfg!(target_os = "linux") {
            check_eq!(credentials.pid, i32::try_from(std::process::id()).ok());
        }
        writer.write(b"hello\n")?;
        check_eq!(ok(reader.read_to_end().await)?, b"> hello\n");
        writer.close();
        ok(writer.wait_closed().await)?;
        check!(PeerCredentials::of(writer.transport()).is_err(), "it still has a socket");
        close(&server).await
    })
}

pub(super) fn a_stale_socket_is_replaced_and_another_file_is_not() -> Outcome {
    run(async {
        let directory = Directory::new("1981")?;
        let path = directory.socket();
        // Closed, it leaves its path.
        drop(ok(std::os::unix::net::UnixListener::bind(&path))?);
        let refused = UnixStream::connect(&path).await;
        check_eq!(refused.map_err(|error| error.kind()).err(), Some(ErrorKind::ConnectionRefused));
        let listener = ok(UnixListener::bind(&path))?;
        ok(UnixStream::connect(&path).await)?;
        drop(listener);
        check!(!path.exists(), "the path is left");

        ok(fs::write(&path, b"of value"))?;
        let Err(error) = UnixListener::bind(&path) else {
            return Err(Failure::said("a file was replaced"));
        };
        check_eq!(error.kind(), ErrorKind::AddrInUse);
        let expected = std::format!("cannot listen on {}: ", path.display());
        check!(error.to_string().starts_with(&expected), "the error does not say where");
        check_eq!(ok(fs::read(&path))?, b"of value");

        let Err(error) = create_unix_connection(directory.0.join("none"), Probe(noting)).await
        else {
            return Err(Failure::said("it was connected"));
        };
        check_eq!(error.kind(), ErrorKind::NotFound);
        Ok(())
    })
}

pub(super) fn abstract_names_leave_no_file() -> Outcome {
    if !cfg!(any(target_os = "linux", target_os = "android")) {
        return Err(Failure::Unsupported("only Linux has abstract names"));
    }
    run(async {
        let name = std::format!("\0molen-1982-{}", std::process::id());
        let listener = ok(UnixListener::bind(&name))?;
        let Err(taken) = UnixListener::bind(&name) else {
            return Err(Failure::said("an abstract name was replaced"));
        };
        check_eq!(taken.kind(), ErrorKind::AddrInUse);
        check!(taken.to_string().contains(" @molen-1982"), "the error does not say which");
        let client = ok(UnixStream::connect(&name).await)?;
        let server = ok(listener.accept().await)?;
        check_eq!(ok(client.peer_addr())?.abstract_name(), name.get(1..).map(str::as_bytes));
        ok(client.write_all(b"x").await)?;
        check_eq!(ok(server.read(&mut [0; 2]).await)?, 1);
        drop(listener);
        check!(UnixStream::connect(&name).await.is_err(), "somebody listens");
        Ok(())
    })
}

pub(super) fn a_name_that_cannot_be_one_says_why() -> Outcome {
    run(async {
        let long = "x".repeat(200);
        let Err(error) = open_unix_connection(&long).await else {
            return Err(Failure::said("it was connected"));
        };
        check_matches!(error.cause, UnixRefused::Address(_));
        check_eq!(error.kind(), ErrorKind::InvalidInput);
        let expected = std::format!("cannot connect to {long}: it has 200 bytes, and a Unix");
        check!(error.to_string().starts_with(&expected), "the error does not say why");
        for name in ["", "a\0b"] {
            let bound = UnixListener::bind(name).map_err(|error| error.kind());
            check_eq!(bound.err(), Some(ErrorKind::InvalidInput));
        }
        Ok(())
    })
}

pub(super) fn protocols_are_told_in_order_over_unix_sockets() -> Outcome {
    run(async {
        let directory = Directory::new("1984")?;
        let path = directory.socket();
        let greet = |transport: &Transport, call: crate::wire::Call<'_>| {
            if matches!(call, crate::wire::Call::Made) {
                transport.write(b"hello")?;
                transport.write_eof()?;
            }
            Ok(molen::net::AfterEof::Close)
        };
        let server = ok(create_unix_server(&path, move || Probe(greet)).await)?;
        let client = ok(create_unix_connection(&path, Probe(noting)).await)?;
        check_events!["made"];
        while !client.is_lost() {
            sleep(Duration::from_millis(1)).await;
        }
        check_events!["made", "hello", "eof", "lost"];
        close(&server).await
    })
}

pub(super) fn a_full_listener_is_waited_for_but_not_for_ever() -> Outcome {
    if !cfg!(any(target_os = "linux", target_os = "android")) {
        return Err(Failure::Unsupported("elsewhere a full listener refuses"));
    }
    run(async {
        let directory = Directory::new("1985")?;
        let path = directory.socket();
        let socket = ok(Socket::new(Domain::UNIX, Type::STREAM, None))?;
        ok(socket.bind(&ok(SockAddr::unix(&path))?))?;
        ok(socket.listen(0))?;
        let mut waiting = Vec::new();
        let late = loop {
            let attempt = create_unix_connection(&path, Probe(noting));
            match attempt.timeout(Duration::from_millis(30)).await {
                Ok(transport) => waiting.push(transport),
                Err(error) => break error,
            }
        };
        check_eq!(late.cause, UnixRefused::TimedOut);
        let connecting = open_unix_connection(&path).into_future();
        let accepting = async {
            sleep(Duration::from_millis(5)).await;
            socket.accept()
        };
        let (connected, accepted) = molen::combine::join((connecting, accepting)).await;
        ok(connected)?;
        ok(accepted)?;
        Ok(())
    })
}

pub(super) fn sockets_of_the_program_use_paths_too() -> Outcome {
    run(async {
        let event_loop = molen::get_running_loop()?;
        let directory = Directory::new("1986")?;
        let path = directory.socket();
        let address = ok(SockAddr::unix(&path))?;
        let listener = ok(Socket::new(Domain::UNIX, Type::STREAM, None))?;
        ok(listener.set_nonblocking(true))?;
        ok(listener.bind(&address))?;
        ok(listener.listen(1))?;
        let client = ok(Socket::new(Domain::UNIX, Type::STREAM, None))?;
        ok(client.set_nonblocking(true))?;
        ok(event_loop.sock_connect(&client, address.clone()).await)?;
        let (server, peer) = ok(event_loop.sock_accept(&listener).await)?;
        check!(peer.is_unnamed(), "the client is named");
        ok(event_loop.sock_sendall(&client, b"hello").await)?;
        check_eq!(ok(event_loop.sock_recv(&server, 9).await)?, b"hello");

        let (one, other) = (directory.0.join("one"), directory.0.join("other"));
        let receiver = ok(std::os::unix::net::UnixDatagram::bind(&one))?;
        let sender = ok(std::os::unix::net::UnixDatagram::bind(&other))?;
        ok(receiver.set_nonblocking(true))?;
        ok(sender.set_nonblocking(true))?;
        ok(event_loop.sock_sendto(&sender, b"message", ok(SockAddr::unix(&one))?).await)?;
        let (message, from) = ok(event_loop.sock_recvfrom(&receiver, 9).await)?;
        check_eq!((&*message, from.as_pathname()), (&b"message"[..], Some(&*other)));

        // A connection of the loop's is its transport's alone.
        let ours = ok(UnixStream::connect(&path).await)?;
        let fd = std::os::fd::AsRawFd::as_raw_fd(&ours);
        // SAFETY: `ours` has it open until the end of the case.
        let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
        let refused = timeout(Duration::from_secs(5), event_loop.sock_recv(&fd, 1)).await?;
        check!(refused.is_err(), "it reads from a connection of the loop's");
        Ok(())
    })
}
