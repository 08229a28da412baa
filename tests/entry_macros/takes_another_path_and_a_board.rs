//! The crate may be elsewhere, and a board is for microcontrollers only.

mod vendored {
    pub use molen;
}

#[vendored::molen::main(crate = vendored::molen, backend = &BOARD)]
async fn main() {}
