//! Attribute macros of Molen.
