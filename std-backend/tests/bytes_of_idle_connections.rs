//! How much of the heap a connection takes that has said something and is now quiet.
//!
//! Counted by an allocator, so it is the same on every run; how much of that is the operating
//! system's in pages, the `idle_10k` row of `benches/` shows beside other libraries.

#![cfg(all(unix, target_pointer_width = "64"))]

use molen_core::executor::to_thread;
use molen_std::net::{
    Answer, DEFAULT_LIMIT, Protocol, Server, Start, StreamReader, StreamWriter, TcpListener,
    Transport, start_stream_server,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// So many that tables, which grow by doubling, are full at the end: what they keep in reserve is
/// no connection's.
const CONNECTIONS: usize = 256;
/// Those before them: whatever is needed once is there then, and descriptors' numbers are not far
/// from a power of two.
const BEFORE: usize = 240;

struct Echo;

impl Protocol for Echo {
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        transport.write(data)?;
        Ok(())
    }
}

async fn echo(mut reader: StreamReader, writer: StreamWriter) {
    let mut buffer = [0; 64];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        if writer.write(&buffer[..count]).is_err() || writer.drain().await.is_err() {
            break;
        }
    }
}

/// Connects from another thread, says something and hears it, and stays.
fn clients(address: SocketAddr, mut all: Vec<TcpStream>) -> Vec<TcpStream> {
    while all.len() < all.capacity() {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"hello").unwrap();
        stream.read_exact(&mut [0; 5]).unwrap();
        all.push(stream);
    }
    all
}

/// Bytes of the heap for each of `CONNECTIONS` connections.
fn bytes_each(serve: impl FnOnce(TcpListener) -> Server) -> isize {
    let event_loop = molen_std::new_event_loop().unwrap();
    let each = event_loop.run_until_complete(async {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let _server = serve(listener);
        let run = |all| to_thread(move || clients(address, all));
        let before = run(Vec::with_capacity(BEFORE)).await.unwrap();
        let all = Vec::with_capacity(CONNECTIONS);
        let live = LIVE.load(Relaxed);
        let all = run(all).await.unwrap();
        let each = (LIVE.load(Relaxed) - live) / CONNECTIONS as isize;
        drop((before, all));
        each
    });
    each.unwrap()
}

#[test]
fn a_quiet_connection_keeps_no_buffer() {
    let protocol = bytes_each(|listener| Server::new([listener], || Echo, Start::Now).unwrap());
    let streams = bytes_each(|listener| {
        start_stream_server([listener], echo, DEFAULT_LIMIT, Start::Now).unwrap()
    });
    println!("{protocol} B with a protocol, {streams} B with streams");
    assert!(protocol <= 260, "{protocol} B for a connection with a protocol");
    // Streams may then know which connection took their first one's place.
    let most = if cfg!(feature = "tls") { 668 } else { 660 };
    assert!(streams <= most, "{streams} B for a connection with streams and a task");
}
