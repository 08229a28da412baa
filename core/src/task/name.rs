//! What tasks are called.
//!
//! With an allocator a name is kept with what [few tasks have](super::extras).
//! Without, names are in one table, which is linked into programs that give one.

use super::header::Header;
use crate::error::Full;

#[cfg(not(feature = "alloc"))]
pub(super) use table::{get, has_room, set};

/// A task's name.
#[cfg(feature = "alloc")]
pub type TaskName = alloc::rc::Rc<str>;

/// A task's name.
#[cfg(not(feature = "alloc"))]
pub type TaskName = &'static str;

#[cfg(feature = "alloc")]
pub(super) fn get(task: &Header) -> Option<TaskName> {
    task.joiner.extras()?.name()
}

#[cfg(feature = "alloc")]
pub(super) fn set(task: &Header, name: TaskName) -> Result<(), Full<TaskName>> {
    task.joiner.extras_or_new().set_name(name);
    Ok(())
}

/// Whether one more task can have a name.
#[cfg(feature = "alloc")]
pub(super) fn has_room() -> bool {
    true
}

#[cfg(not(feature = "alloc"))]
mod table {
    use super::{Full, Header, TaskName};
    use crate::one_thread::OneThread;
    use crate::task::state::DONE;
    use core::cell::Cell;

    /// Which task of which static a name is that of.
    #[derive(Clone, Copy)]
    struct Named {
        task: *const Header,
        generation: u8,
        name: TaskName,
    }

    impl Named {
        fn is_of(&self, task: &Header) -> bool {
            core::ptr::eq(self.task, task) && self.generation == task.state.generation()
        }

        /// Whether its task has ended.
        fn is_over(&self) -> bool {
            // SAFETY: tasks are in statics.
            let task = unsafe { &*self.task };
            task.state.generation() != self.generation || task.has(DONE)
        }
    }

    // SAFETY: interrupts do not name tasks.
    static NAMES: OneThread<[Cell<Option<Named>>; 16]> =
        unsafe { OneThread::new([const { Cell::new(None) }; 16]) };

    pub(in crate::task) fn get(task: &Header) -> Option<TaskName> {
        NAMES.iter().filter_map(Cell::get).find(|named| named.is_of(task)).map(|named| named.name)
    }

    fn free() -> Option<&'static Cell<Option<Named>>> {
        NAMES.iter().find(|place| place.get().is_none_or(|named| named.is_over()))
    }

    pub(in crate::task) fn has_room() -> bool {
        free().is_some()
    }

    pub(in crate::task) fn set(task: &Header, name: TaskName) -> Result<(), Full<TaskName>> {
        let named = Named { task, generation: task.state.generation(), name };
        let own = NAMES.iter().find(|place| place.get().is_some_and(|named| named.is_of(task)));
        match own.or_else(free) {
            Some(place) => {
                place.set(Some(named));
                Ok(())
            }
            None => Err(Full(name)),
        }
    }
}
