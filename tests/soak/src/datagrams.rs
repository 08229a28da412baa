//! Datagrams, some of them to nobody.

use crate::activities::{Done, Place, require, while_doing};
use molen::io::source::SourceError;
use molen::net::{
    Answer, ConnectionError, DatagramProtocol, DatagramTransport, create_datagram_endpoint,
};
use molen::testing::Chance;
use molen::{Event, timeout};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What is seen of an endpoint.
#[derive(Default)]
struct Seen {
    received: Cell<usize>,
    answers: Cell<bool>,
    lost: Event,
}

struct Post(Rc<Seen>);

impl DatagramProtocol<SocketAddr> for Post {
    fn datagram_received(
        &mut self,
        transport: &DatagramTransport<SocketAddr>,
        data: &[u8],
        sender: &SocketAddr,
    ) -> Answer {
        self.0.received.set(self.0.received.get() + 1);
        if self.0.answers.get() {
            transport.sendto(data, Some(sender))?;
        }
        Ok(())
    }

    fn error_received(
        &mut self,
        _transport: &DatagramTransport<SocketAddr>,
        _error: SourceError,
    ) -> Answer {
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &DatagramTransport<SocketAddr>,
        _error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.lost.set();
        Ok(())
    }
}

async fn endpoint(
    peer: Option<SocketAddr>,
) -> Result<(DatagramTransport<SocketAddr>, Rc<Seen>, SocketAddr), String> {
    let seen = Rc::new(Seen::default());
    let transport = create_datagram_endpoint(ANY_PORT, peer, Post(seen.clone()))
        .await
        .map_err(while_doing("making an endpoint"))?;
    let address = transport.local_address().ok_or("an endpoint has no address")?;
    Ok((transport, seen, address))
}

pub async fn exchange(_place: Place, chance: Rc<Chance>) -> Done {
    let (server, served, address) = endpoint(None).await?;
    served.answers.set(true);
    // The port of an endpoint that is gone.
    let dead = {
        let (transport, seen, address) = endpoint(None).await?;
        transport.close();
        seen.lost.wait().await;
        address
    };
    let (client, seen, _own) = endpoint(chance.happens(128).then_some(address)).await?;
    let (deaf, unheard, _own) = endpoint(Some(dead)).await?;
    let sends = 1 + chance.below(30);
    for _ in 0..sends {
        let message = vec![1; chance.below(1200)];
        client.sendto(&message, Some(&address)).map_err(while_doing("sending"))?;
        let _ = deaf.sendto(&message, None);
    }
    // Messages may be lost, but hardly all of them on one machine.
    let some_came = async {
        while seen.received.get() == 0 {
            molen::sleep(Duration::from_millis(1)).await;
        }
    };
    require(timeout(Duration::from_secs(10), some_came).await.is_ok(), "no message came back")?;
    let ends = [(client, seen), (server, served), (deaf, unheard)];
    for (transport, _) in &ends {
        if chance.happens(128) { transport.close() } else { transport.abort() }
    }
    for (transport, seen) in ends {
        seen.lost.wait().await;
        require(transport.is_lost(), "an endpoint that is lost is none")?;
    }
    Ok(())
}
