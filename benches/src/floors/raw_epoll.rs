//! The kernel's own price: `epoll_wait`, `read`, `write`, nothing else.
//!
//! # Invariants
//!
//! * **OWNED**: every descriptor that is used is open and owned by [`serve`].
//! * **SIZED**: buffers and event arrays are as long as the length passed on.
//! * **INDEXED**: `backlog` has an entry for every accepted descriptor.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;

/// Level-triggered: write interest is armed only while there is a backlog.
pub fn serve_level(listener: TcpListener, size: usize) {
    serve(listener, size, Trigger::Level);
}

/// Edge-triggered: registered once for both directions.
pub fn serve_edge(listener: TcpListener, size: usize) {
    serve(listener, size, Trigger::Edge);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Level,
    Edge,
}

fn nodelay(fd: i32) {
    let one = 1i32;
    let len = size_of::<i32>() as u32;
    // SAFETY: OWNED; `one` outlives the call.
    unsafe {
        libc::setsockopt(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, (&raw const one).cast(), len);
    }
}

/// What a connection could not write yet.
#[derive(Default)]
struct Backlog {
    bytes: Vec<u8>,
    sent: usize,
}

fn serve(listener: TcpListener, size: usize, trigger: Trigger) {
    let edge = trigger == Trigger::Edge;
    let accept_fd = listener.as_raw_fd();
    // SAFETY: OWNED, SIZED, INDEXED.
    unsafe {
        let ep = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        let control = |op: i32, fd: i32, events: i32| {
            let mut ev = libc::epoll_event { events: events as u32, u64: fd as u64 };
            libc::epoll_ctl(ep, op, fd, &mut ev);
        };
        control(libc::EPOLL_CTL_ADD, accept_fd, libc::EPOLLIN);
        let first = if edge {
            libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET
        } else {
            libc::EPOLLIN
        };
        let mut events: Vec<libc::epoll_event> = Vec::with_capacity(1024);
        let mut backlog: Vec<Option<Box<Backlog>>> = Vec::new();
        let mut buf = vec![0u8; size];
        loop {
            let n = libc::epoll_wait(ep, events.as_mut_ptr(), 1024, -1);
            events.set_len(n.max(0) as usize);
            for ev in events.iter() {
                let fd = ev.u64 as i32;
                let flags = ev.events as i32;
                if fd == accept_fd {
                    loop {
                        let kind = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
                        let fd = libc::accept4(
                            accept_fd,
                            std::ptr::null_mut(),
                            std::ptr::null_mut(),
                            kind,
                        );
                        if fd < 0 {
                            break;
                        }
                        nodelay(fd);
                        if backlog.len() <= fd as usize {
                            backlog.resize_with(fd as usize + 1, || None);
                        }
                        control(libc::EPOLL_CTL_ADD, fd, first);
                    }
                    continue;
                }
                let slot = &mut backlog[fd as usize];
                if let Some(pending) = slot {
                    if flags & (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR) == 0 {
                        continue;
                    }
                    let left = &pending.bytes[pending.sent..];
                    let n = libc::write(fd, left.as_ptr().cast(), left.len());
                    if n < 0 && *libc::__errno_location() != libc::EAGAIN {
                        *slot = None;
                        libc::close(fd);
                        continue;
                    }
                    pending.sent += n.max(0) as usize;
                    if pending.sent < pending.bytes.len() {
                        continue;
                    }
                    *slot = None;
                    if !edge {
                        control(libc::EPOLL_CTL_MOD, fd, first);
                    }
                } else if flags & !libc::EPOLLOUT == 0 {
                    continue;
                }
                loop {
                    let n = libc::read(fd, buf.as_mut_ptr().cast(), size);
                    if n < 0 && *libc::__errno_location() == libc::EAGAIN {
                        break;
                    }
                    if n <= 0 {
                        libc::close(fd);
                        break;
                    }
                    let n = n as usize;
                    let sent = libc::write(fd, buf.as_ptr().cast(), n);
                    if sent < 0 && *libc::__errno_location() != libc::EAGAIN {
                        libc::close(fd);
                        break;
                    }
                    let sent = sent.max(0) as usize;
                    if sent < n {
                        let bytes = buf[sent..n].to_vec();
                        *slot = Some(Box::new(Backlog { bytes, sent: 0 }));
                        if !edge {
                            control(libc::EPOLL_CTL_MOD, fd, libc::EPOLLOUT);
                        }
                        break;
                    }
                    // A short read has emptied the socket buffer.
                    if !edge || n < size {
                        break;
                    }
                }
            }
        }
    }
}

/// Datagrams, each sent back to where it came from.
pub fn serve_datagrams(socket: UdpSocket) {
    let fd = socket.as_raw_fd();
    let mut buf = vec![0u8; 65536];
    // SAFETY: OWNED, SIZED; an all-zero address is valid, and as long as said.
    unsafe {
        let ep = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        let mut ev = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
        libc::epoll_ctl(ep, libc::EPOLL_CTL_ADD, fd, &mut ev);
        loop {
            libc::epoll_wait(ep, &mut ev, 1, -1);
            loop {
                let mut sender: libc::sockaddr_storage = std::mem::zeroed();
                let mut length = size_of::<libc::sockaddr_storage>() as u32;
                let address = (&raw mut sender).cast::<libc::sockaddr>();
                let room = buf.as_mut_ptr().cast();
                let n = libc::recvfrom(fd, room, buf.len(), 0, address, &mut length);
                if n < 0 {
                    break;
                }
                libc::sendto(fd, room, n as usize, 0, address, length);
            }
        }
    }
}
