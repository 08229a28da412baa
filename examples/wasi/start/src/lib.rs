//! What std does before `main`, for modules and components without it.
//!
//! A program with std needs nothing of this: its `main` calls `molen::run`.
//! These examples are written without, to be small; [`command!`] makes the
//! entry point of the level at hand:
//!
//! | level | entry | also |
//! |---|---|---|
//! | preview 1 | `_start` | |
//! | 0.2 | `wasi:cli/run` | `cabi_realloc` and an allocator, for what the host returns |

#![no_std]

#[cfg(target_env = "p2")]
#[doc(hidden)]
pub extern crate alloc;
#[cfg(target_env = "p2")]
mod bump;
#[cfg(target_env = "p2")]
mod realloc;

#[cfg(target_env = "p2")]
pub use bump::Bump;
#[cfg(target_env = "p2")]
pub use dlmalloc::GlobalDlmalloc as Heap;
#[cfg(target_env = "p2")]
#[doc(hidden)]
pub use realloc::cabi_realloc;
#[cfg(target_env = "p2")]
#[doc(hidden)]
pub use wasip2;

use core::panic::PanicInfo;

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Ends a command of preview 1 that failed.
#[cfg(target_env = "p1")]
#[doc(hidden)]
pub fn fail() {
    // SAFETY: it has no pointers to get wrong.
    unsafe { wasi::proc_exit(1) };
}

/// Makes `$main`, an `async fn() -> Result<(), E>`, the program. On 0.2 its
/// allocator is `$heap`: `Heap`, or `Bump` for a program that hardly allocates.
///
/// It is run by `molen::run`. A program with a loop of its own uses [`entry!`].
#[macro_export]
macro_rules! command {
    ($main:path, $heap:ident) => {
        $crate::entry!($heap, molen::run($main()));
    };
}

/// The entry point that evaluates `$run`, which is `Ok(Ok(()))` for a success.
#[macro_export]
macro_rules! entry {
    ($heap:ident, $run:expr) => {
        #[cfg(target_env = "p1")]
        #[unsafe(no_mangle)]
        extern "C" fn _start() {
            if !matches!($run, Ok(Ok(()))) {
                $crate::fail();
            }
        }

        #[cfg(target_env = "p2")]
        const _: () = {
            struct Command;
    $crate::wasip2::cli::command::export!(Command with_types_in $crate::wasip2);

            impl $crate::wasip2::exports::cli::run::Guest for Command {
                fn run() -> Result<(), ()> {
                    match $run {
                        Ok(Ok(())) => Ok(()),
                        _ => Err(()),
                    }
                }
            }

            $crate::memory!($heap);
        };
    };
}

/// An allocator for a component, and the function by which the host uses it.
#[cfg(target_env = "p2")]
#[macro_export]
macro_rules! memory {
    (Heap) => {
        #[global_allocator]
        static HEAP: $crate::Heap = $crate::Heap;
        $crate::memory!();
    };
    (Bump) => {
        #[global_allocator]
        static HEAP: $crate::Bump = $crate::Bump::new();
        $crate::memory!();
    };
    () => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn cabi_realloc(
            old: *mut u8,
            old_size: usize,
            align: usize,
            new_size: usize,
        ) -> *mut u8 {
            // SAFETY: the canonical ABI's contract, handed on.
            unsafe { $crate::cabi_realloc(old, old_size, align, new_size) }
        }
    };
}
