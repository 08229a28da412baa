//! The server and foreign programs: curl, Python's `http.client`, OpenSSL's
//! `s_client`, and clients that behave badly.
//!
//! A program that is not there is a failure that says how to get it.
#![cfg(unix)]

mod ending;
mod foreign;
mod hostile;
mod running;
mod with_curl;
mod with_nginx;
mod with_python;
mod with_tls;
