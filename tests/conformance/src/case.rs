//! What a case is, and how it fails.

use core::fmt;
use core::panic::Location;
use molen::combine::{GatherError, WaitError};
use molen::error::{
    Closed, InvalidState, NoRunningLoop, NothingToWaitFor, RunError, ScheduleError, TaskError,
};
use molen::io::source::SourceError;
use molen::sync::queue::{PutError, PutNowaitError, TooManyDone};
use molen::testing::{Difference, Mismatch, Text};
use molen::{Full, TimeoutError};

/// One behaviour.
#[derive(Clone, Copy)]
pub struct Case {
    /// The behaviour's number; Molen's own begin at 1000.
    pub number: u16,
    /// What is observed, in words joined by `_`.
    pub name: &'static str,
    /// Observes it.
    pub run: fn() -> Outcome,
}

/// How a case ends.
pub type Outcome = Result<(), Failure>;

/// Why a case did not pass.
pub enum Failure {
    /// The behaviour was not observed.
    Failed {
        /// Where in the case.
        at: &'static Location<'static>,
        /// What was observed instead.
        what: What,
    },
    /// The platform or the language has no such behaviour, for this reason.
    Unsupported(&'static str),
}

/// What was observed instead.
pub enum What {
    /// A sentence.
    Said(&'static str),
    /// A sentence with values in it.
    Detail(Text<88>),
    /// Other events.
    Events(Difference<'static>),
}

impl Failure {
    /// The case fails here, because of `what`.
    #[track_caller]
    pub(crate) fn new(what: What) -> Failure {
        Failure::Failed { at: Location::caller(), what }
    }

    /// The case fails here, because of what `text` says.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub fn said(text: &'static str) -> Failure {
        Failure::new(What::Said(text))
    }

    /// For errors: once for all types and cases, because cases must fit a
    /// microcontroller's flash.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn shown(value: &dyn fmt::Display) -> Failure {
        Failure::new(What::Detail(Text::of(value)))
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn unequal(
        what: &'static str,
        found: &dyn fmt::Debug,
        expected: &dyn fmt::Debug,
    ) -> Failure {
        Failure::shown(&format_args!("{what} is {found:?}, not {expected:?}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unsupported(reason) => f.write_str(reason),
            Failure::Failed { at, what } => {
                match what {
                    What::Said(text) => f.write_str(text)?,
                    What::Detail(text) => text.fmt(f)?,
                    What::Events(difference) => difference.fmt(f)?,
                }
                write!(f, " at {}:{}", at.file(), at.line())
            }
        }
    }
}

macro_rules! failures {
    ($($error:ty)*) => {$(
        impl From<$error> for Failure {
            #[track_caller]
            fn from(error: $error) -> Failure {
                Failure::shown(&error)
            }
        }
    )*};
}
failures!(molen::net::WriteError molen::net::LimitsReversed molen::net::ConnectionError);
failures!(SourceError molen::net::ReadError<usize>);
#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
failures!(molen::net::ServeError molen::net::SendError molen::net::ReadError<std::vec::Vec<u8>>);
failures!(Closed InvalidState NoRunningLoop NothingToWaitFor RunError TaskError Mismatch);
failures!(WaitError GatherError TimeoutError);
failures!(TooManyDone);

impl<T> From<ScheduleError<T>> for Failure {
    #[track_caller]
    fn from(error: ScheduleError<T>) -> Failure {
        Failure::shown(&error)
    }
}

macro_rules! failures_with_a_value {
    ($($error:ident)*) => {$(
        impl<T> From<$error<T>> for Failure {
            #[track_caller]
            fn from(error: $error<T>) -> Failure {
                Failure::shown(&error)
            }
        }
    )*};
}
failures_with_a_value!(Full PutError PutNowaitError);
#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
use molen::net::RefusedWrite;
#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
failures_with_a_value!(RefusedWrite);

impl From<Difference<'static>> for Failure {
    #[track_caller]
    fn from(difference: Difference<'static>) -> Failure {
        Failure::new(What::Events(difference))
    }
}

/// A case that runs `$run`, named after it.
macro_rules! case {
    ($number:literal, $run:ident) => {
        $crate::case::Case { number: $number, name: stringify!($run), run: $run }
    };
}

/// A behaviour that Rust cannot have, or has by its types alone.
macro_rules! not_applicable {
    ($number:literal, $name:ident, $reason:literal) => {
        $crate::case::Case {
            number: $number,
            name: stringify!($name),
            run: || Err($crate::case::Failure::Unsupported(concat!("not applicable: ", $reason))),
        }
    };
}

/// A behaviour of something that does not exist here.
#[allow(unused_macros, reason = "there are times when every behaviour is supported")]
macro_rules! unsupported {
    ($number:literal, $name:ident, $reason:literal) => {
        $crate::case::Case {
            number: $number,
            name: stringify!($name),
            run: || Err($crate::case::Failure::Unsupported($reason)),
        }
    };
}

/// The module `$module` where `$condition` is so: its cases are unsupported for `$reason`.
macro_rules! lacking_where {
    ($condition:meta, $reason:expr, $module:ident { $($name:ident)* }) => {
        #[cfg($condition)]
        mod $module {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported($reason))
            })*
        }
    };
}

