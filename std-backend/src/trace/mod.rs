//! Where traces of loops go on desktops; what a trace is, is in
//! [`molen_core::trace`].
//!
//! | exporter | what comes of it |
//! |---|---|
//! | [`TraceFile`] | a file that Perfetto and `chrome://tracing` show as a picture |
//! | `Tracing` | spans and events of the crate `tracing`; needs the feature `tracing` |

mod json;
mod perfetto;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "tracing")]
pub use self::tracing::Tracing;
pub use perfetto::TraceFile;

/// Whether new loops begin in debug mode: `MOLEN_DEBUG` is neither empty nor `0`.
///
/// asyncio: `PYTHONASYNCIODEBUG`.
pub(crate) fn debug_mode_by_environment() -> bool {
    std::env::var_os("MOLEN_DEBUG").is_some_and(|value| !value.is_empty() && value != "0")
}
