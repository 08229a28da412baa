//! The attribute macros of Molen. Use them through the crate `molen`.

mod entry;
mod main_fn;
mod task;
mod test_fn;

use proc_macro::TokenStream;

/// Makes an `async fn` the maker of tasks that need no heap.
///
/// Calling the function starts nothing; it returns a
/// [`Call`](../molen_core/task/struct.Call.html) to give to `create_task`. The
/// tasks live in a static made for this function, as many at a time as
/// `pool_size` says; when all are in use, `create_task` gives the call back.
///
/// ```ignore
/// #[molen::task(pool_size = 2)]
/// async fn blink(pin: u8) {
///     loop {
///         toggle(pin);
///         molen::sleep(Duration::from_millis(500)).await;
///     }
/// }
///
/// drop(molen::create_task(blink(13))?);
/// ```
///
/// * `pool_size = N`: how many may live at a time; 1 if not given.
/// * `crate = path`: where molen's core is, if not at `::molen`.
///
/// The function may have up to eight arguments, taken by value; it may not be
/// generic, borrow, or take `self`. To start tasks of the function from its own
/// body, go through a plain `fn`: the size of the static would depend on itself.
#[proc_macro_attribute]
pub fn task(attribute: TokenStream, item: TokenStream) -> TokenStream {
    task::expand(attribute.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Makes an `async fn main` the program's entry.
///
/// On desktops and in WASI modules it is run by `molen::run`: when it has
/// ended, the tasks that it left are cancelled and waited for. It returns what
/// a plain `main` may return.
///
/// ```ignore
/// #[molen::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     molen::sleep(molen::Duration::from_secs(1)).await;
///     Ok(())
/// }
/// ```
///
/// When Ctrl-C has ended it, the process ends as if it had no handler: by the
/// signal, where there are signals.
///
/// On a microcontroller there is no `main` to take the place of, so the
/// attribute of the chip's runtime goes below this one and is handed on, and the
/// loop's backend is named. The function returns `()` or `!`:
///
/// ```ignore
/// #[molen::main(backend = board::start())]
/// #[cortex_m_rt::entry]
/// async fn main() {
///     molen::sleep(molen::Duration::from_secs(1)).await;
/// }
/// ```
///
/// * `loop_factory = expression`: makes the loop, as for
///   `molen::run_with_loop_factory`; not for microcontrollers.
/// * `backend = expression`: on microcontrollers, a `&'static` to the backend,
///   evaluated first of all; elsewhere it has no meaning and is left out.
/// * `crate = path`: where `molen` is, if not at `::molen`.
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(attribute.into(), item.clone().into())
        .unwrap_or_else(|error| {
            let (error, stub) = (error.to_compile_error(), entry::stub(item.into()));
            quote::quote!(#error #stub)
        })
        .into()
}

/// Makes an `async fn` a test, run on a new loop.
///
/// ```ignore
/// #[molen::test]
/// async fn tea_is_ready() -> Result<(), Box<dyn std::error::Error>> {
///     molen::sleep(molen::Duration::from_millis(1)).await;
///     Ok(())
/// }
/// ```
///
/// With the hand-advanced clock no time passes but what the test sleeps, and
/// that takes no time; a test in which nothing can happen any more fails
/// instead of hanging:
///
/// ```ignore
/// #[molen::test(clock = "manual")]
/// async fn a_year_is_over_at_once(backend: &'static molen::testing::TestBackend) {
///     molen::sleep(molen::Duration::from_secs(365 * 24 * 3600)).await;
///     assert_eq!(backend.report_count(), 0);
/// }
/// ```
///
/// The backend, which may be left out, can also be given a script.
///
/// * `clock = "manual"`: the hand-advanced clock of `molen::testing`;
///   `clock = "real"` is what it is without.
/// * `harness = path`: the attribute of another test harness, in the place of
///   `#[test]`; bare metal has none of its own.
/// * `backend = expression`: on microcontrollers, a `&'static` to the backend
///   of the real clock; elsewhere it has no meaning and is left out.
/// * `crate = path`: where `molen` is, if not at `::molen`.
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    test_fn::expand(attribute.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
