//! A child and all that it has started: a process group.
//!
//! A child that ends leaves what it has started behind, holding its pipes and
//! perhaps its port. So each child leads a group of its own, and is over when
//! its group is. (It also keeps Ctrl-C at a terminal from reaching children:
//! they are stopped in order.)
//!
//! On Linux the orphans of the groups become children of the supervisor, which
//! reaps them; so it can be the first process of a container.

use molen::{Duration, current_time, sleep};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// There is no news of the end of what is no child: it is looked at so often.
const LOOK: Duration = Duration::from_millis(20);

/// The group that a child leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group(Pid);

impl Group {
    /// The group of a child that leads one.
    pub fn of_leader(pid: u32) -> Option<Group> {
        // Group 0 is our own, and −1 is everybody.
        i32::try_from(pid).ok().filter(|pid| *pid > 1).map(|pid| Group(Pid::from_raw(pid)))
    }

    /// Sends all of it a signal; whether there was somebody.
    pub fn signal(self, signal: Signal) -> bool {
        killpg(self.0, signal) != Err(Errno::ESRCH)
    }

    /// Whether anybody of it is there.
    fn exists(self) -> bool {
        killpg(self.0, None) != Err(Errno::ESRCH)
    }

    /// Waits until nobody of it is left; after `time` they are killed.
    pub async fn is_over_within(self, time: Duration) {
        let begin = current_time();
        let mut killed = false;
        loop {
            orphans::reap_group(self.0);
            if !self.exists() {
                return;
            }
            if current_time() - begin >= time {
                if killed {
                    // It cannot be killed, and others have to be looked after.
                    return;
                }
                self.signal(Signal::SIGKILL);
                killed = true;
            }
            sleep(LOOK).await;
        }
    }
}

/// Has the orphans of this process's children become its children.
pub fn adopt_orphans() {
    orphans::adopt();
}

/// Reaps orphans that have left their groups. Children themselves, which
/// `is_child` knows, are left to the loop.
pub fn reap_strays(is_child: impl Fn(u32) -> bool) {
    orphans::reap_strays(is_child);
}

#[cfg(target_os = "linux")]
mod orphans {
    use nix::sys::prctl;
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
    use nix::unistd::Pid;

    pub fn adopt() {
        if let Err(error) = prctl::set_child_subreaper(true) {
            eprintln!("supervisor: orphans go to the system's first process: {error}");
        }
    }

    /// Reaps those of a group whose leader has been reaped.
    pub fn reap_group(group: Pid) {
        let members = Pid::from_raw(-group.as_raw());
        while let Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) =
            waitpid(members, Some(WaitPidFlag::WNOHANG))
        {}
    }

    pub fn reap_strays(is_child: impl Fn(u32) -> bool) {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        while let Ok(status) = waitid(Id::All, look)
            && let Some(pid) = status.pid()
            // Once the loop has reaped it, this is called again.
            && !u32::try_from(pid.as_raw()).is_ok_and(&is_child)
            && waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_ok()
        {}
    }
}

/// Elsewhere orphans go to the system's first process, which reaps them.
#[cfg(not(target_os = "linux"))]
mod orphans {
    use nix::unistd::Pid;

    pub fn adopt() {}

    pub fn reap_group(_group: Pid) {}

    pub fn reap_strays(_is_child: impl Fn(u32) -> bool) {}
}
