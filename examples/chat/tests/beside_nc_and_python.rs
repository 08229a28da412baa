//! The server, with netcat's and asyncio's clients.
#![cfg(unix)]

use molen_foreign::{Running, program};
use std::process::Command;
use std::time::{Duration, Instant};

/// A server on a port of its own.
struct Server {
    running: Running,
    port: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        let mut running = Running::start(command);
        let line = running.hear("listening on ");
        let port = line.rsplit(':').next().expect("a port").to_owned();
        Server { running, port }
    }

    fn nc(&self, name: &str) -> Running {
        let mut command = program("nc");
        command.args(["127.0.0.1", &self.port]);
        let mut client = Running::start(command);
        client.hear("* Welcome to lobby, guest");
        client.say(&format!("/nick {name}"));
        client.hear(&format!("is now {name}"));
        client
    }

    /// Python's asyncio, with `script` after what every script of these tests needs.
    fn python(&self, script: &str) -> Running {
        Running::python(&format!(
            "import asyncio, socket\nHOST, PORT = '127.0.0.1', {}\n{script}",
            self.port
        ))
    }

    /// Asks it to end, and hears it do so.
    fn end(mut self) {
        self.running.signal("TERM");
        self.running.hear("chat: bye");
        self.running.end_well();
    }
}

#[test]
fn three_clients_of_two_kinds_talk() {
    let server = Server::start(&[]);
    let (mut ada, mut bob) = (server.nc("ada"), server.nc("bob"));
    let mut eve = server.python(
        "
async def main():
    reader, writer = await asyncio.open_connection(HOST, PORT)
    writer.write(b'/nick eve\\r\\n/nick ADA\\r\\nhello \\xfe\\x1b[2J all\\r\\n')
    while line := await reader.readline():
        print(line)
asyncio.run(main())",
    );
    eve.hear("ADA is somebody else.");
    ada.hear("<eve> hello \u{fffd}[2J all");
    bob.hear("<eve> hello");
    ada.say("hello, eve");
    eve.hear("b'<ada> hello, eve\\r\\n'");
    bob.say("/msg eve between us");
    eve.hear("[bob] between us");
    bob.say("/join attic");
    bob.hear("* attic: 1 here");
    ada.hear("* bob goes to attic");
    bob.say("nobody hears this");
    bob.say("/rooms");
    bob.hear("* attic: 1");
    bob.hear("* lobby: 2");
    ada.say("/who");
    ada.hear("* lobby: 2 here");
    ada.hear("ada, eve");
    ada.say("/me waves");
    eve.hear("* ada waves");
    assert!(!ada.lines().iter().any(|line| line.contains("nobody hears")), "{:?}", ada.lines());
    ada.say("/quit");
    ada.hear("* Goodbye.");
    ada.end_well();
    eve.hear("* ada has left");
    server.end();
    eve.hear("The server ends. Goodbye.");
    bob.hear("The server ends. Goodbye.");
    eve.end_well();
    bob.end_well();
}

#[test]
fn five_hundred_clients_hear_everybody_in_their_rooms() {
    let server = Server::start(&["--rate", "1000"]);
    let mut crowd = server.python(
        "
ROOMS, EACH = 10, 50

waiting = ROOMS * EACH

async def client(number, streams, ready):
    global waiting
    reader, writer = streams
    room = number % ROOMS
    writer.write(b'/nick n%d\\n/join room%d\\n' % (number, room))
    while b' here\\r\\n' not in (line := await reader.readline()) or b'room%d: ' % room not in line:
        assert line
    waiting -= 1
    if not waiting: ready.set()
    await ready.wait()
    writer.write(b'from %d\\n' % number)
    heard = set()
    while len(heard) < EACH - 1:
        line = await reader.readline()
        assert line, f'{number} was left, having heard {len(heard)}'
        if b'> from ' in line:
            name, said = line[2:].split(b'> from ')
            assert name == said.strip() and int(name) % ROOMS == room, line
            assert name not in heard, line
            heard.add(name)
    writer.close()

async def main():
    # As many at once as there are: the server's queue of connections must do.
    streams = await asyncio.gather(*(asyncio.open_connection(HOST, PORT) for _ in range(ROOMS * EACH)))
    ready = asyncio.Event()
    await asyncio.gather(*(client(number, s, ready) for number, s in enumerate(streams)))
    print('all heard all')
asyncio.run(main())",
    );
    crowd.hear("all heard all");
    crowd.end_well();
    server.end();
}

#[test]
fn who_does_not_read_is_left_and_the_others_are_not_held_up() {
    let server = Server::start(&["--unread", "100000", "--rate", "100000"]);
    let mut sleeper = server.python(
        "
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
sock.connect((HOST, PORT))
sock.sendall(b'/nick sleeper\\n')
print('asleep')
input()
received = 0
try:
    while data := sock.recv(1 << 16):
        received += len(data)
except ConnectionResetError:
    pass
print('received', received)",
    );
    sleeper.hear("asleep");
    let mut ada = server.nc("ada");
    let mut loud = server.python(
        "
LINE = b'x' * 1000 + b'\\n'
async def main():
    reader, writer = await asyncio.open_connection(HOST, PORT)
    async def news():
        async for line in reader:
            print(line)
    task = asyncio.create_task(news())
    for number in range(20000):
        writer.write(LINE)
        await writer.drain()
    writer.write(b'that was all\\n')
    await asyncio.sleep(60)
asyncio.run(main())",
    );
    loud.hear("* sleeper is left: too slow");
    ada.hear("sleeper is left: too slow");
    ada.hear("> that was all");
    let heard = ada.lines().iter().filter(|line| line.contains("> xxx")).count();
    assert_eq!(heard, 20_000, "who reads has heard everything");
    sleeper.say("");
    sleeper.hear("received");
    drop((ada, loud));
    server.end();
}

#[test]
fn the_silent_the_long_and_the_many_are_told_so() {
    let server = Server::start(&["--idle", "1", "--clients", "2", "--rate", "2"]);
    let mut silent = server.nc("silent");
    let mut long = server.nc("long");
    let mut third = Running::start({
        let mut command = program("nc");
        command.args(["127.0.0.1", &server.port]);
        command
    });
    third.hear("* The hall is full.");
    third.end_well();
    long.say(&"l".repeat(5000));
    long.hear("* Lines have up to 1024 bytes.");
    silent.hear("* Nothing for 1 s. Goodbye.");
    silent.end_well();
    // It has room again.
    let mut loud = server.nc("loud");
    let begin = Instant::now();
    for number in 0..12 {
        loud.say(&format!("/who none{number}"));
    }
    loud.hear("none11: 0 here");
    assert!(begin.elapsed() > Duration::from_millis(500), "10 lines at once and 2 a second");
    server.end();
}

#[test]
fn the_end_waits_for_readers_but_not_for_ever() {
    let server = Server::start(&["--deadline", "1", "--unread", "100000000", "--rate", "100000"]);
    let mut sleeper = server.python(
        "
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
sock.connect((HOST, PORT))
print('asleep')
input()",
    );
    sleeper.hear("asleep");
    let mut loud = server.python(
        "
with socket.create_connection((HOST, PORT)) as sock:
    for number in range(9000):
        sock.sendall(b'x' * 1000 + b'\\n')
    sock.sendall(b'/who nobody\\n')
    while b'nobody: 0' not in sock.recv(1 << 16): pass
    print('said')
    input()",
    );
    loud.hear("said");
    let begin = Instant::now();
    server.end();
    let took = begin.elapsed();
    assert!((1.0..4.0).contains(&took.as_secs_f64()), "{took:?}");
}
