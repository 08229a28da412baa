//! Adapters from each loop to [`crate::peer::Peer`], one file each.

#[cfg(feature = "embassy")]
mod embassy_rt;
mod floor;
#[cfg(feature = "futures-pool")]
mod futures_pool;
#[cfg(feature = "glommio")]
mod glommio_rt;
mod libuv;
mod locks;
mod molen_rt;
mod molen_servers;

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
use crate::row::Row;

/// Every column that was compiled in, in the order of the table.
pub fn columns() -> Vec<Column> {
    vec![
        Column::of::<floor::Floor>(Kind::Floor),
        Column::server("raw-lt", Kind::Floor, raw_epoll::serve_level)
            .with_datagrams(raw_epoll::serve_datagrams)
            .but(no_timers),
        Column::server("raw-et", Kind::Floor, raw_epoll::serve_edge).but(no_timers),
        Column::server("mio", Kind::Floor, mio_et::serve).but(no_timers),
        Column::of::<molen_rt::Molen>(Kind::Peer),
        Column::server("molen-protocol", Kind::Own, molen_servers::serve_protocol),
        Column::server("molen-buffered", Kind::Own, molen_servers::serve_buffered),
        Column::server("molen-streams", Kind::Own, molen_servers::serve_streams),
        #[cfg(feature = "tokio")]
        Column::of::<tokio_rt::CurrentThread>(Kind::Peer),
        #[cfg(feature = "tokio")]
        Column::of::<tokio_rt::LocalRuntime>(Kind::Peer),
        #[cfg(feature = "smol")]
        Column::of::<smol_rt::Smol>(Kind::Peer),
        Column::server("libuv", Kind::Peer, libuv::serve)
            .with_datagrams(libuv::serve_datagrams)
            .but(no_libuv),
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

fn no_timers(row: Row) -> Option<&'static str> {
    row.needs_timers().then_some("no timers")
}

fn no_libuv(_row: Row) -> Option<&'static str> {
    libuv::is_missing()
        .then_some("libuv.so.1 is not here; `cargo xtask setup --bench-peers` gets it")
}

/// Which libuv is on the machine, if one is.
pub fn libuv_version() -> Option<&'static str> {
    (!libuv::is_missing()).then(libuv::version)
}
