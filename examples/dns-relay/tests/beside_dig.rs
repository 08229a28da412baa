//! The relay between dig, or asyncio, and servers that behave well, or badly.
#![cfg(unix)]

use molen_foreign::{Running, free_port, program};
use std::process::Command;
use std::time::{Duration, Instant};

/// A server of DNS, and its port.
fn upstream(behaviour: &str) -> (Running, u16) {
    let mut command = program("python3");
    command.args(["-u", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upstream.py"), behaviour]);
    let mut running = Running::start(command);
    let line = running.hear("port ");
    let port = line.trim_start_matches("port ").parse().expect("a port");
    (running, port)
}

struct Relay {
    running: Running,
    port: String,
}

impl Relay {
    fn start(upstreams: &[u16], arguments: &[&str]) -> Relay {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dns-relay"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        for port in upstreams {
            command.args(["--upstream", &format!("127.0.0.1:{port}")]);
        }
        let mut running = Running::start(command);
        let line = running.hear("listening on ");
        let port = line.rsplit(':').next().expect("a port").to_owned();
        Relay { running, port }
    }

    /// What dig prints.
    fn dig(&self, question: &[&str]) -> String {
        let mut dig = program("dig");
        dig.args(["-r", "@127.0.0.1", "-p", &self.port, "+tries=1", "+time=10"]).args(question);
        let output = dig.output().expect("dig starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Python with a socket that is connected to the relay.
    fn python(&self, script: &str) -> Running {
        let port = &self.port;
        Running::python(&format!(
            "
import asyncio, socket, struct
PORT = {port}
def ask(name, number=1):
    labels = b''.join(bytes([len(l)]) + l.encode() for l in name.split('.'))
    return struct.pack('!HHHHHH', number, 0x100, 1, 0, 0, 0) + labels + b'\\0\\0\\1\\0\\1'
def udp(host='127.0.0.1'):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 0))
    s.connect(('127.0.0.1', PORT))
    s.settimeout(10)
    return s
def code(answer):
    return answer[3] & 15
{script}"
        ))
    }

    /// Its statistics, at the end.
    fn end(mut self) -> String {
        self.running.signal("TERM");
        self.running.end_well();
        self.running.output().join("\n")
    }
}

#[test]
fn answers_are_relayed_and_remembered() {
    let (mut server, port) = upstream("good");
    let mut relay = Relay::start(&[port], &[]);
    let first = relay.dig(&["Host.Example", "A"]);
    assert!(first.contains("status: NOERROR"), "{first}");
    assert!(first.contains("flags: qr rd ra; QUERY: 1, ANSWER: 1,"), "{first}");
    assert!(first.contains("192.0.2.1"), "{first}");
    server.hear("asked Host.Example");
    let second = relay.dig(&["hOST.eXAMPLE", "A", "+noedns"]);
    assert!(second.contains("hOST.eXAMPLE."), "as it was asked: {second}");
    assert!(second.contains("192.0.2.1"), "{second}");
    let none = relay.dig(&["none.example", "A"]);
    assert!(none.contains("status: NXDOMAIN"), "{none}");
    assert!(relay.dig(&["none.example", "A"]).contains("status: NXDOMAIN"));
    server.hear("asked none.example");
    // It holds for two seconds, and grows older.
    relay.dig(&["brief.example"]);
    server.hear("asked brief.example");
    std::thread::sleep(Duration::from_millis(1100));
    let older = relay.dig(&["brief.example", "+noall", "+answer"]);
    assert_eq!(older.split_whitespace().nth(1), Some("1"), "{older}");
    std::thread::sleep(Duration::from_millis(1000));
    relay.dig(&["brief.example"]);
    relay.running.signal("USR1");
    relay.running.hear("questions 7, by tcp 0, from cache 3,");
    relay.end();
    let asked = server.output().iter().filter(|line| line.starts_with("asked")).count();
    assert_eq!(asked, 4);
}

#[test]
fn who_does_not_answer_is_passed_over_and_asked_last_for_a_while() {
    let (_silent, silent) = upstream("silent");
    let (_refusing, refusing) = upstream("refusing");
    let (_good, good) = upstream("good");
    let upstreams = [free_port(), silent, refusing, good];
    let relay = Relay::start(&upstreams, &["--timeout", "700"]);
    let begin = Instant::now();
    assert_eq!(relay.dig(&["a.example", "+short"]), "192.0.2.1\n");
    let took = begin.elapsed().as_secs_f64();
    assert!((0.7..3.0).contains(&took), "the silent one was waited for, and only it: {took}");
    let begin = Instant::now();
    for name in ["b.example", "c.example", "d.example"] {
        assert_eq!(relay.dig(&[name, "+short"]), "192.0.2.1\n");
    }
    assert!(begin.elapsed() < Duration::from_millis(700), "{:?}", begin.elapsed());
    let statistics = relay.end();
    for line in [
        format!(
            "upstream 127.0.0.1:{}: asked 1, answered 0, timed out 0, unreachable 1,",
            upstreams[0]
        ),
        format!("upstream 127.0.0.1:{silent}: asked 1, answered 0, timed out 1, unreachable 0,"),
        format!(
            "upstream 127.0.0.1:{refusing}: asked 1, answered 0, timed out 0, unreachable 0, refused 1,"
        ),
        format!("upstream 127.0.0.1:{good}: asked 4, answered 4, timed out 0,"),
    ] {
        assert!(statistics.contains(&line), "{line} is not in\n{statistics}");
    }
}

#[test]
fn what_does_not_answer_the_question_is_ignored() {
    let (_spoofed, port) = upstream("spoofed");
    let relay = Relay::start(&[port], &[]);
    assert_eq!(relay.dig(&["www.example.org", "+short"]), "192.0.2.1\n");
    let statistics = relay.end();
    // The stranger's was not even seen: the socket is connected.
    assert!(statistics.contains("asked 1, answered 1,"), "{statistics}");
    assert!(statistics.contains("strange 4,"), "{statistics}");
}

#[test]
fn when_nobody_answers_in_time_the_client_is_told() {
    let (_late, port) = upstream("late");
    let relay = Relay::start(&[port], &["--timeout", "300", "--rounds", "2"]);
    let begin = Instant::now();
    let answer = relay.dig(&["a.example"]);
    assert!(answer.contains("status: SERVFAIL"), "{answer}");
    assert!((0.6..5.0).contains(&begin.elapsed().as_secs_f64()), "{:?}", begin.elapsed());
    // The late answers come to ports that are closed.
    std::thread::sleep(Duration::from_secs(1));
    let statistics = relay.end();
    assert!(
        statistics.contains("asked 2, answered 0, timed out 2, unreachable 0,"),
        "{statistics}"
    );
    let (_refusing, port) = upstream("refusing");
    let relay = Relay::start(&[port], &[]);
    let answer = relay.dig(&["a.example"]);
    assert!(answer.contains("status: REFUSED"), "{answer}");
    relay.end();
}

#[test]
fn what_is_too_long_for_udp_comes_by_tcp() {
    let (mut server, port) = upstream("long");
    let relay = Relay::start(&[port], &[]);
    let short = relay.dig(&["a.example", "+ignore"]);
    assert!(short.contains("flags: qr tc rd ra;") && short.contains("ANSWER: 0"), "{short}");
    server.hear("asked by tcp a.example");
    // dig asks again by TCP, by itself.
    let whole = relay.dig(&["a.example", "+short"]);
    assert_eq!(whole.lines().filter(|line| line.starts_with("192.0.2.")).count(), 100, "{whole}");
    let whole = relay.dig(&["b.example", "+tcp", "+short"]);
    assert_eq!(whole.lines().count(), 100, "{whole}");
    let statistics = relay.end();
    assert!(statistics.contains("questions 4, by tcp 2, from cache 2,"), "{statistics}");
    assert!(statistics.contains("truncated 2"), "{statistics}");
}

#[test]
fn a_crowd_is_answered_and_the_same_question_is_asked_once() {
    let (_slow, port) = upstream("slow");
    let relay =
        Relay::start(&[port], &["--rate", "10000", "--in-flight", "300", "--timeout", "3000"]);
    let mut crowd = relay.python(
        "
class Client(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport, self.heard, self.done = transport, {}, asyncio.Event()
    def datagram_received(self, data, _):
        self.heard[struct.unpack('!H', data[:2])[0]] = code(data)
        if len(self.heard) == self.expected: self.done.set()
async def crowd(expected, names):
    loop = asyncio.get_running_loop()
    _, client = await loop.create_datagram_endpoint(Client, remote_addr=('127.0.0.1', PORT))
    client.expected = expected
    for number, name in enumerate(names):
        client.transport.sendto(ask(name, number))
        # No more than sockets have room for.
        if number % 20 == 0: await asyncio.sleep(0.002)
    await asyncio.wait_for(client.done.wait(), 15)
    return list(client.heard.values())
async def main():
    print('same', set(await crowd(200, ['same.example'] * 200)))
    codes = await crowd(400, [f'n{n}.example' for n in range(400)])
    good, bad = codes.count(0), codes.count(2)
    print('fits', good >= 300 and bad > 0 and good + bad == 400, good, bad)
asyncio.run(main())",
    );
    crowd.hear("same {0}");
    let line = crowd.hear("fits True");
    let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    let (good, bad) = (numbers[0], numbers[1]);
    let statistics = relay.end();
    let shared = format!("shared 199, failed {bad}, overloaded {bad},");
    assert!(statistics.contains(&shared), "{statistics}");
    assert!(statistics.contains(&format!("answered {},", good + 1)), "{statistics}");
}

#[test]
fn who_asks_too_much_is_not_heard_and_others_are() {
    let (_good, port) = upstream("good");
    let relay = Relay::start(&[port], &["--rate", "10"]);
    let mut clients = relay.python(
        "
loud, quiet = udp(), udp('127.0.0.2')
for number in range(200):
    loud.send(ask('a.example', number))
quiet.send(ask('a.example', 7))
print('quiet', code(quiet.recv(4096)))
loud.settimeout(0.3)
answers = 0
try:
    while loud.recv(4096): answers += 1
except TimeoutError: pass
print('loud', answers)",
    );
    clients.hear("quiet 0");
    let line = clients.hear("loud ");
    let answers: u32 = line.trim_start_matches("loud ").parse().expect("a number");
    assert!((50..80).contains(&answers), "{line}");
    relay.end();
}

#[test]
fn nonsense_is_refused_and_silence_ends() {
    let (_good, port) = upstream("good");
    let relay = Relay::start(&[port], &["--idle", "1", "--connections", "2"]);
    let axfr = relay.dig(&["example", "AXFR", "+tcp"]);
    assert!(axfr.contains("Transfer failed") || axfr.contains("NOTIMP"), "{axfr}");
    let mut python = relay.python(
        "
s = udp()
question = ask('a.example')
# An answer, too little of anything, and nothing at all: none of them is answered.
for said in [question[:2] + b'\\x81' + question[3:], b'\\1\\2\\3', b'']:
    s.send(said)
refused = [
    question[:5] + b'\\2' + question[6:] + question[12:], # two questions
    question[:5] + b'\\0' + question[6:12],               # none
    question[:2] + b'\\x28' + question[3:],               # an update
    question[:20],                                       # cut off
    b'\\1\\1\\1\\0' + b'\\xff' * 60,                         # noise
]
for said in refused:
    s.send(said)
    print('code', code(s.recv(4096)))
# Clients that do not wait for their answers.
for number in range(50):
    gone = udp()
    gone.send(ask('gone%d.example' % number))
    gone.close()
s.send(question)
print('still there', code(s.recv(4096)))
idle = [socket.create_connection(('127.0.0.1', PORT)) for _ in range(3)]
# The third is one too many, the others have said nothing for too long.
print('third', idle[2].recv(10))
print('first', idle[0].recv(10), idle[1].recv(10))
slow = socket.create_connection(('127.0.0.1', PORT))
for byte in struct.pack('!H', len(question)) + question:
    slow.send(bytes([byte]))
print('byte by byte', code(slow.recv(4096)[2:]))",
    );
    for code in ["code 1", "code 1", "code 4", "code 1", "code 1", "still there 0", "third b''"] {
        python.hear(code);
    }
    python.hear("first b'' b''");
    python.hear("byte by byte 0");
    python.end_well();
    let statistics = relay.end();
    assert!(statistics.contains("nonsense 9, dropped 0;"), "{statistics}");
}