/// The cases in files that are there where `$condition` is so; elsewhere they
/// are unsupported for `$reason`. And after a semicolon other ones.
macro_rules! cases_where {
    (
        $condition:meta, $reason:expr,
        $($file:ident { $($number:literal $name:ident)* })+
        $(; $($other:expr),+ $(,)?)?
    ) => {
        pub(crate) const CASES: &[Case] = &[
            $($(Case { number: $number, name: stringify!($name), run: $file::$name },)*)+
            $($($other,)+)?
        ];

        $(
            #[cfg($condition)]
            mod $file;

            lacking_where!(not($condition), $reason, $file { $($name)* });
        )+
    };
}

/// As `cases_where`, of a module that stands in the same file.
macro_rules! cases_here_where {
    (
        $condition:meta, $reason:expr,
        $module:ident { $($number:literal $name:ident)* }
        $(; $($other:expr),+ $(,)?)?
    ) => {
        pub(crate) const CASES: &[Case] = &[
            $(Case { number: $number, name: stringify!($name), run: $module::$name },)*
            $($($other,)+)?
        ];

        lacking_where!(not($condition), $reason, $module { $($name)* });
    };
}

/// The cases in the module `heap` of the same file, which is there where there
/// is one; elsewhere they are unsupported for `$reason`.
macro_rules! cases_on_the_heap {
    ($reason:expr, $($number:literal $name:ident)* $(; $($other:expr),+ $(,)?)?) => {
        cases_here_where! {
            any(not(any(target_os = "none", target_os = "wasi")), feature = "alloc"), $reason,
            heap { $($number $name)* }
            $(; $($other),+)?
        }
    };
}

/// Fails unless the condition holds; the text says what was observed.
macro_rules! check {
    ($condition:expr, $otherwise:literal) => {
        let holds: bool = $condition;
        if !holds {
            return Err($crate::case::Failure::said($otherwise));
        }
    };
}

/// Fails unless both are equal.
macro_rules! check_eq {
    ($found:expr, $expected:expr) => {
        match (&$found, &$expected) {
            (found, expected) => {
                if *found != *expected {
                    return Err($crate::case::Failure::unequal(
                        stringify!($found),
                        found,
                        expected,
                    ));
                }
            }
        }
    };
}

/// Fails unless the value has the pattern.
macro_rules! check_matches {
    ($found:expr, $pattern:pat) => {
        if !matches!($found, $pattern) {
            return Err($crate::case::Failure::said(concat!(
                stringify!($found),
                " is not ",
                stringify!($pattern)
            )));
        }
    };
}

/// Fails unless these, and no other, events happened, in this order.
macro_rules! check_events {
    ($($event:expr),* $(,)?) => {
        $crate::fixture::test().log.check(const { &[$($event),*] })?
    };
}
