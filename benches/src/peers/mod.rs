//! Adapters from each loop to [`crate::peer::Peer`], one file each.

#[cfg(feature = "embassy")]
mod embassy_rt;
mod floor;
#[cfg(feature = "futures-pool")]
mod futures_pool;
#[cfg(feature = "glommio")]
mod glommio_rt;
mod locks;
mod molen_rt;

#[cfg(feature = "channels")]
pub use molen_rt::Molen;

#[cfg(feature = "monoio")]
mod monoio_rt;
#[cfg(feature = "smol")]
mod smol_rt;
#[cfg(feature = "tokio")]
mod tokio_rt;

use crate::floors::{mio_et, raw_epoll};
use crate::peer::{Column, Kind};

/// Every column that was compiled in, in the order of the table.
pub fn columns() -> Vec<Column> {
    vec![
        Column::of::<floor::Floor>(Kind::Floor),
        Column::server("raw-lt", raw_epoll::serve_level),
        Column::server("raw-et", raw_epoll::serve_edge),
        Column::server("mio", mio_et::serve),
        Column::of::<molen_rt::Molen>(Kind::Peer),
        Column::server("molen-protocol", molen_rt::serve_protocol),
        #[cfg(feature = "tokio")]
        Column::of::<tokio_rt::CurrentThread>(Kind::Peer),
        #[cfg(feature = "tokio")]
        Column::of::<tokio_rt::LocalRuntime>(Kind::Peer),
        #[cfg(feature = "smol")]
        Column::of::<smol_rt::Smol>(Kind::Peer),
        #[cfg(feature = "embassy")]
        Column::of::<embassy_rt::Embassy>(Kind::Peer),
        #[cfg(feature = "futures-pool")]
        Column::of::<futures_pool::LocalPoolPeer>(Kind::Peer),
        #[cfg(feature = "monoio")]
        Column::of::<monoio_rt::MonoioEpoll>(Kind::Peer),
        #[cfg(feature = "glommio")]
        Column::of::<glommio_rt::Glommio>(Kind::Peer),
        #[cfg(feature = "channels")]
        Column::library::<crate::channels::TokioSync>(),
        #[cfg(feature = "channels")]
        Column::library::<crate::channels::AsyncChannel>(),
        #[cfg(feature = "channels")]
        Column::library::<crate::channels::FuturesChannel>(),
        #[cfg(feature = "channels")]
        Column::library::<crate::channels::EmbassySync>(),
    ]
}
