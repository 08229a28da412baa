//! Programs started and waited for.

use crate::measure::Mark;
use crate::peer::Peer;
use crate::sync::Gate;

/// Ends at once.
const PROGRAM: &str = "/bin/true";

/// One after the other, then by several tasks at once. CPU time is the loop's
/// own, not the programs'.
pub async fn start<P: Peer>() {
    const ONE: u64 = 150;
    const TASKS: usize = 16;
    const EACH: u64 = 20;
    for _ in 0..10 {
        P::run_program(PROGRAM).await;
    }
    let start = Mark::now();
    for _ in 0..ONE {
        P::run_program(PROGRAM).await;
    }
    let spent = start.spent();
    spent.print_wall("process_one", ONE);
    spent.print_cpu_of_sleeper("process_one_cpu", ONE);
    let gate = Gate::new(TASKS);
    let start = Mark::now();
    for _ in 0..TASKS {
        let gate = gate.clone();
        P::spawn(async move {
            for _ in 0..EACH {
                P::run_program(PROGRAM).await;
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    let spent = start.spent();
    spent.print_wall("process_many", TASKS as u64 * EACH);
    spent.print_cpu_of_sleeper("process_many_cpu", TASKS as u64 * EACH);
}
