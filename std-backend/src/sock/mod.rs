//! asyncio's `sock_…` calls: asynchronous operations on sockets that stay the program's own.
//!
//! A [`TcpStream`](crate::net::TcpStream) of this crate, or a transport, belongs to its loop and is
//! registered with the system for as long as it lives. A socket for the calls here is anybody's
//! (of the standard library, of `socket2`, of another crate), of any family and type, and a loop
//! knows of it only while a call waits.
//!
//! ```text
//!  sock_recv ─▶ try ──done──────────────────────────────▶ the result
//!                │ would block                  ▲
//!                ▼                              │ done
//!              register ─▶ wait for an event ─▶ try again ─would block─▶ wait …
//!                                │
//!                                └─ cancelled: nothing was taken, and the registration ends
//! ```
//!
//! | asyncio | Molen | why it differs |
//! |---|---|---|
//! | `loop.sock_recv(sock, n)` | [`event_loop.sock_recv(&sock, n)`](SocketOperations::sock_recv) | the socket is borrowed, so nobody can close it meanwhile |
//! | `sock_recv_into(sock, buf)` | [`sock_recv_into`](SocketOperations::sock_recv_into) | |
//! | `sock_recvfrom(sock, n)` | [`sock_recvfrom`](SocketOperations::sock_recvfrom) | |
//! | `sock_recvfrom_into(sock, buf, nbytes=0)` | [`sock_recvfrom_into`](SocketOperations::sock_recvfrom_into) | |
//! | `sock_sendall(sock, data)` | [`sock_sendall`](SocketOperations::sock_sendall) | |
//! | `sock_sendto(sock, data, addr)` | [`sock_sendto`](SocketOperations::sock_sendto) | |
//! | `sock_connect(sock, address)` | [`sock_connect`](SocketOperations::sock_connect) | addresses are typed; a name is resolved before |
//! | `sock_accept(sock)` | [`sock_accept`](SocketOperations::sock_accept) | |
//! | `sock_sendfile(sock, file, offset=0, count=None, fallback=True)` | [`sock_sendfile`](SocketOperations::sock_sendfile) | [`SendfileFallback`] instead of a truth value |
//! | `ValueError: the socket must be non-blocking`, in debug mode | [`SocketRefused::Blocking`], always | costs one short system call |
//! | module `socket` | [`Socket`], [`SockAddr`] … of the crate `socket2` | |
//!
//! Where asyncio has one place for each direction of a socket, so that a second `sock_recv`, or an
//! `add_reader`, leaves the first waiting for ever, here all of them wait side by side: each event
//! wakes all who wait for its direction, in order of arrival, and who comes too late waits on.
//!
//! ```
//! use molen_core::{create_task, get_running_loop};
//! use molen_std::sock::{Domain, Socket, SocketOperations, Type};
//! use std::net::{SocketAddr, TcpListener};
//!
//! let event_loop = molen_std::new_event_loop()?;
//! event_loop.run_until_complete(async {
//!     let event_loop = get_running_loop()?;
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     listener.set_nonblocking(true)?;
//!     let address: SocketAddr = listener.local_addr()?;
//!     let inner = event_loop.clone();
//!     let greeter = create_task(async move {
//!         let (client, _address) = inner.sock_accept(&listener).await?;
//!         inner.sock_sendall(&client, b"hello\n").await
//!     })?;
//!     let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
//!     socket.set_nonblocking(true)?;
//!     event_loop.sock_connect(&socket, address).await?;
//!     assert_eq!(event_loop.sock_recv(&socket, 100).await?, b"hello\n");
//!     greeter.await??;
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })??;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `operations` | the calls |
//! | `operation` | what they have in common: checks, trying and waiting |
//! | `sock_sendfile` | from a file to a socket, by the system or by hand |
//! | `received` | buffers that the system fills |
//! | `error` | why a call failed |

mod error;
mod operation;
mod operations;
mod received;
mod sock_sendfile;

pub use crate::sendfile::SendfileFallback;
pub use error::{SocketError, SocketRefused};
pub use operations::SocketOperations;
pub use socket2::{Domain, Protocol, SockAddr, Socket, Type};
