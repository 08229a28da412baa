//! Large writes that take their bytes over, mixed with copied ones, through what
//! the system has: all arrives, once and in order, and nothing is kept.

use molen_core::io::source::ByteSource;
use molen_std::net::{TcpStream, WriteBufferLimits, open_streams};
use std::io::Read;
use std::net::TcpListener;
use std::rc::Rc;
use std::thread;

/// The bytes from number `from` on.
fn numbered(from: usize, count: usize) -> Vec<u8> {
    (from..from + count).map(|number| (number / 251 + number) as u8).collect()
}

/// How many writes there are, and how large the largest is.
const WRITES: usize = 120;
const LARGEST: usize = 100_000;

/// Writes to the source that `open` opens, while a thread reads from `reader`.
fn all_arrives<S, R>(reader: R, open: impl AsyncFnOnce() -> S)
where
    S: ByteSource + 'static,
    R: FnOnce() -> Vec<u8> + Send + 'static,
{
    let reading = thread::spawn(reader);
    let event_loop = molen_std::new_event_loop().unwrap();
    let sent = event_loop.run_until_complete(async {
        let (_reader, writer) = open_streams(open().await, 64).await.unwrap();
        writer.transport().set_write_buffer_limits(WriteBufferLimits::of_high(3 * LARGEST));
        let mut sent = 0;
        let mut shared: Vec<Rc<[u8]>> = Vec::new();
        for number in 0..WRITES {
            let count = number * 7919 % LARGEST;
            let bytes = numbered(sent, count);
            let (first, rest) = bytes.split_at(count / 3);
            match number % 5 {
                0 => writer.write(&bytes).unwrap(),
                1 => writer.write_owned(bytes.clone()).unwrap(),
                2 => writer.writelines(&[first, rest]).unwrap(),
                3 => {
                    let pieces: Vec<Rc<[u8]>> = vec![first.into(), [].into(), rest.into()];
                    shared.extend_from_slice(&pieces);
                    writer.writelines_owned(pieces).unwrap()
                }
                _ => {
                    let bytes: Rc<[u8]> = bytes.into();
                    shared.push(bytes.clone());
                    writer.write_owned(bytes).unwrap()
                }
            };
            sent += count;
            writer.drain().await.unwrap();
        }
        writer.close();
        writer.wait_closed().await.unwrap();
        assert!(shared.iter().all(|bytes| Rc::strong_count(bytes) == 1), "something is kept");
        sent
    });
    let received = reading.join().unwrap();
    let sent = sent.unwrap();
    assert_eq!(received.len(), sent);
    assert!(received == numbered(0, sent), "other bytes than were sent");
}

#[test]
fn through_a_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let read = move || {
        let mut received = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut received).unwrap();
        received
    };
    all_arrives(read, async || TcpStream::connect(address).await.unwrap());
}

#[test]
fn through_a_pipe() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let read = move || {
        let mut received = Vec::new();
        reader.read_to_end(&mut received).unwrap();
        received
    };
    all_arrives(read, async || molen_std::pipe::WritePipe::new(writer).unwrap());
}
