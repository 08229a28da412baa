//! Lines, read with a buffer that the reader was given.

use super::lives::{SEEDS, Wire};
use crate::case::{Failure, Outcome};
use crate::dropping_all::look_round;
use crate::wire::batches;
use molen::io::source::{ByteSource, read, write_all};
use molen::net::{PullReader, ReadError};
use molen::testing::{FaultRates, FaultWire, Told, WireSide, static_ref};
use molen::{create_task, yield_now};

/// Writes `count` lines, each a letter more, through a faulty wire, and ends.
#[molen::task]
async fn say_lines(wire: &'static Wire, count: usize) {
    let end = FaultWire::end(wire, WireSide::Far, Told::ByWaiting);
    let line = b"abcdefghij";
    for number in 0..count {
        let length = number % (line.len() + 1);
        if write_all(&end, &line[..length]).await.is_err() || write_all(&end, b"\n").await.is_err()
        {
            return;
        }
    }
    // Waits until the other side has gone.
    let _ = end.shutdown();
    let _ = read(&end, &mut [0; 1]).await;
}

/// Ticks until it is dropped.
#[molen::task]
pub(super) async fn tick(wire: &'static Wire) {
    loop {
        wire.tick();
        yield_now().await;
    }
}

pub(super) fn lines_arrive_whole_over_a_faulty_wire() -> Outcome {
    let event_loop = new_loop!();
    let wire = static_ref!(Wire = FaultWire::new());
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS / 4 {
            let resets = u8::from(seed % 4 == 3);
            wire.reset(seed, FaultRates { reset: resets, ..FaultRates::STORM });
            let count = 1 + (seed % 30) as usize;
            let says = create_task(say_lines(wire, count))?;
            let ticks = create_task(tick(wire))?;
            let end = FaultWire::end(wire, WireSide::Near, Told::ByWaiting);
            let mut room = [0; 12];
            let mut lines = PullReader::new(&end, &mut room);
            let mut number = 0;
            let ended = loop {
                match lines.readline().await {
                    Ok(b"") => break true,
                    Ok(line) => {
                        let expected = &b"abcdefghij"[..number % 11];
                        let whole = line.strip_suffix(b"\n") == Some(expected);
                        check!(whole, "a line is torn, or came twice, late or never");
                        number += 1;
                    }
                    Err(ReadError::Lost(_)) => break false,
                    Err(error) => return Err(Failure::shown(&error)),
                }
            };
            check!(ended || wire.is_reset(), "a line was lost for no reason");
            check!(!ended || number == count, "the end came before the last line");
            drop(end);
            says.await?;
            ticks.cancel();
            batches(3).await;
            drop(ticks);
            check_eq!((wire.closed(WireSide::Near), wire.closed(WireSide::Far)), (1, 1));
            check!(wire.interest(WireSide::Near).is_none(), "a registration is left");
            look_round()?;
        }
        Ok(())
    })?
}
