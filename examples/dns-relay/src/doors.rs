//! Where questions come in: UDP, and TCP at the same port for answers that
//! are too long for it.

use crate::relay::{Door, Relay, Taken};
use molen::io::source::SourceError;
use molen::net::{
    Answer, DatagramProtocol, DatagramTransport, Server, StreamReader, StreamWriter,
    create_datagram_endpoint, start_server,
};
use molen::timeouts::timeout;
use molen::{Semaphore, create_task};
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;

/// How often to look for a port that is free for both.
const ATTEMPTS: usize = 20;

/// Both doors.
pub struct Doors {
    address: SocketAddr,
    udp: DatagramTransport<SocketAddr>,
    tcp: Server,
}

impl Doors {
    pub async fn open(address: SocketAddr, relay: &Rc<Relay>) -> Result<Doors, Box<dyn Error>> {
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            match Doors::open_at(address, relay).await {
                // Any port may be free for one, and not for the other.
                Err(_) if address.port() == 0 && attempts > 0 => {}
                done => return done,
            }
        }
    }

    async fn open_at(address: SocketAddr, relay: &Rc<Relay>) -> Result<Doors, Box<dyn Error>> {
        let places = Rc::new(Semaphore::new(relay.limits.connections));
        let serving = relay.clone();
        let handler = move |reader, writer| serve(serving.clone(), places.clone(), reader, writer);
        let tcp = start_server(address, handler).await?;
        let address = tcp.addresses().first().copied().unwrap_or(address);
        let protocol = UdpDoor { relay: relay.clone() };
        let udp = create_datagram_endpoint(address, None, protocol).await?;
        Ok(Doors { address, udp, tcp })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes both, and ends what is said by TCP.
    pub async fn close(&self) {
        self.udp.close();
        self.tcp.close();
        self.tcp.abort_clients();
        self.tcp.wait_closed().await;
    }
}

struct UdpDoor {
    relay: Rc<Relay>,
}

impl DatagramProtocol<SocketAddr> for UdpDoor {
    fn datagram_received(
        &mut self,
        transport: &DatagramTransport<SocketAddr>,
        data: &[u8],
        sender: &SocketAddr,
    ) -> Answer {
        // More answers than go out are dropped: it is UDP.
        if transport.get_write_buffer_size() > transport.get_write_buffer_limits().high() {
            return Ok(());
        }
        match self.relay.take(data, sender.ip(), Door::Udp) {
            Taken::Dropped => {}
            Taken::Answered(bytes) => {
                transport.sendto(&bytes, Some(sender))?;
            }
            Taken::ToAsk(request) => {
                let (relay, transport, sender) = (self.relay.clone(), transport.clone(), *sender);
                let asking = async move {
                    let bytes = relay.ask(&request).await;
                    // Not connected, so no receiver is refused.
                    let _ = transport.sendto(&bytes, Some(&sender));
                };
                // Refused by a loop that closes.
                if let Ok(task) = create_task(asking) {
                    task.detach();
                }
            }
        }
        Ok(())
    }

    /// A client did not wait for its answer. The next one does.
    fn error_received(
        &mut self,
        _transport: &DatagramTransport<SocketAddr>,
        _error: SourceError,
    ) -> Answer {
        Ok(())
    }
}

/// Answers one client, question by question.
async fn serve(
    relay: Rc<Relay>,
    places: Rc<Semaphore>,
    mut reader: StreamReader,
    writer: StreamWriter,
) {
    let Some(_place) = places.try_acquire() else { return };
    let Some(client) = writer.peer_address() else { return };
    // It ends when the client goes, is silent, or asks too much.
    while let Ok(Some(bytes)) = timeout(relay.limits.idle(), read(&mut reader)).await {
        let answer = match relay.take(&bytes, client.ip(), Door::Tcp) {
            Taken::Dropped => return,
            Taken::Answered(bytes) => bytes,
            Taken::ToAsk(request) => relay.ask(&request).await,
        };
        let Ok(length) = u16::try_from(answer.len()) else { return };
        let written = writer.writelines(&[&length.to_be_bytes(), &answer]);
        let drained = timeout(relay.limits.idle(), writer.drain()).await;
        if written.is_err() || !matches!(drained, Ok(Ok(()))) {
            writer.transport().abort();
            return;
        }
    }
}

/// The next message, which has its length before it.
async fn read(reader: &mut StreamReader) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    reader.readexactly(&mut length).await.ok()?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    reader.readexactly(&mut bytes).await.ok()?;
    Some(bytes)
}
