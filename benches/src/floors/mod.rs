//! What the machine allows: echo servers without a scheduler on top.

pub mod mio_et;
pub mod raw_epoll;
