//! A listening socket that somebody shuts down under its server's hands.
#![cfg(target_os = "linux")]

use core::cell::RefCell;

use molen_core::io::source::SourceError;
use molen_core::net::{Answer, Protocol, ServeError, Server, Start};
use molen_core::time::Duration;
use molen_core::timeouts::timeout;
use molen_std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::rc::Rc;

struct Nobody;

impl Protocol for Nobody {
    fn data_received(&mut self, _: &molen_core::net::Transport, _: &[u8]) -> Answer {
        Ok(())
    }
}

#[test]
fn a_server_whose_listener_is_shut_down_says_so() {
    let event_loop = molen_std::new_event_loop().unwrap();
    let said = Rc::new(RefCell::new(String::new()));
    let heard = said.clone();
    event_loop.set_exception_handler(Some(Rc::new(move |_event_loop, context| {
        heard.borrow_mut().push_str(&context.to_string());
        Ok(())
    })));
    let answer = event_loop.run_until_complete(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let fd = listener.as_raw_fd();
        let server = Server::new([listener], || Nobody, Start::Now).unwrap();
        let shut_down = move || {
            // SAFETY: a number is all that it takes.
            assert_eq!(unsafe { libc::shutdown(fd, libc::SHUT_RDWR) }, 0);
        };
        event_loop.call_later(Duration::from_millis(5), shut_down).unwrap();
        timeout(Duration::from_secs(10), server.serve_forever()).await.unwrap()
    });
    assert_eq!(answer.unwrap(), Err(ServeError::ListenersGone(SourceError::Closed)));
    let said = said.take();
    assert!(said.contains("gave up a listener") && said.contains("127.0.0.1:"), "{said}");
}
