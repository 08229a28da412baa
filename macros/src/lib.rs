//! The attribute macros of Molen. Use them through the crate `molen`.

mod task;

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
