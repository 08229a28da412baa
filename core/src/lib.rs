//! The event loop of Molen.
#![no_std]

pub mod schedule;
