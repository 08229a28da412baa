//! The server, with clients of the standard library: also where there is no
//! netcat, such as under Wine.

use molen_foreign::{PATIENCE, Running};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

struct Client {
    hears: BufReader<TcpStream>,
}

impl Client {
    fn come(address: &str, name: &str) -> Client {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut client = Client { hears: BufReader::new(stream) };
        client.hear("* Welcome to lobby, guest");
        client.say(&format!("/nick {name}"));
        client.hear(&format!("is now {name}"));
        client
    }

    fn say(&mut self, line: &str) {
        self.hears.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("it takes a line");
    }

    /// Goes past the next line with `what` in it.
    fn hear(&mut self, what: &str) {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            let heard = self.hears.read_line(&mut line);
            let count = heard.unwrap_or_else(|error| panic!("waiting for {what:?}: {error}"));
            assert!(count > 0, "the end came before {what:?}");
        }
    }

    fn hear_the_end(&mut self) {
        let mut line = String::new();
        while self.hears.read_line(&mut line).expect("a line or the end") > 0 {}
    }
}

#[test]
fn clients_talk_come_and_leave() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    command.args(["--listen", "127.0.0.1:0"]);
    let mut server = Running::start(command);
    let line = server.hear("listening on ");
    let address = line.rsplit(' ').next().expect("an address");
    let mut ada = Client::come(address, "ada");
    let mut bob = Client::come(address, "bob");
    ada.hear("is now bob");
    ada.say("hello, all");
    bob.hear("<ada> hello, all");
    bob.say("/msg ada between us");
    ada.hear("[bob] between us");
    bob.say("/join attic");
    ada.hear("* bob goes to attic");
    ada.say("/quit");
    ada.hear("* Goodbye.");
    ada.hear_the_end();
    let mut eve = Client::come(address, "eve");
    eve.say("/join attic");
    eve.hear("* attic: 2 here");
    // Who leaves without a word is missed.
    drop(bob);
    eve.hear("* bob has left");
    eve.say("/who");
    eve.hear("* attic: 1 here");
    assert!(server.runs(), "{:?}", server.lines());
}
