//! The system's own waiting threads, which tell the loop when a child has ended.
//!
//! One thread of the system waits for up to 63 children; it costs a child a
//! registration.
//!
//! ```text
//!  the child ends ──▶ the system's thread: on_end ──▶ Poster ──▶ Listener ──▶ ready queue
//! ```
//!
//! # Invariants
//!
//! * **Kept**: what `on_end` is given lives in the notice, which is dropped only
//!   after the system has promised that `on_end` neither runs nor will.

use crate::place::Place;
use crate::posted::Poster;
use crate::subprocess::exit::Watch;
use crate::subprocess::process_error::SpawnRefused;
use molen_core::get_running_loop;
use molen_core::io::{EventListener, Listener, Ready};
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
use std::process::Child;
use std::ptr::null_mut;
use std::rc::Rc;
use windows_sys::Win32::Foundation::{FALSE, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Threading::{
    INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEINWAITTHREAD,
    WT_EXECUTEONLYONCE,
};

/// A child's end is noticed, until this is dropped or the loop is closed.
pub(in crate::subprocess) struct ExitNotice {
    wait: HANDLE,
    /// The child, kept open while the system waits.
    _process: OwnedHandle,
    _poster: Box<Poster>,
    _place: Place,
}

impl ExitNotice {
    /// Has the running loop tell `watch` when `child` ends.
    pub(in crate::subprocess) fn begin(
        child: &Child,
        watch: Watch,
    ) -> Result<ExitNotice, SpawnRefused> {
        let (place, poster) =
            Poster::with_place("starting a process", Ready::NONE).map_err(SpawnRefused::Loop)?;
        place.listen(Some(EventListener::new(Rc::new(watch))));
        let process = child.as_handle().try_clone_to_owned().map_err(SpawnRefused::Os)?;
        let poster = Box::new(poster);
        let mut wait = null_mut();
        // SAFETY: the process's handle is open, and kept; Kept for the poster.
        let registered = unsafe {
            RegisterWaitForSingleObject(
                &mut wait,
                process.as_raw_handle(),
                Some(on_end),
                (&raw const *poster).cast(),
                INFINITE,
                WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD,
            )
        };
        if registered == FALSE {
            return Err(SpawnRefused::Os(io::Error::last_os_error()));
        }
        Ok(ExitNotice { wait, _process: process, _poster: poster, _place: place })
    }

    /// Ends it.
    pub(in crate::subprocess) fn end(self) {}
}

impl Drop for ExitNotice {
    fn drop(&mut self) {
        // Waits for `on_end`, which waits for nobody.
        // SAFETY: it is registered, and this is the only end of that.
        unsafe { UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE) };
    }
}

unsafe extern "system" fn on_end(poster: *mut c_void, _timed_out: bool) {
    // SAFETY: Kept.
    unsafe { &*poster.cast::<Poster>() }.post(Ready::READABLE);
}

impl Listener for Watch {
    fn ready(self: Rc<Self>) {
        // On a loop that is closed it is the orphans' turn.
        if let Ok(event_loop) = get_running_loop() {
            let _ = event_loop.call_soon(move || self.child_ended());
        }
    }
}
