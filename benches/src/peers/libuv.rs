//! libuv, as the C library that is on the machine.
//!
//! It is loaded when its column runs, by the names and numbers that libuv 1
//! keeps for good, and it says itself how big its structures are. So nothing is
//! compiled against its headers, and without it only its column is empty.
//!
//! # Invariants
//!
//! * **ABI**: the signatures below are those of libuv 1 on Unix, where a buffer
//!   is a pointer and a length.
//! * **SIZED**: a handle or request is as long as libuv says, and aligned as
//!   `malloc` would.
//! * **CLOSED LAST**: a handle is freed only in the callback of its closing; a
//!   request only when it is done.
//! * **ONE THREAD**: everything runs on the thread of the one default loop.

use crate::server::{nap, sleepers, woken};
use fastrand::Rng;
use libloading::Library;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::IntoRawFd;
use std::sync::OnceLock;
use std::time::Instant;

/// A loop, a handle or a request.
type Thing = *mut c_void;

#[repr(C)]
struct Buf {
    base: *mut u8,
    len: usize,
}

type OnClose = extern "C" fn(Thing);
type OnAlloc = extern "C" fn(Thing, usize, *mut Buf);
type OnRead = extern "C" fn(Thing, isize, *const Buf);
type OnConnection = extern "C" fn(Thing, c_int);
type OnDatagram = extern "C" fn(Thing, isize, *const Buf, *const c_void, c_uint);

/// Numbers of `uv_handle_type` and `uv_req_type`.
const TCP: c_int = 12;
const TIMER: c_int = 13;
const UDP: c_int = 15;
const WRITE: c_int = 3;
const EAGAIN: c_int = -libc::EAGAIN;

macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Uv {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        fn load() -> Result<Uv, libloading::Error> {
            // SAFETY: libuv does nothing when it is loaded; it stays loaded; ABI.
            unsafe {
                let library = Box::leak(Box::new(Library::new("libuv.so.1")?));
                Ok(Uv { $($name: *library.get(concat!("uv_", stringify!($name)).as_bytes())?,)* })
            }
        }
    };
}

functions! {
    version_string: fn() -> *const c_char;
    handle_size: fn(c_int) -> usize;
    req_size: fn(c_int) -> usize;
    default_loop: fn() -> Thing;
    run: fn(Thing, c_int) -> c_int;
    tcp_init: fn(Thing, Thing) -> c_int;
    tcp_open: fn(Thing, c_int) -> c_int;
    tcp_nodelay: fn(Thing, c_int) -> c_int;
    listen: fn(Thing, c_int, OnConnection) -> c_int;
    accept: fn(Thing, Thing) -> c_int;
    read_start: fn(Thing, OnAlloc, OnRead) -> c_int;
    try_write: fn(Thing, *const Buf, c_uint) -> c_int;
    write: fn(Thing, Thing, *const Buf, c_uint, OnConnection) -> c_int;
    is_closing: fn(Thing) -> c_int;
    close: fn(Thing, OnClose);
    udp_init: fn(Thing, Thing) -> c_int;
    udp_open: fn(Thing, c_int) -> c_int;
    udp_recv_start: fn(Thing, OnAlloc, OnDatagram) -> c_int;
    udp_try_send: fn(Thing, *const Buf, c_uint, *const c_void) -> c_int;
    timer_init: fn(Thing, Thing) -> c_int;
    timer_start: fn(Thing, OnClose, u64, u64) -> c_int;
    req_get_data: fn(Thing) -> Thing;
    req_set_data: fn(Thing, Thing);
    handle_get_data: fn(Thing) -> Thing;
    handle_set_data: fn(Thing, Thing);
}

fn uv() -> &'static Uv {
    static UV: OnceLock<Uv> = OnceLock::new();
    UV.get_or_init(|| load().expect("libuv, which was there"))
}

/// Whether there is no libuv here. `cargo xtask setup --bench-peers` gets it.
pub fn is_missing() -> bool {
    static MISSING: OnceLock<bool> = OnceLock::new();
    *MISSING.get_or_init(|| load().is_err())
}

/// Its version, for the report.
pub fn version() -> &'static str {
    // SAFETY: ABI; the string lives for ever.
    unsafe { CStr::from_ptr((uv().version_string)()) }.to_str().unwrap_or("?")
}

/// The buffer that every read goes to.
struct Room(std::cell::UnsafeCell<[u8; 65536]>);
// SAFETY: ONE THREAD.
unsafe impl Sync for Room {}
static ROOM: Room = Room(std::cell::UnsafeCell::new([0; 65536]));

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 16).expect("a size that libuv gave")
}

fn new_handle(kind: c_int) -> Thing {
    // SAFETY: SIZED.
    unsafe { alloc_zeroed(layout((uv().handle_size)(kind))).cast() }
}

extern "C" fn on_tcp_closed(handle: Thing) {
    // SAFETY: SIZED, CLOSED LAST.
    unsafe { dealloc(handle.cast(), layout((uv().handle_size)(TCP))) }
}

extern "C" fn on_alloc(_handle: Thing, _hint: usize, buf: *mut Buf) {
    // SAFETY: ABI; ONE THREAD, and libuv reads to one buffer at a time.
    unsafe { *buf = Buf { base: ROOM.0.get().cast(), len: 65536 } }
}

