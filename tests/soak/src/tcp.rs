//! TCP clients and servers, and what becomes of them.

use crate::activities::{Done, Place, require, while_doing};
use crate::secure;
use molen::net::{
    Answer, Flow, Protocol, Server, StreamReader, StreamWriter, TcpStream, Transport,
    create_server, open_connection, open_streams, start_server,
};
use molen::testing::Chance;
use molen::tls::ClientContext;
use molen::{create_task, join, sleep, timeout};
use socket2::SockRef;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A server of streams, one of protocols, and one of TLS; all send back what comes.
pub struct Servers {
    servers: [Server; 3],
    trust: ClientContext,
}

impl Servers {
    pub async fn start() -> Result<Servers, String> {
        let failed = while_doing("starting a server");
        let streams = start_server(ANY_PORT, echo).await.map_err(&failed)?;
        let failed = while_doing("starting a server");
        let protocols = create_server(ANY_PORT, || Echo).await.map_err(&failed)?;
        let (own, trust) = secure::contexts()?;
        let failed = while_doing("starting a TLS server");
        let secured = start_server(ANY_PORT, echo).tls(&own).await.map_err(&failed)?;
        Ok(Servers { servers: [streams, protocols, secured], trust })
    }

    pub fn address(&self, chance: &Chance) -> SocketAddr {
        self.servers[chance.below(2)].addresses()[0]
    }

    pub fn secure_address(&self) -> SocketAddr {
        self.servers[2].addresses()[0]
    }

    /// Whom clients of the TLS server are to believe.
    pub fn trust(&self) -> &ClientContext {
        &self.trust
    }

    pub async fn close(&self) -> Done {
        for server in &self.servers {
            server.close();
            let gone = timeout(Duration::from_secs(20), server.wait_closed()).await;
            require(gone.is_ok(), &format!("{} clients do not go", server.client_count()))?;
        }
        Ok(())
    }
}

async fn echo(mut reader: StreamReader, writer: StreamWriter) {
    let mut buffer = vec![0; 4096];
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                if writer.write(&buffer[..count]).is_err() || writer.drain().await.is_err() {
                    return;
                }
            }
        }
    }
}

struct Echo;

impl Protocol for Echo {
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        if transport.write(data)? == Flow::Paused {
            transport.pause_reading();
        }
        Ok(())
    }

    fn resume_writing(&mut self, transport: &Transport) -> Answer {
        transport.resume_reading();
        Ok(())
    }
}

/// Some bytes: mostly few, sometimes many.
pub fn some_bytes(chance: &Chance) -> Vec<u8> {
    let most = [16, 512, 5000, 120_000][chance.below(4)];
    let first = chance.below(256);
    (first..first + chance.below(most)).map(|byte| (byte % 251) as u8).collect()
}

async fn connect(address: SocketAddr) -> Result<(StreamReader, StreamWriter), String> {
    open_connection(address).await.map_err(while_doing("connecting"))
}

async fn send(writer: &StreamWriter, bytes: &[u8], chance: &Chance) -> Done {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, others) = rest.split_at((1 + chance.below(9000)).min(rest.len()));
        writer.write(piece).map_err(while_doing("writing"))?;
        writer.drain().await.map_err(while_doing("draining"))?;
        rest = others;
    }
    Ok(())
}

/// Sends and receives at once; all comes back.
async fn talk(address: SocketAddr, chance: Rc<Chance>) -> Done {
    let (reader, writer) = connect(address).await?;
    talk_over(reader, writer, chance).await
}

/// The same over streams that are there.
pub async fn talk_over(mut reader: StreamReader, writer: StreamWriter, chance: Rc<Chance>) -> Done {
    let sent = some_bytes(&chance);
    // TLS cannot end one direction alone.
    if !writer.can_write_eof() || chance.happens(128) {
        let mut received = vec![0; sent.len()];
        let (sending, receiving) =
            join((send(&writer, &sent, &chance), reader.readexactly(&mut received))).await;
        sending?;
        receiving.map_err(while_doing("receiving"))?;
        require(received == sent, "other bytes came back")?;
        writer.close();
    } else {
        let all = async {
            send(&writer, &sent, &chance).await?;
            writer.write_eof().map_err(while_doing("ending"))
        };
        let (sending, received) = join((all, reader.read_to_end())).await;
        sending?;
        let received = received.map_err(while_doing("receiving"))?;
        require(received == sent, "other bytes came back before the end")?;
        writer.close();
    }
    writer.wait_closed().await.map_err(while_doing("closing"))
}

