//! What is built on connections, dropped at every point: TLS, the pipes of
//! programs, and writing alone. The part of `dropping_all` that is about these.

use crate::case::Case;

macro_rules! cases {
    ($($secure:literal $name:ident)* ; $($heap:literal $child:ident)* ; $($file:literal $hold:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            $(Case { number: $secure, name: stringify!($name), run: secure::$name },)*
            $(Case { number: $heap, name: stringify!($child), run: children::$child },)*
            $(Case { number: $file, name: stringify!($hold), run: holding::$hold },)*
        ];

        #[cfg(any(target_os = "none", target_os = "wasi"))]
        mod secure {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported("the cases are built without TLS for this platform"))
            })*
        }

        #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
        mod children {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $child() -> Outcome {
                Err(Failure::Unsupported("subprocess protocols need a heap"))
            })*
        }

        #[cfg(any(target_os = "none", target_os = "wasi"))]
        mod holding {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $hold() -> Outcome {
                Err(Failure::Unsupported("there are no files to send on this platform"))
            })*
        }
    };
}
cases! {
    2154 handshakes_leave_nothing_at_any_poll;
    2155 connecting_a_program_leaves_nothing_at_any_poll;
    2156 waits_to_write_alone_leave_nothing_at_any_poll
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod children;
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod holding;
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod secure;
