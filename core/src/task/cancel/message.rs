//! What a cancel may say.

use core::fmt;
use core::ops::Deref;

#[cfg(feature = "alloc")]
type Stored = alloc::borrow::Cow<'static, str>;
#[cfg(not(feature = "alloc"))]
type Stored = &'static str;

/// The text that [`Task::cancel_with`](crate::Task::cancel_with) was given; it
/// goes with the [`Cancelled`](super::Cancelled) to whoever catches the cancel
/// or awaits the task.
///
/// Without an allocator texts are `&'static`, and a program may use 15 different
/// ones: tasks keep their number. A cancel with one more is delivered without it.
///
/// asyncio: the `msg` of `Task.cancel(msg)`.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelMessage(Stored);

impl CancelMessage {
    /// The text.
    pub fn as_str(&self) -> &str {
        #[cfg(feature = "alloc")]
        return &self.0;
        #[cfg(not(feature = "alloc"))]
        self.0
    }
}

impl From<&'static str> for CancelMessage {
    fn from(text: &'static str) -> CancelMessage {
        #[cfg(feature = "alloc")]
        return CancelMessage(alloc::borrow::Cow::Borrowed(text));
        #[cfg(not(feature = "alloc"))]
        CancelMessage(text)
    }
}

#[cfg(feature = "alloc")]
impl From<alloc::string::String> for CancelMessage {
    fn from(text: alloc::string::String) -> CancelMessage {
        CancelMessage(text.into())
    }
}

impl Deref for CancelMessage {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for CancelMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for CancelMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The texts that tasks know by number, where there is no allocator.
#[cfg(not(feature = "alloc"))]
mod numbered {
    use super::CancelMessage;
    use crate::one_thread::OneThread;
    use core::cell::Cell;

    // SAFETY: interrupts have no tasks to cancel.
    static TEXTS: OneThread<[Cell<Option<&'static str>>; 15]> =
        unsafe { OneThread::new([const { Cell::new(None) }; 15]) };

    impl CancelMessage {
        /// The number of the text, from 1; 0 when all numbers are taken.
        pub(crate) fn number(self) -> u8 {
            for (place, number) in TEXTS.iter().zip(1..) {
                match place.get() {
                    Some(text) if text == self.0 => return number,
                    Some(_) => {}
                    None => {
                        place.set(Some(self.0));
                        return number;
                    }
                }
            }
            0
        }

        /// The text of a number; none for 0.
        pub(crate) fn of_number(number: u8) -> Option<CancelMessage> {
            let place = TEXTS.get(usize::from(number).checked_sub(1)?)?;
            place.get().map(CancelMessage)
        }
    }
}
