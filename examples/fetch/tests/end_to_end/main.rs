//! The program and foreign servers: Python's `http.server`, and a scripted one
//! that misbehaves in every way that it knows.
//!
//! A program that is not there is a failure that says how to get it.
#![cfg(unix)]

mod interrupted;
mod limits;
mod misbehaving;
mod on_a_terminal;
mod redirects;
mod running;
mod saving;
mod with_http_server;
mod with_nginx;
mod with_tls;
