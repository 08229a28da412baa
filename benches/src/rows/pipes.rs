//! Bytes through a pipe, both ends of which belong to the loop.

use crate::measure::Mark;
use crate::peer::Peer;

/// Bytes of one write: what a pipe of Linux holds.
const CHUNK: usize = 64 * 1024;

/// CPU time of one write and of what it takes to read it.
pub async fn throughput<P: Peer>() {
    const TIMES: u64 = 8192;
    P::pipe(vec![7; CHUNK], TIMES / 64).await;
    let start = Mark::now();
    P::pipe(vec![7; CHUNK], TIMES).await;
    start.spent().print_cpu("pipe_64k", TIMES);
}
