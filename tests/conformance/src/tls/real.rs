//! Clients, servers and peers that are driven by hand.

mod accepted;
mod authority;
mod by_hand;
mod data;
mod ending;
mod unix_sockets;
mod handshake;
mod peeking;
mod upgrade;

pub(super) use accepted::*;
pub(super) use data::*;
pub(super) use ending::*;
pub(super) use unix_sockets::*;
pub(super) use handshake::*;
pub(super) use peeking::*;
pub(super) use upgrade::*;
