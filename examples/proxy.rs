//! A TCP proxy: each connection is passed on to another server, both ways at once.
//!
//! ```text
//! cargo run --example proxy -- 127.0.0.1:8080 example.org:80
//! ```
//!
//! The two directions end one by one: who has said all that it has to say, and closes its
//! half, still gets the whole answer. A side that does not read holds up the other side
//! only, not this program's memory. Ctrl-C lets what is under way finish for ten seconds.

use molen::net::{
    Hosts, Server, StreamReader, StreamWriter, WriteError, open_connection, start_server,
};
use molen::signals::{self, Signal};
use molen::{Duration, join, timeout};
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

/// How long a connection may take to stand.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long what is under way may go on at the end.
const FAREWELL: Duration = Duration::from_secs(10);

/// What asks the program to end.
#[cfg(unix)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::TERM];
#[cfg(windows)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::BREAK];

/// Copies until the end, and passes that on too. Returns how many bytes there were.
async fn copy(mut from: StreamReader, to: &StreamWriter) -> io::Result<u64> {
    let mut copied = 0;
    loop {
        let piece = from.fill_buf().await?;
        let count = piece.len();
        if count == 0 {
            break;
        }
        to.write(piece)?;
        from.consume(count);
        to.drain().await?;
        copied += count as u64;
    }
    match to.write_eof() {
        // The other side cannot have one direction closed: it learns of it at the end.
        Err(WriteError::NoHalfClose) => {}
        ended => ended?,
    }
    Ok(copied)
}

/// One client and its server.
async fn pass_on(
    client: (StreamReader, StreamWriter),
    server: Hosts,
) -> Result<(), Box<dyn Error>> {
    let (from_client, to_client) = client;
    let (from_server, to_server) = open_connection(server).timeout(PATIENCE).await?;
    let (there, back) = join((copy(from_client, &to_server), copy(from_server, &to_client))).await;
    let (there, back) = (there?, back?);
    let _ = writeln!(io::stderr(), "proxy: {there} bytes there, {back} bytes back");
    Ok(())
}

/// Serves until it is asked to end.
async fn proxy(from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let to: Hosts = to.into();
    let asked_to_end = signals::wait(&ENDING);
    let server =
        start_server(from, move |reader, writer| pass_on((reader, writer), to.clone())).await?;
    for address in server.addresses() {
        let _ = writeln!(io::stderr(), "proxy: listening on {address}");
    }
    asked_to_end.await?;
    end(&server).await;
    Ok(())
}

/// Takes no one new, and waits for those who are there, but not for ever.
async fn end(server: &Server) {
    server.close();
    if timeout(FAREWELL, server.wait_closed()).await.is_err() {
        let left = server.client_count();
        let _ = writeln!(io::stderr(), "proxy: {left} connections are cut off");
        server.abort_clients();
    }
}

#[molen::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        eprintln!("usage: proxy LISTEN-HOST:PORT SERVER-HOST:PORT");
        return ExitCode::from(2);
    };
    match proxy(from, to).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers with what it was sent, backwards, and not before it has all of it.
    async fn backwards(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
        let mut all = reader.read_to_end().await?;
        all.reverse();
        writer.write(&all)?;
        writer.drain().await?;
        Ok(())
    }

    #[molen::test]
    async fn who_closes_its_half_gets_the_whole_answer() -> Result<(), Box<dyn Error>> {
        let server = start_server(("127.0.0.1", 0), backwards).await?;
        let to = Hosts::from(server.addresses());
        let proxy = start_server(("127.0.0.1", 0), move |reader, writer| {
            pass_on((reader, writer), to.clone())
        })
        .await?;
        let (mut reader, writer) = open_connection(proxy.addresses()[0]).await?;
        let question: Vec<u8> = (0..1_000_000_u32).map(|number| number as u8).collect();
        writer.write(&question)?;
        writer.write_eof()?;
        let answer = timeout(Duration::from_secs(60), reader.read_to_end()).await??;
        assert!(answer.iter().rev().eq(&question), "{} bytes came back", answer.len());
        // Both connections of the proxy end with that.
        end(&proxy).await;
        assert_eq!(proxy.client_count(), 0);
        Ok(())
    }

    #[molen::test]
    async fn a_client_is_left_when_there_is_no_server() -> Result<(), Box<dyn Error>> {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (reason, refused) = molen::sync::oneshot::channel();
        let reason = std::cell::Cell::new(Some(reason));
        let proxy = start_server(("127.0.0.1", 0), move |reader, writer| {
            let reason = reason.take();
            async move {
                if let (Err(error), Some(reason)) =
                    (pass_on((reader, writer), nobody.into()).await, reason)
                {
                    let _ = reason.send(error.to_string());
                }
            }
        })
        .await?;
        let (mut reader, _writer) = open_connection(proxy.addresses()[0]).await?;
        assert_eq!(timeout(Duration::from_secs(60), reader.read_to_end()).await??, b"");
        let expected = format!("cannot connect to {nobody}: the connection was refused");
        assert_eq!(refused.await?, expected);
        Ok(())
    }
}
