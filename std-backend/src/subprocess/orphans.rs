//! Children whose loop was closed before they ended: nobody notices their end
//! any more, but they must not stay zombies for as long as this process lives.
//!
//! They are looked at whenever another child is started or orphaned, so there
//! are never many. When this process ends, the system reaps the rest.

use super::group::Group;
use super::system;
use std::process::Child;
use std::sync::{Mutex, PoisonError};

static ORPHANS: Mutex<Vec<(Child, Group)>> = Mutex::new(Vec::new());

/// Takes over a child that has not been reaped.
pub(super) fn adopt(child: Child, group: Group) {
    let mut orphans = ORPHANS.lock().unwrap_or_else(PoisonError::into_inner);
    orphans.push((child, group));
    reap_those(&mut orphans);
}

/// Reaps those that have ended.
pub(super) fn reap() {
    reap_those(&mut ORPHANS.lock().unwrap_or_else(PoisonError::into_inner));
}

fn reap_those(orphans: &mut Vec<(Child, Group)>) {
    // An error means that somebody else has reaped it.
    orphans.retain_mut(|(child, group)| matches!(system::reap(child, *group), Ok(None)));
}
