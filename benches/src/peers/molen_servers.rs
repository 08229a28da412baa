//! Molen's other ways of serving: protocols, streams, datagrams; and its pipes.

use super::molen_rt::Molen;
use crate::peer::Peer;
use crate::server::start_sleepers;
use molen::get_running_loop;
use molen::net::{
    Answer, BufferedProtocol, ConnectionError, DEFAULT_LIMIT, DatagramProtocol, DatagramTransport,
    Protocol, Server, Start, StreamReader, StreamWriter, TcpListener, Transport, UdpSocket,
    start_stream_server,
};
use molen::pipe::{ReadPipe, WritePipe, connect_read_pipe, connect_write_pipe};
use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Sends back what comes: without a task for each connection.
struct Echo;

impl Protocol for Echo {
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        transport.write(data)?;
        Ok(())
    }
}

impl DatagramProtocol<SocketAddr> for Echo {
    fn datagram_received(
        &mut self,
        transport: &DatagramTransport<SocketAddr>,
        data: &[u8],
        sender: &SocketAddr,
    ) -> Answer {
        transport.sendto(data, Some(sender))?;
        Ok(())
    }
}

/// The same with a buffer of its own.
struct BufferedEcho {
    buffer: Box<[u8]>,
}

impl BufferedProtocol for BufferedEcho {
    fn get_buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    fn buffer_updated(&mut self, transport: &Transport, count: usize) -> Answer {
        transport.write(&self.buffer[..count])?;
        Ok(())
    }
}

/// Serves echo with a protocol.
pub fn serve_protocol(listener: std::net::TcpListener, _size: usize) {
    Molen::block_on(async move {
        start_sleepers::<Molen>();
        let listener = TcpListener::from_std(listener).expect("register listener");
        let server = Server::new([listener], || Echo, Start::Now).expect("a running loop");
        server.wait_closed().await;
    });
}

/// Serves echo with a protocol that has a buffer for each connection.
pub fn serve_buffered(listener: std::net::TcpListener, size: usize) {
    Molen::block_on(async move {
        start_sleepers::<Molen>();
        let event_loop = get_running_loop().expect("a running loop");
        let listener = TcpListener::from_std(listener).expect("register listener");
        while let Ok((stream, _peer)) = listener.accept().await {
            let protocol = BufferedEcho { buffer: vec![0; size].into() };
            Transport::new_buffered(&event_loop, stream, protocol).expect("an open loop");
        }
    });
}

/// Serves echo with a task and a pair of streams for each connection.
pub fn serve_streams(listener: std::net::TcpListener, size: usize) {
    Molen::block_on(async move {
        start_sleepers::<Molen>();
        let listener = TcpListener::from_std(listener).expect("register listener");
        let handler = move |reader, writer| echo(reader, writer, size);
        let server = start_stream_server([listener], handler, DEFAULT_LIMIT, Start::Now);
        server.expect("a running loop").wait_closed().await;
    });
}

async fn echo(mut reader: StreamReader, writer: StreamWriter, size: usize) {
    let mut buffer = vec![0; size];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        if writer.write(&buffer[..count]).is_err() || writer.drain().await.is_err() {
            break;
        }
    }
}

/// Serves datagrams with a protocol.
pub fn serve_datagrams(socket: std::net::UdpSocket) {
    Molen::block_on(async move {
        let event_loop = get_running_loop().expect("a running loop");
        let socket = UdpSocket::from_std(socket).expect("register socket");
        let _endpoint =
            DatagramTransport::new(&event_loop, socket, Echo, None).expect("an open loop");
        std::future::pending::<()>().await;
    });
}

/// What the two ends of a pipe and the task beside them share.
#[derive(Default)]
struct Shared {
    received: Cell<u64>,
    waiter: Cell<Option<Waker>>,
}

impl Shared {
    fn wake(&self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// Waits until `done`.
    async fn when(&self, done: impl Fn(&Shared) -> bool) {
        poll_fn(|cx| {
            if done(self) {
                return Poll::Ready(());
            }
            self.waiter.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

struct Reading(Rc<Shared>);

impl Protocol for Reading {
    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        self.0.received.set(self.0.received.get() + data.len() as u64);
        Ok(())
    }

    fn connection_lost(&mut self, _: &Transport, _: Option<&ConnectionError>) -> Answer {
        self.0.wake();
        Ok(())
    }
}

struct Writing(Rc<Shared>);

impl Protocol for Writing {
    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        Ok(())
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        self.0.wake();
        Ok(())
    }
}

/// Writes `chunk` to a pipe so many times, by a task, and reads it all.
pub async fn pipe(chunk: Vec<u8>, times: u64) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let reader = ReadPipe::new(reader).expect("a pipe to read");
    let writer = WritePipe::new(writer).expect("a pipe to write");
    let all = chunk.len() as u64 * times;
    Molen::spawn(async move {
        for _ in 0..times {
            writer.write_all(&chunk).await.expect("write");
        }
    });
    let mut buffer = vec![0; 65536];
    let mut received = 0;
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        received += count as u64;
    }
    assert_eq!(received, all);
}

/// Writes `chunk` to a pipe so many times, in step with its flow control, and
/// reads it all, by protocols at both ends. What the pipe does not take now is
/// kept, not copied.
pub async fn pipe_by_protocols(chunk: Vec<u8>, times: u64) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let (reading, writing) = (Rc::<Shared>::default(), Rc::<Shared>::default());
    let reader = ReadPipe::new(reader).expect("a pipe to read");
    let writer = WritePipe::new(writer).expect("a pipe to write");
    connect_read_pipe(reader, Reading(reading.clone())).await.expect("a reading transport");
    let transport =
        connect_write_pipe(writer, Writing(writing.clone())).await.expect("a writing transport");
    let chunk: Rc<[u8]> = chunk.into();
    for _ in 0..times {
        transport.write_owned(chunk.clone()).expect("a pipe that takes it");
        if transport.is_writing_paused() {
            writing.when(|_| !transport.is_writing_paused()).await;
        }
    }
    let all = chunk.len() as u64 * times;
    transport.close();
    reading.when(|shared| shared.received.get() == all).await;
}
