//! Connections under the traits of futures-io and tokio: each crate's own
//! helpers read and write them.
#![cfg(all(feature = "futures-io", feature = "tokio"))]

use molen_core::create_task;
use molen_std::net::{StreamPair, TcpListener, TcpStream, open_connection};
use std::net::SocketAddr;

fn run<T>(main: impl Future<Output = T>) -> T {
    let event_loop = molen_std::new_event_loop().unwrap();
    event_loop.run_until_complete(main).unwrap()
}

/// Sends everything back, by tokio's `copy`.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = create_task(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut all = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut all).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &all).await.unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
    });
    serving.unwrap().detach();
    address
}

const SIZE: usize = 300_000;

#[test]
fn futures_io_writes_and_reads_a_socket() {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    run(async {
        let mut stream = TcpStream::connect(echo()).await.unwrap();
        stream.write_all(&[7; SIZE]).await.unwrap();
        stream.close().await.unwrap();
        let mut back = Vec::new();
        stream.read_to_end(&mut back).await.unwrap();
        assert_eq!(back, [7; SIZE]);
    });
}

#[test]
fn tokio_writes_and_reads_a_pair_of_streams() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    run(async {
        let (reader, writer) = open_connection(echo()).await.unwrap();
        let mut pair = StreamPair { reader, writer };
        pair.write_all(&[7; SIZE]).await.unwrap();
        pair.shutdown().await.unwrap();
        let mut back = Vec::new();
        pair.read_to_end(&mut back).await.unwrap();
        assert_eq!(back, [7; SIZE]);
    });
}
