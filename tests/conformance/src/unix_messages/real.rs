//! Messages of Unix sockets.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use core::cell::Cell;
use molen::net::{
    Answer, DatagramProtocol, DatagramTransport, UnixAddress, UnixDatagram, connect_datagram_socket,
};
use molen::{Duration, sleep};
use std::rc::Rc;

/// What came: how long it is, and whether it is as it was sent.
#[derive(Clone, Default)]
struct Received(Rc<Cell<Option<(usize, bool)>>>);

impl DatagramProtocol<UnixAddress> for Received {
    fn datagram_received(
        &mut self,
        _transport: &DatagramTransport<UnixAddress>,
        data: &[u8],
        _sender: &UnixAddress,
    ) -> Answer {
        self.0.set(Some((data.len(), data.iter().all(|byte| *byte == 7))));
        Ok(())
    }
}

pub(super) fn a_long_message_arrives_whole() -> Outcome {
    run(async {
        let (sender, receiver) = ok(UnixDatagram::pair())?;
        let received = Received::default();
        let _endpoint = ok(connect_datagram_socket(receiver, received.clone(), None).await)?;
        // As long as the system lets it be, without being asked.
        let mut length = 150_000;
        while let Err(error) = sender.send_to(&std::vec![7; length], None).await {
            length /= 2;
            check!(length > 1000, "no message can be sent");
            let _ = error;
        }
        while received.0.get().is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        check_eq!(received.0.get(), Some((length, true)));
        Ok::<_, Failure>(())
    })
}
