//! Peers that mean harm, or have none left to mean: they say a byte at a time,
//! never read, leave in every phase, or vanish without a word.

mod local;

use core::cell::{Cell, RefCell};
use local::{ANY_PORT, run};
use molen_core::io::source::SourceError;
use molen_core::net::{
    Answer, ConnectionError, ExtraInfo, Flow, Protocol, ReadError, StreamReader, StreamWriter,
    Transport, WriteBufferLimits,
};
use molen_core::{Duration, all_tasks, sleep, timeout, to_thread};
use molen_std::net::{TcpStream, create_server, open_streams, start_server};
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

type Blocking = std::net::TcpStream;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits until `holds`, but not for ever.
async fn until(holds: impl Fn() -> bool) {
    let waited = timeout(Duration::from_secs(60), async {
        while !holds() {
            sleep(ms(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "it never came to that");
}

/// Ends a connection by a reset.
fn reset(stream: Blocking) {
    SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
}

/// Fails unless nothing is left but who asks.
async fn nobody_else_is_left() {
    until(|| all_tasks().len() == 1).await;
}

/// Answers each line with its length, if it comes within `patience`.
async fn answer(mut reader: StreamReader, writer: StreamWriter, patience: Duration) -> bool {
    loop {
        match timeout(patience, reader.readline()).await {
            Ok(Ok(line)) if line.ends_with(b"\n") => {
                if writer.write(format!("{}\n", line.len()).as_bytes()).is_err()
                    || writer.drain().await.is_err()
                {
                    return true;
                }
            }
            Ok(_) => return true,
            Err(_too_slow) => {
                writer.transport().abort();
                return false;
            }
        }
    }
}

#[test]
fn those_who_say_a_byte_at_a_time_are_ended_while_others_are_served() {
    const SLOW: usize = 100;
    run(async {
        let given_up = Rc::new(Cell::new(0));
        let counted = given_up.clone();
        let handler = move |reader, writer| {
            let counted = counted.clone();
            async move {
                if !answer(reader, writer, ms(600)).await {
                    counted.set(counted.get() + 1);
                }
            }
        };
        let server = start_server(ANY_PORT, handler).await.unwrap();
        let address = server.addresses()[0];
        let slow = std::thread::spawn(move || {
            let mut slow: Vec<_> = (0..SLOW).map(|_| Blocking::connect(address).unwrap()).collect();
            let began = Instant::now();
            // A line without an end, a byte at each tick, to whoever still hears it.
            while !slow.is_empty() && began.elapsed() < Duration::from_secs(60) {
                slow.retain_mut(|stream| stream.write_all(b"x").is_ok());
                std::thread::sleep(ms(20));
            }
            slow.len()
        });
        until(|| server.client_count() >= SLOW).await;
        let mut slowest = Duration::ZERO;
        let mut served = 0;
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut reader, writer) = open_streams(stream, 64).await.unwrap();
        while given_up.get() < SLOW || served < 50 {
            let began = Instant::now();
            writer.write(b"hello\n").unwrap();
            assert_eq!(reader.readline().await.unwrap(), b"6\n");
            slowest = slowest.max(began.elapsed());
            served += 1;
            sleep(ms(2)).await;
        }
        // On an idle machine it is a millisecond.
        assert!(slowest < Duration::from_secs(2), "an answer took {slowest:?}");
        assert_eq!(to_thread(move || slow.join().unwrap()).await.unwrap(), 0);
        drop((reader, writer));
        until(|| server.client_count() == 0).await;
        server.close();
        nobody_else_is_left().await;
    });
}

#[test]
fn a_peer_that_never_reads_costs_no_more_than_the_water_marks() {
    const PIECE: usize = 16 * 1024;
    run(async {
        let most = Rc::new(Cell::new(0));
        let seen = most.clone();
        let handler = move |_reader: StreamReader, writer: StreamWriter| {
            let seen = seen.clone();
            async move {
                let transport = writer.transport();
                transport.set_write_buffer_limits(WriteBufferLimits::of_high(PIECE));
                let talk = async {
                    loop {
                        let _ = writer.write(&[7; PIECE]);
                        seen.set(seen.get().max(transport.get_write_buffer_size()));
                        if writer.drain().await.is_err() {
                            break;
                        }
                    }
                };
                assert!(timeout(ms(300), talk).await.is_err(), "somebody reads");
                transport.abort();
                assert!(writer.wait_closed().await.is_ok());
            }
        };
        let server = start_server(ANY_PORT, handler).await.unwrap();
        let address = server.addresses()[0];
        let silent: Vec<_> = (0..20).map(|_| Blocking::connect(address).unwrap()).collect();
        until(|| server.client_count() == silent.len()).await;
        until(|| server.client_count() == 0).await;
        assert!((1..=2 * PIECE).contains(&most.get()), "{} bytes waited", most.get());
        drop(silent);
        server.close();
        nobody_else_is_left().await;
    });
}

#[test]
fn a_window_that_was_shut_for_long_loses_nothing() {
    // More than the system keeps for both sides.
    const SIZE: usize = 24 << 20;
    run(async {
        let handler = |_reader: StreamReader, writer: StreamWriter| async move {
            let transport = writer.transport();
            for start in (0..SIZE).step_by(8192) {
                let piece: Vec<u8> =
                    (start..start + 8192).map(|index| (index % 251) as u8).collect();
                let flow = writer.write(&piece).unwrap();
                assert_eq!(flow == Flow::Paused, transport.get_write_buffer_size() > 65536);
                writer.drain().await.unwrap();
            }
            writer.close();
            writer.wait_closed().await.unwrap();
        };
        let server = start_server(ANY_PORT, handler).await.unwrap();
        let mut stream = Blocking::connect(server.addresses()[0]).unwrap();
        until(|| server.client_count() == 1).await;
        // The window is shut; it opens a little, and then for good.
        sleep(ms(250)).await;
        let received = to_thread(move || {
            let mut received = vec![0; 5000];
            stream.read_exact(&mut received).unwrap();
            std::thread::sleep(ms(250));
            stream.read_to_end(&mut received).unwrap();
            received
        });
        let received = received.await.unwrap();
        assert_eq!(received.len(), SIZE);
        assert!(received.iter().enumerate().all(|(index, byte)| *byte == (index % 251) as u8));
        until(|| server.client_count() == 0).await;
        server.close();
        nobody_else_is_left().await;
    });
}

#[test]
fn a_reset_in_the_middle_of_writing_is_told_once_and_everywhere() {
    run(async {
        let told = Rc::new(RefCell::new(Vec::new()));
        let tells = told.clone();
        let handler = move |mut reader: StreamReader, writer: StreamWriter| {
            let tells = tells.clone();
            async move {
                let failed = loop {
                    let _ = writer.write(&[1; 32 * 1024]);
                    if let Err(error) = writer.drain().await {
                        break error;
                    }
                };
                let closed = writer.wait_closed().await.unwrap_err();
                let read = match reader.readline().await {
                    Err(ReadError::Lost(error)) => error,
                    other => panic!("{other:?}"),
                };
                assert_eq!(writer.write(b"nobody").unwrap(), Flow::Dropped);
                assert_eq!(writer.get_extra_info(ExtraInfo::PeerName), None);
                tells.borrow_mut().extend([failed, closed, read].map(|error| error.source_error()));
            }
        };
        let server = start_server(ANY_PORT, handler).await.unwrap();
        let mut stream = Blocking::connect(server.addresses()[0]).unwrap();
        let resetting = to_thread(move || {
            stream.read_exact(&mut [0; 10_000]).unwrap();
            reset(stream);
        });
        resetting.await.unwrap();
        until(|| told.borrow().len() == 3).await;
        assert_eq!(*told.borrow(), [Some(SourceError::ConnectionReset); 3]);
        server.close();
        server.wait_closed().await;
        nobody_else_is_left().await;
    });
}

/// Says hello, asks for a line, answers at length, and counts.
#[derive(Default)]
struct Counts {
    made: Cell<usize>,
    lost: Cell<usize>,
    after_the_end: Cell<usize>,
}

struct Talker {
    counts: Rc<Counts>,
    over: bool,
}

impl Talker {
    fn called(&self) {
        let wrong = self.counts.after_the_end.get() + usize::from(self.over);
        self.counts.after_the_end.set(wrong);
    }
}

impl Protocol for Talker {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        self.called();
        self.counts.made.set(self.counts.made.get() + 1);
        transport.write(b"hello\n")?;
        Ok(())
    }

    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        self.called();
        if data.contains(&b'\n') {
            transport.write(&[b'x'; 300_000])?;
        }
        Ok(())
    }

    fn pause_writing(&mut self, _transport: &Transport) -> Answer {
        self.called();
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        _error: Option<&ConnectionError>,
    ) -> Answer {
        self.called();
        self.over = true;
        self.counts.lost.set(self.counts.lost.get() + 1);
        Ok(())
    }
}

/// How far a peer comes before it leaves.
const PHASES: [fn(SocketAddr) -> Blocking; 5] = [
    // Connected, perhaps not even accepted.
    |address| Blocking::connect(address).unwrap(),
    |address| {
        let mut stream = PHASES[0](address);
        stream.read_exact(&mut [0; 6]).unwrap();
        stream
    },
    // In the middle of its question.
    |address| {
        let mut stream = PHASES[1](address);
        stream.write_all(b"what i").unwrap();
        stream
    },
    // Before, and within, the answer.
    |address| {
        let mut stream = PHASES[1](address);
        stream.write_all(b"what is it?\n").unwrap();
        stream
    },
    |address| {
        let mut stream = PHASES[3](address);
        stream.read_exact(&mut [0; 1000]).unwrap();
        stream
    },
];

#[test]
fn peers_that_leave_in_any_phase_are_lost_once_each() {
    const ROUNDS: usize = 8;
    run(async {
        let counts = Rc::new(Counts::default());
        let made = counts.clone();
        let factory = move || Talker { counts: made.clone(), over: false };
        let server = create_server(ANY_PORT, factory).await.unwrap();
        let address = server.addresses()[0];
        let leaving = to_thread(move || {
            for _ in 0..ROUNDS {
                for phase in PHASES {
                    drop(phase(address));
                    reset(phase(address));
                    // Its output has ended, and it still listens for a while.
                    let half = phase(address);
                    half.shutdown(std::net::Shutdown::Write).unwrap();
                    std::thread::sleep(ms(1));
                }
            }
        });
        leaving.await.unwrap();
        let came = ROUNDS * PHASES.len() * 3;
        // Who is gone before it was accepted may never have been there.
        until(|| server.client_count() == 0 && counts.made.get() >= came - 3 * ROUNDS).await;
        assert_eq!(counts.made.get(), counts.lost.get());
        assert!(counts.made.get() <= came);
        assert_eq!(counts.after_the_end.get(), 0);
        // And it serves as on the first day.
        let mut last = to_thread(move || PHASES[4](address)).await.unwrap();
        assert!(to_thread(move || last.read_exact(&mut [0; 1000]).is_ok()).await.unwrap());
        server.close();
        server.wait_closed().await;
        nobody_else_is_left().await;
    });
}

/// A peer whose machine is gone: in a network that is taken down. `cargo xtask
/// test` has one made for it (`xtask/src/test/half_open.rs`), and says so where
/// the system permits none.
#[cfg(target_os = "linux")]
mod half_open {
    use super::*;
    use molen_std::net::{Keepalive, set_keepalive, set_user_timeout};

    /// The network that is not to be taken down, as the system names it.
    const NOT_THIS: &str = "MOLEN_TEST_NETWORK_TO_SPARE";

    /// Fails, by hand and in the wrong place, before it does harm.
    fn require_a_network_of_its_own() {
        let Ok(spared) = std::env::var(NOT_THIS) else {
            panic!("run by `cargo xtask test`, which makes a network that may be taken down");
        };
        let network = std::fs::read_link("/proc/self/ns/net").unwrap();
        assert_ne!(network.to_str(), Some(&*spared), "this is the network to spare");
    }

    fn set_loopback(up: bool) {
        // SAFETY: all zero is a request; its fields are set below.
        let mut request: libc::ifreq = unsafe { core::mem::zeroed() };
        for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
            *place = *byte as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = if up { libc::IFF_UP as libc::c_short } else { 0 };
        let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&socket);
        // SAFETY: an open socket, and a request that outlives the call.
        let done = unsafe { libc::ioctl(number, libc::SIOCSIFFLAGS, &raw const request) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }

    #[test]
    #[ignore = "it takes its network down: cargo xtask test makes one for it"]
    fn a_peer_that_vanishes_without_a_word_is_noticed_in_the_time_that_was_set() {
        require_a_network_of_its_own();
        set_loopback(true);
        run(async {
            let lost = Rc::new(RefCell::new(Vec::new()));
            let told = lost.clone();
            let handler = move |mut reader: StreamReader, writer: StreamWriter| {
                let told = told.clone();
                async move {
                    let silent = reader.readline().await.unwrap() == b"silent\n";
                    let second = Duration::from_secs(1);
                    if silent {
                        let keepalive = Keepalive { idle: second, interval: second, probes: 2 };
                        set_keepalive(writer.transport(), Some(keepalive)).unwrap();
                    } else {
                        set_user_timeout(writer.transport(), Some(second)).unwrap();
                    }
                    sleep(ms(200)).await;
                    let began = Instant::now();
                    if !silent {
                        writer.write(b"are you there?").unwrap();
                    }
                    let error = match reader.readline().await {
                        Err(ReadError::Lost(error)) => error.source_error(),
                        other => panic!("{other:?}"),
                    };
                    told.borrow_mut().push((silent, error, began.elapsed()));
                }
            };
            let server = start_server(ANY_PORT, handler).await.unwrap();
            let address = server.addresses()[0];
            let mut peers: Vec<_> = (0..2).map(|_| Blocking::connect(address).unwrap()).collect();
            peers[0].write_all(b"silent\n").unwrap();
            peers[1].write_all(b"asked\n").unwrap();
            sleep(ms(100)).await;
            set_loopback(false);
            until(|| lost.borrow().len() == 2).await;
            for (silent, error, after) in lost.borrow().iter() {
                assert_eq!(*error, Some(SourceError::TimedOut), "silent: {silent}");
                assert!(*after < Duration::from_secs(30), "after {after:?}");
            }
            server.close();
            until(|| server.client_count() == 0).await;
            nobody_else_is_left().await;
            drop(peers);
        });
    }
}

/// The same from scripted sources is the conformance suite's; here the calls
/// that set it are asked of the system.
#[test]
#[cfg_attr(windows, ignore = "Wine 8 has no option for the number of probes: WSAENOPROTOOPT")]
fn what_is_set_for_silent_peers_is_what_the_system_has() {
    use molen_std::net::{Keepalive, set_keepalive};
    run(async {
        let (client, _server) = local::pair().await;
        let second = Duration::from_secs(1);
        let keepalive = Keepalive { idle: 7 * second, interval: 3 * second, probes: 4 };
        client.set_keepalive(Some(keepalive)).unwrap();
        let limited = client.set_user_timeout(Some(9 * second));
        assert_eq!(limited.is_ok(), cfg!(target_os = "linux"));
        let (_reader, writer) = open_streams(client, 64).await.unwrap();
        #[cfg(target_os = "linux")]
        {
            use molen_core::net::ExtraValue;
            use std::os::fd::BorrowedFd;
            let Some(ExtraValue::Descriptor(number)) = writer.get_extra_info(ExtraInfo::Socket)
            else {
                panic!("a connection of a socket has none");
            };
            // SAFETY: the transport is alive, and keeps it open.
            let descriptor = unsafe { BorrowedFd::borrow_raw(number as i32) };
            let socket = SockRef::from(&descriptor);
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), 7 * second);
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), 3 * second);
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(9 * second));
            molen_std::net::set_user_timeout(writer.transport(), None).unwrap();
            assert_eq!(socket.tcp_user_timeout().unwrap(), None);
        }
        set_keepalive(writer.transport(), None).unwrap();
        writer.close();
        writer.wait_closed().await.unwrap();
        let error = set_keepalive(writer.transport(), None).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
    });
}
