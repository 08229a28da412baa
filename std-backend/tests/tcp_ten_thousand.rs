//! Connections by the thousand. Alone in its process, whose descriptors it counts.

mod local;

use local::{ANY_PORT, run};
use molen_core::create_task;
use molen_std::net::{TcpListener, TcpStream};
use std::rc::Rc;

#[cfg(unix)]
fn open_descriptors() -> usize {
    // Of each kind of Unix; the listing itself opens one.
    std::fs::read_dir("/dev/fd").map_or(0, Iterator::count)
}

#[cfg(windows)]
fn open_descriptors() -> usize {
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};
    let mut count = 0;
    // SAFETY: the process's own handle, and a place for the answer.
    let answered = unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) };
    assert_ne!(answered, 0, "the system does not say how many handles are open");
    count as usize
}

#[test]
fn ten_thousand_connections_opened_and_dropped_leave_nothing_behind() {
    const AT_ONCE: usize = 200;
    run(async {
        let listener = Rc::new(TcpListener::bind(ANY_PORT).unwrap());
        let address = listener.local_addr().unwrap();
        let before = open_descriptors();
        for _ in 0..10_000 / AT_ONCE {
            let accepting = {
                let listener = listener.clone();
                create_task(async move {
                    let mut accepted = Vec::new();
                    while accepted.len() < AT_ONCE {
                        accepted.push(listener.accept().await.unwrap().0);
                    }
                    accepted
                })
                .unwrap()
            };
            let mut clients = Vec::new();
            for _ in 0..AT_ONCE {
                clients.push(TcpStream::connect(address).await.unwrap());
            }
            let servers = accepting.await.unwrap();
            drop(clients);
            for server in &servers {
                assert_eq!(server.read(&mut [0; 1]).await, Ok(0));
            }
        }
        assert_eq!(open_descriptors(), before);
    });
}
