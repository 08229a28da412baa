//! How many system calls a request costs: one to wait, one to read, one to write.
//!
//! The functions of the C library behind them are put in the place of the library's own here, for
//! the whole process: they count what the loop's thread calls, and make the call. So nothing has
//! to trace the process.
//!
//! # Invariants
//!
//! * **Same Call**: each function passes what it was given on to the kernel, unchanged, and returns
//!   what the kernel answered as the C library does.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use core::arch::asm;
use core::ffi::{c_int, c_long, c_void};
use molen_std::net::{
    Answer, DEFAULT_LIMIT, Protocol, Server, Start, StreamReader, StreamWriter, TcpListener,
    Transport, start_stream_server,
};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What was called on this thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Calls {
    waits: u64,
    reads: u64,
    writes: u64,
    controls: u64,
}

thread_local! {
    static CALLS: Cell<Calls> = const { Cell::new(Calls { waits: 0, reads: 0, writes: 0, controls: 0 }) };
}

fn count(f: impl FnOnce(&mut Calls)) {
    // At the thread's end the place may be gone.
    let _ = CALLS.try_with(|calls| {
        let mut now = calls.get();
        f(&mut now);
        calls.set(now);
    });
}

/// # Safety
///
/// As for the call that it makes.
unsafe fn kernel(number: c_long, arguments: [c_long; 6]) -> c_long {
    let mut answer = number;
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the kernel's calling convention; the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    if (-4095..0).contains(&answer) {
        // SAFETY: the thread's own place.
        unsafe { *libc::__errno_location() = -answer as c_int };
        return -1;
    }
    answer
}

/// The generic way into the kernel, by which the loop waits.
///
/// # Safety
///
/// As for the call that it makes.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    if number == libc::SYS_epoll_pwait2 {
        count(|calls| calls.waits += 1);
    }
    // SAFETY: Same Call.
    unsafe { kernel(number, [a, b, c, d, e, f]) }
}

/// # Safety
///
/// As for `recv`.
#[unsafe(no_mangle)]
unsafe extern "C" fn recv(fd: c_int, buffer: *mut c_void, length: usize, flags: c_int) -> isize {
    count(|calls| calls.reads += 1);
    let arguments = [fd.into(), buffer as c_long, length as c_long, flags.into(), 0, 0];
    // SAFETY: Same Call.
    unsafe { kernel(libc::SYS_recvfrom, arguments) as isize }
}

/// # Safety
///
/// As for `send`.
#[unsafe(no_mangle)]
unsafe extern "C" fn send(fd: c_int, buffer: *const c_void, length: usize, flags: c_int) -> isize {
    count(|calls| calls.writes += 1);
    let arguments = [fd.into(), buffer as c_long, length as c_long, flags.into(), 0, 0];
    // SAFETY: Same Call.
    unsafe { kernel(libc::SYS_sendto, arguments) as isize }
}

/// # Safety
///
/// As for `epoll_ctl`.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_ctl(
    epoll: c_int,
    operation: c_int,
    fd: c_int,
    event: *mut libc::epoll_event,
) -> c_int {
    count(|calls| calls.controls += 1);
    let arguments = [epoll.into(), operation.into(), fd.into(), event as c_long, 0, 0];
    // SAFETY: Same Call.
    unsafe { kernel(libc::SYS_epoll_ctl, arguments) as c_int }
}

struct Echo;

impl Protocol for Echo {
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        transport.write(data)?;
        Ok(())
    }
}

async fn echo_by_streams(mut reader: StreamReader, writer: StreamWriter) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        if writer.write(&buffer[..count]).is_err() || writer.drain().await.is_err() {
            break;
        }
    }
}

async fn echo_by_socket(listener: TcpListener) {
    while let Ok((stream, _peer)) = listener.accept().await {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..count]).await.unwrap();
        }
    }
}

/// Requests before counting, and while it is counted.
const BEFORE: u64 = 10;
const REQUESTS: u64 = 100;

/// Asks and hears on one connection; pauses, so that the server has begun to wait again when the
/// next request comes.
fn client(mut stream: TcpStream, requests: u64) -> TcpStream {
    let (request, mut answer) = ([7; 64], [0; 64]);
    for _ in 0..requests {
        stream.write_all(&request).unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, request);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    stream
}

/// The calls of `REQUESTS` requests on one connection.
fn calls(serve: impl AsyncFnOnce(TcpListener)) -> Calls {
    let event_loop = molen_std::new_event_loop().unwrap();
    let calls = event_loop.run_until_complete(async {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        serve(listener).await;
        let begun = molen_core::executor::to_thread(move || {
            client(TcpStream::connect(address).unwrap(), BEFORE)
        });
        let stream = begun.await.unwrap();
        let before = CALLS.get();
        let done = molen_core::executor::to_thread(move || client(stream, REQUESTS));
        let _stream = done.await.unwrap();
        let after = CALLS.get();
        Calls {
            waits: after.waits - before.waits,
            reads: after.reads - before.reads,
            writes: after.writes - before.writes,
            controls: after.controls - before.controls,
        }
    });
    calls.unwrap()
}

#[test]
fn a_request_costs_one_wait_one_read_and_one_write() {
    let mut kept = Vec::new();
    let protocol = calls(async |listener| {
        kept.push(Server::new([listener], || Echo, Start::Now).unwrap());
    });
    let streams = calls(async |listener| {
        let server = start_stream_server([listener], echo_by_streams, DEFAULT_LIMIT, Start::Now);
        kept.push(server.unwrap());
    });
    let socket = calls(async |listener| {
        molen_core::create_task(echo_by_socket(listener)).unwrap().detach();
    });
    for (way, calls) in [("protocol", protocol), ("streams", streams), ("socket", socket)] {
        println!("{way}: {calls:?} for {REQUESTS} requests");
        assert_eq!((calls.reads, calls.writes, calls.controls), (REQUESTS, REQUESTS, 0), "{way}");
        // One more for the news that the client has done; a busy machine may merge two.
        assert!(calls.waits <= REQUESTS + 2, "{way}: {} waits", calls.waits);
    }
}
