//! Molen: the asyncio event loop as one small core.
#![no_std]
