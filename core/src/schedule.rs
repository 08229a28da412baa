//! What runs next, and when: the order of callbacks is decided here and nowhere else.

pub mod wheel;
