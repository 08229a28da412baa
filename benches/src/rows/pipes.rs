//! Bytes through a pipe, both ends of which belong to the loop.

use crate::measure::Mark;
use crate::peer::Peer;

/// Bytes of one write: what a pipe of Linux holds.
const CHUNK: usize = 64 * 1024;

const TIMES: u64 = 8192;

/// CPU time of one write and of what it takes to read it, by tasks.
pub async fn by_tasks<P: Peer>() {
    P::pipe(vec![7; CHUNK], TIMES / 64).await;
    let start = Mark::now();
    P::pipe(vec![7; CHUNK], TIMES).await;
    start.spent().print_cpu("pipe_64k", TIMES);
}

/// The same by callbacks, where the loop has them.
pub async fn by_protocols<P: Peer>() {
    P::pipe_by_protocols(vec![7; CHUNK], TIMES / 64).await;
    let start = Mark::now();
    P::pipe_by_protocols(vec![7; CHUNK], TIMES).await;
    start.spent().print_cpu("pipe_64k_protocol", TIMES);
}