pub async fn visit(place: Place, chance: Rc<Chance>) -> Done {
    talk(place.echo(&chance), chance).await
}

/// Leaves with a reset, at any moment.
pub async fn reset(place: Place, chance: Rc<Chance>) -> Done {
    let failed = while_doing("connecting to reset");
    let stream = std::net::TcpStream::connect(place.echo(&chance)).map_err(&failed)?;
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).map_err(&failed)?;
    if chance.happens(128) {
        // Little fits: writes are short, and the window is shut early.
        SockRef::from(&stream).set_recv_buffer_size(2048).map_err(&failed)?;
        SockRef::from(&stream).set_send_buffer_size(2048).map_err(&failed)?;
    }
    let failed = while_doing("taking over a socket");
    let stream = TcpStream::from_std(stream).map_err(&failed)?;
    let (mut reader, writer) = open_streams(stream, 1000).await.map_err(&failed)?;
    let sent = some_bytes(&chance);
    let _ = writer.write(&sent);
    if chance.happens(128) && !sent.is_empty() {
        let _ = reader.read(&mut [0; 100]).await;
    }
    writer.transport().abort();
    let _ = writer.wait_closed().await;
    Ok(())
}

/// Writes until it is paused, reads nothing, and goes.
pub async fn never_read(place: Place, chance: Rc<Chance>) -> Done {
    let (reader, writer) = connect(place.echo(&chance)).await?;
    let piece = vec![9; 30_000];
    while writer.write(&piece).map_err(while_doing("writing"))? == Flow::Open {
        sleep(Duration::from_micros(100)).await;
    }
    let waits = writer.transport().get_write_buffer_size();
    require(waits < 64 * 1024 + piece.len(), "more waits than the high mark and a write")?;
    if chance.happens(128) {
        sleep(Duration::from_millis(chance.below(20) as u64)).await;
    }
    match chance.below(3) {
        0 => writer.transport().abort(),
        1 => drop(timeout(Duration::from_millis(1), writer.drain()).await),
        _ => {}
    }
    // Dropped unread, it would be written for ever: the other side waits for us as well.
    writer.transport().abort();
    drop(reader);
    let _ = writer.wait_closed().await;
    Ok(())
}

pub async fn cancelled_visit(place: Place, chance: Rc<Chance>) -> Done {
    let task = create_task(talk(place.echo(&chance), chance.clone()))
        .map_err(while_doing("creating a task"))?;
    sleep(Duration::from_micros(chance.below(1500) as u64)).await;
    task.cancel();
    match task.await {
        Ok(done) => done,
        Err(error) if error.is_cancelled() => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// A server that is closed with clients inside, in one way or another.
pub async fn short_lived_server(_place: Place, chance: Rc<Chance>) -> Done {
    let server = start_server(ANY_PORT, echo).await.map_err(while_doing("starting a server"))?;
    let mut clients = Vec::new();
    for _ in 0..1 + chance.below(4) {
        let client = connect(server.addresses()[0]).await?;
        let _ = client.1.write(&some_bytes(&chance));
        clients.push(client);
    }
    if chance.happens(128) {
        sleep(Duration::from_millis(chance.below(5) as u64)).await;
    }
    server.close();
    match chance.below(3) {
        0 => server.close_clients(),
        1 => server.abort_clients(),
        _ => {}
    }
    for (_reader, writer) in clients {
        writer.transport().abort();
        let _ = writer.wait_closed().await;
    }
    server.wait_closed().await;
    require(server.client_count() == 0, "a client is left")
}