/// What could not be written at once: the stream, and the bytes.
struct Rest {
    stream: Thing,
    bytes: Vec<u8>,
}

extern "C" fn on_written(req: Thing, status: c_int) {
    let uv = uv();
    // SAFETY: ABI; CLOSED LAST, SIZED; the data is what `on_read` put there.
    unsafe {
        let rest = Box::from_raw((uv.req_get_data)(req).cast::<Rest>());
        if status < 0 && (uv.is_closing)(rest.stream) == 0 {
            (uv.close)(rest.stream, on_tcp_closed);
        }
        dealloc(req.cast(), layout((uv.req_size)(WRITE)));
    }
}

extern "C" fn on_read(stream: Thing, count: isize, buf: *const Buf) {
    let uv = uv();
    if count == 0 {
        return;
    }
    // SAFETY: ABI; the buffer holds so many bytes; SIZED.
    unsafe {
        if count < 0 {
            return (uv.close)(stream, on_tcp_closed);
        }
        let out = Buf { base: (*buf).base, len: count as usize };
        let sent = match (uv.try_write)(stream, &out, 1) {
            EAGAIN => 0,
            failed if failed < 0 => return (uv.close)(stream, on_tcp_closed),
            sent => sent as usize,
        };
        if sent < out.len {
            let bytes = std::slice::from_raw_parts(out.base.add(sent), out.len - sent).to_vec();
            let mut rest = Box::new(Rest { stream, bytes });
            let out = Buf { base: rest.bytes.as_mut_ptr(), len: rest.bytes.len() };
            let req: Thing = alloc_zeroed(layout((uv.req_size)(WRITE))).cast();
            (uv.req_set_data)(req, Box::into_raw(rest).cast());
            (uv.write)(req, stream, &out, 1, on_written);
        }
    }
}

extern "C" fn on_connection(listener: Thing, status: c_int) {
    let uv = uv();
    if status < 0 {
        return;
    }
    let stream = new_handle(TCP);
    // SAFETY: ABI; ONE THREAD.
    unsafe {
        (uv.tcp_init)((uv.default_loop)(), stream);
        if (uv.accept)(listener, stream) == 0 {
            (uv.tcp_nodelay)(stream, 1);
            (uv.read_start)(stream, on_alloc, on_read);
        } else {
            (uv.close)(stream, on_tcp_closed);
        }
    }
}

/// A sleeper: its generator, and when it is due.
struct Sleeper {
    rng: Rng,
    due: Instant,
}

extern "C" fn on_timer(timer: Thing) {
    let uv = uv();
    // SAFETY: ABI; the data is what `start_sleepers` put there, for good.
    unsafe {
        let sleeper = &mut *(uv.handle_get_data)(timer).cast::<Sleeper>();
        woken(sleeper.due);
        doze(timer, sleeper);
    }
}

fn doze(timer: Thing, sleeper: &mut Sleeper) {
    let delay = nap(&mut sleeper.rng);
    sleeper.due = Instant::now() + delay;
    // It knows milliseconds only; never too early.
    let millis = delay.as_micros().div_ceil(1000) as u64;
    // SAFETY: ABI.
    unsafe { (uv().timer_start)(timer, on_timer, millis, 0) };
}

fn start_sleepers(event_loop: Thing) {
    for at in 0..sleepers() {
        let sleeper = Sleeper { rng: Rng::with_seed(300 + at as u64), due: Instant::now() };
        let sleeper = Box::leak(Box::new(sleeper));
        let timer = new_handle(TIMER);
        // SAFETY: ABI; both live for ever.
        unsafe {
            (uv().timer_init)(event_loop, timer);
            (uv().handle_set_data)(timer, std::ptr::from_mut(sleeper).cast());
        }
        doze(timer, sleeper);
    }
}

/// Serves `listener` for ever; writes at once, and queues the rest.
pub fn serve(listener: TcpListener, _size: usize) {
    let uv = uv();
    // SAFETY: ABI; the listening handle lives for ever.
    unsafe {
        let event_loop = (uv.default_loop)();
        start_sleepers(event_loop);
        let handle = new_handle(TCP);
        (uv.tcp_init)(event_loop, handle);
        (uv.tcp_open)(handle, listener.into_raw_fd());
        (uv.listen)(handle, 1024, on_connection);
        (uv.run)(event_loop, 0);
    }
}

extern "C" fn on_datagram(
    handle: Thing,
    count: isize,
    buf: *const Buf,
    sender: *const c_void,
    _flags: c_uint,
) {
    if count < 0 || sender.is_null() {
        return;
    }
    // SAFETY: ABI; the buffer holds so many bytes.
    unsafe {
        let out = Buf { base: (*buf).base, len: count as usize };
        (uv().udp_try_send)(handle, &out, 1, sender);
    }
}

/// Serves datagrams for ever.
pub fn serve_datagrams(socket: UdpSocket) {
    let uv = uv();
    // SAFETY: ABI; the handle lives for ever.
    unsafe {
        let event_loop = (uv.default_loop)();
        let handle = new_handle(UDP);
        (uv.udp_init)(event_loop, handle);
        (uv.udp_open)(handle, socket.into_raw_fd());
        (uv.udp_recv_start)(handle, on_alloc, on_datagram);
        (uv.run)(event_loop, 0);
    }
}
