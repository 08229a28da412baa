//! Streams over a wire that misbehaves.

use crate::activities::{Done, Place, require, while_doing};
use molen::net::open_streams;
use molen::testing::{Chance, FaultRates, FaultWire, Told, WireSide};
use molen::{create_task, yield_now};
use std::rc::Rc;

/// One side says lines, the other one hears them, as far as the wire holds.
pub async fn converse(_place: Place, chance: Rc<Chance>) -> Done {
    let wire = Rc::new(FaultWire::<32>::new());
    let breaks = u8::from(chance.happens(64));
    wire.reset(chance.number(), FaultRates { reset: breaks, ..FaultRates::STORM });
    let told = if chance.happens(128) { Told::ByEvents } else { Told::ByWaiting };
    let near = FaultWire::end(wire.clone(), WireSide::Near, told);
    let far = FaultWire::end(wire.clone(), WireSide::Far, told);
    let ticks = {
        let wire = wire.clone();
        let ticks = async move {
            loop {
                wire.tick();
                yield_now().await;
            }
        };
        create_task(ticks).map_err(while_doing("creating a task"))?
    };
    let failed = while_doing("opening streams");
    let (mut reader, hearing) = open_streams(near, 16).await.map_err(&failed)?;
    let (_reader, writer) = open_streams(far, 16).await.map_err(&failed)?;
    let count = chance.below(40);
    let says = async move {
        for number in 0..count {
            let _ = writer.write(&b"0123456789"[..number % 11]);
            let _ = writer.write(b"\n");
            if writer.drain().await.is_err() {
                return;
            }
        }
        writer.close();
        let _ = writer.wait_closed().await;
    };
    let says = create_task(says).map_err(while_doing("creating a task"))?;
    let mut heard = 0;
    while let Ok(line) = reader.readline().await {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        require(line == &b"0123456789"[..heard % 11], "a line is torn, lost or doubled")?;
        heard += 1;
    }
    require(heard == count || wire.is_reset(), "lines were lost for no reason")?;
    hearing.close();
    let _ = hearing.wait_closed().await;
    drop((reader, hearing));
    says.await.map_err(while_doing("who speaks"))?;
    ticks.cancel();
    drop(ticks.await);
    require(wire.closed(WireSide::Near) + wire.closed(WireSide::Far) == 2, "an end is open")
}
