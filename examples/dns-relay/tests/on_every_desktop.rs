//! The relay between sockets of the standard library: also where there is no
//! dig, such as under Wine.

use molen_foreign::{PATIENCE, Running};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::Command;

/// A question for the address of `host.example`.
fn question(number: u16) -> Vec<u8> {
    let mut message = number.to_be_bytes().to_vec();
    message.extend(b"\x01\0\0\x01\0\0\0\0\0\0\x04host\x07example\0\0\x01\0\x01");
    message
}

/// The answer to `asked`, which is 192.0.2.1 for a minute.
fn answer(asked: &[u8]) -> Vec<u8> {
    let mut message = asked[..2].to_vec();
    message.extend(b"\x81\x80\0\x01\0\x01\0\0\0\0");
    // The question as it was asked, without what may follow it.
    message.extend(&asked[12..12 + question(0).len() - 12]);
    message.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01");
    message
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket
}

fn is_answer(message: &[u8], number: u16) -> bool {
    message.starts_with(&number.to_be_bytes()) && message.ends_with(&[192, 0, 2, 1])
}

#[test]
fn answers_are_relayed_and_remembered_by_udp_and_by_tcp() {
    let (upstream, client) = (socket(), socket());
    let mut command = Command::new(env!("CARGO_BIN_EXE_dns-relay"));
    let port = upstream.local_addr().expect("an address");
    command.args(["--listen", "127.0.0.1:0", "--upstream", &port.to_string()]);
    let mut relay = Running::start(command);
    let line = relay.hear("listening on ");
    let address = line.rsplit(' ').next().expect("an address");

    client.send_to(&question(7), address).expect("it is sent");
    let mut buffer = [0; 600];
    let (count, from) = upstream.recv_from(&mut buffer).expect("it asks");
    upstream.send_to(&answer(&buffer[..count]), from).expect("it is answered");
    let count = client.recv(&mut buffer).expect("it answers");
    assert!(is_answer(&buffer[..count], 7), "{:?}", &buffer[..count]);

    // From memory: the upstream is asked no more.
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let asked = question(8);
    stream.write_all(&(asked.len() as u16).to_be_bytes()).expect("it takes a length");
    stream.write_all(&asked).expect("it takes a question");
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a length");
    let mut answered = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answered).expect("an answer");
    assert!(is_answer(&answered, 8), "{answered:?}");
    upstream.set_nonblocking(true).expect("a socket");
    assert!(upstream.recv_from(&mut buffer).is_err(), "the upstream was asked again");
    assert!(relay.runs(), "{:?}", relay.lines());
}
