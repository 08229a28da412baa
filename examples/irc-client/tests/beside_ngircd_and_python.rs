//! The client with a server of IRC as they are, with one that is worse, with
//! Python's client, and at a terminal.
#![cfg(unix)]

use molen_foreign::certificates::issue;
use molen_foreign::{Running, free_port, program};
use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn irc(port: u16, nick: &str, arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_irc"));
    command.args([&format!("127.0.0.1:{port}"), "--nick", nick]).args(arguments);
    Running::start(command)
}

/// A real server.
struct Ngircd {
    port: u16,
    tls_port: u16,
    running: Running,
    /// Of its certificate, for `localhost`.
    root: String,
    _directory: TempDir,
}

impl Ngircd {
    fn start() -> Ngircd {
        let directory = tempfile::tempdir().expect("a directory");
        let (port, tls_port) = (free_port(), free_port());
        let file = directory.path().join("ngircd.conf");
        let certificates = issue(directory.path(), "DNS:localhost");
        let (certificate, key) = (certificates.certificate.display(), certificates.key.display());
        let config = format!(
            "[Global]\nName = irc.test\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\nMotdPhrase = hello\n\
             [Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\nMaxNickLength = 9\n\
             [Options]\nIdent = no\nDNS = no\nPAM = no\nSyslogFacility = user\n\
             [SSL]\nPorts = {tls_port}\nCertFile = {certificate}\nKeyFile = {key}\n"
        );
        fs::write(&file, config).expect("the file can be written");
        // A server that is root becomes somebody else, who must be able to read it.
        let mut open = Command::new("chmod");
        open.args(["-R", "a+rX"]).arg(directory.path());
        assert!(open.status().is_ok_and(|status| status.success()), "chmod fails");
        let mut command = program("ngircd");
        command.arg("--nodaemon").arg("--config").arg(file);
        let running = Running::start(command);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                running.fail("it does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let root = certificates.root.display().to_string();
        Ngircd { port, tls_port, running, root, _directory: directory }
    }
}

/// A client in Python without any library, which prints what it hears and does
/// what it is told.
fn raw(port: u16, nick: &str) -> Running {
    Running::python(&format!(
        "
import asyncio, os, sys
async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', {port})
    loop = asyncio.get_running_loop()
    def typed():
        line = os.read(0, 65536)
        writer.write(line.decode('unicode_escape').encode('latin-1').replace(b'\\n', b'\\r\\n'))
        if not line: loop.remove_reader(0)
    loop.add_reader(0, typed)
    writer.write(b'NICK {nick}\\r\\nUSER raw 0 * :raw\\r\\n')
    while line := await reader.readline():
        if line.startswith(b'PING'): writer.write(b'PONG ' + line[5:])
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
asyncio.run(main())"
    ))
}

#[test]
fn three_clients_of_two_kinds_talk_through_a_real_server() {
    let server = Ngircd::start();
    let mut ada = irc(server.port, "ada", &["--join", "#mill,#attic", "--rate", "1000"]);
    ada.hear("connected to irc.test as ada");
    ada.hear("ada joins #attic");
    let mut raw = raw(server.port, "raw");
    raw.hear(" 376 ");
    raw.say("JOIN #attic");
    raw.hear(" 366 ");
    ada.hear("* raw joins #attic");
    let mut second = irc(server.port, "ada", &["--join", "#attic", "--rate", "1000"]);
    second.hear("* ada Nickname already in use");
    second.hear("connected to irc.test as ada_");
    second.hear("* ada_ joins #attic");
    ada.hear("* ada_ joins #attic");

    ada.say("hello, all");
    second.hear("#attic <ada> hello, all");
    raw.hear("PRIVMSG #attic :hello, all");
    raw.say(r"PRIVMSG #attic :\x0304,02red\x03 \x02and\x02 \x1b[31mred");
    ada.hear("#attic <raw> red and [31mred");
    raw.say(r"PRIVMSG ada :\x01VERSION\x01\nPRIVMSG ada :psst");
    ada.hear("[raw] psst");
    ada.say("/me turns");
    second.hear("#attic * ada turns");
    ada.say("/msg ada_ between us");
    second.hear("[ada] between us");
    // Control characters would end the line, and begin another command.
    ada.say("one\rQUIT :two");
    raw.hear("PRIVMSG #attic :oneQUIT :two");

    // Longer than three lines of IRC, and nothing of it is lost.
    let long: Vec<String> = (0..250).map(|number| format!("wörd{number}")).collect();
    ada.say(&long.join(" "));
    ada.say("that was long");
    second.hear("that was long");
    let heard: Vec<String> = second
        .lines()
        .iter()
        .filter_map(|line| line.strip_prefix("#attic <ada> wörd").map(|text| format!("wörd{text}")))
        .collect();
    assert!(heard.len() > 3, "{heard:?}");
    assert_eq!(heard.join(" "), long.join(" "));

    second.say("/nick eve");
    ada.hear("* ada_ is now eve");
    ada.say("/part");
    raw.hear(":ada!~molen@127.0.0.1 PART #attic");
    ada.say("in the mill");
    ada.say("/topic #mill :grain");
    ada.hear("* ada sets the topic of #mill: grain");
    ada.say("/join #");
    ada.say("/raw LUSERS");
    // The end of the input is the end, after all that was said.
    second.say("the last word");
    second.close_input();
    second.end_well();
    raw.hear("PRIVMSG #attic :the last word");
    raw.hear(":eve!");
    ada.say("/quit ground");
    ada.end_well();
    assert!(!raw.lines().iter().any(|line| line.contains("VERSION")), "CTCP was answered");
}

#[test]
fn a_script_says_all_it_has_to_say_at_a_pace() {
    let server = Ngircd::start();
    let mut raw = raw(server.port, "raw");
    raw.hear(" 376 ");
    raw.say("JOIN #log");
    raw.hear(" 366 ");
    let mut script = irc(server.port, "script", &["--join", "#log", "--rate", "20", "--once"]);
    let begin = Instant::now();
    for number in 0..25 {
        script.say(&format!("line {number}"));
    }
    script.close_input();
    script.end_well();
    raw.hear("QUIT");
    // Five at once, and twenty a second.
    assert!(begin.elapsed() >= Duration::from_millis(950), "{:?}", begin.elapsed());
    let lines = raw.lines();
    let said: Vec<&str> = lines.iter().filter_map(|l| l.split("PRIVMSG #log :").nth(1)).collect();
    let expected: Vec<String> = (0..25).map(|number| format!("line {number}")).collect();
    assert_eq!(said, expected);
}

#[test]
fn with_tls_it_speaks_to_the_right_server_and_to_no_other() {
    let mut server = Ngircd::start();
    let mut raw = raw(server.port, "raw");
    raw.hear(" 376 ");
    raw.say("JOIN #safe");
    raw.hear(" 366 ");
    let tls = |host: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_irc"));
        command.arg(format!("{host}:{}", server.tls_port));
        command.args(["--tls", "--nick", "ada", "--join", "#safe", "--once"]).args(more);
        Running::start(command)
    };
    let mut ada = tls("localhost", &["--ca", &server.root]);
    ada.hear("connected to irc.test as ada");
    ada.say("in private");
    raw.hear("PRIVMSG #safe :in private");
    raw.say("PRIVMSG #safe :so it is");
    ada.hear("#safe <raw> so it is");
    ada.close_input();
    ada.end_well();
    raw.hear("QUIT");
    // Nobody whom the system trusts knows this server, and it has another name.
    for (host, more) in [("localhost", &[][..]), ("127.0.0.1", &["--ca", &server.root])] {
        let mut ada = tls(host, more);
        let line = ada.hear("cannot connect to ");
        assert!(line.contains("certificate"), "{line}");
        assert_eq!(ada.end().code(), Some(1));
    }
    assert!(server.running.runs());
}

/// A server in Python whose every connection does what `script` says, with
/// `number`, counted from 1, `hear` and `say`.
fn server(script: &str) -> (Running, u16) {
    let mut running = Running::python(&format!(
        "
import asyncio
number = 0
async def client(reader, writer):
    global number
    number += 1
    mine = number
    print('connection', mine, asyncio.get_running_loop().time())
    async def hear(what):
        while line := await reader.readline():
            print('heard', mine, line.decode().strip())
            if line.startswith(b'PING') and mine > 3: say(b':s PONG s ' + line[4:].strip())
            if line.startswith(what): return line
        print('gone', mine)
        raise EOFError
    def say(*lines):
        for line in lines: writer.write(line + b'\\r\\n')
    try:
        await serve(mine, hear, say, writer)
    except EOFError:
        pass
    writer.close()
{script}
async def main():
    server = await asyncio.start_server(client, '127.0.0.1', 0)
    print('port', server.sockets[0].getsockname()[1])
    await server.serve_forever()
asyncio.run(main())"
    ));
    let line = running.hear("port ");
    let port = line.trim_start_matches("port ").parse().expect("a port");
    (running, port)
}

#[test]
fn it_comes_back_whatever_the_server_does() {
    let (mut server, port) = server(
        "
async def serve(number, hear, say, writer):
    if number == 1: return                       # closes at once
    await hear(b'USER')
    if number == 2: await hear(b'nothing')       # never welcomes
    # Byte by byte, and asks first.
    for byte in b'PING :abc\\r\\n':
        writer.write(bytes([byte]))
        await asyncio.sleep(0.001)
    await hear(b'PONG :abc')
    say(b':s 001 ada :hi', b':s 422 ada :no message')
    await hear(b'JOIN #x')
    say(b':ada!a@h JOIN #x')
    if number == 3: await hear(b'nothing')       # never answers again
    if number == 4:
        await hear(b'PRIVMSG')
        say(b'ERROR :going down')
        return
    await hear(b'PART')
    say(b':ada!a@h PART #x')
    await hear(b'QUIT')
    print('well')",
    );
    let mut ada =
        irc(port, "ada", &["--join", "#x", "--timeout", "0.6", "--ping", "0.2", "--delay", "0.1"]);
    // Closed, or reset because it had not read what was sent.
    ada.hear("* the server ");
    ada.hear("* connecting again in 0.1 s");
    ada.hear("* no answer from the server for 0.6 s");
    ada.hear("* connecting again in 0.2 s");
    ada.hear("ada joins #x");
    ada.hear("* no answer from the server for 0.6 s");
    // It was well for a while, so it begins again with the first delay.
    ada.hear("* connecting again in 0.1 s");
    ada.hear("ada joins #x");
    ada.say("hello");
    ada.hear("* the server says: going down");
    ada.hear("* connecting again in 0.1 s");
    ada.hear("ada joins #x");
    server.hear("heard 5 PING");
    // The answer is on its way; the next question comes after it.
    server.hear("heard 5 PING");
    ada.say("/lag");
    ada.hear("* the server took ");
    ada.say("/part");
    ada.hear("* ada leaves #x");
    ada.say("nobody hears this");
    ada.hear("* you are in no channel");
    ada.say("/quit");
    ada.end_well();
    server.hear("well");
}

#[test]
fn who_is_refused_does_not_try_again() {
    let (_server, port) = server(
        "
async def serve(number, hear, say, writer):
    await hear(b'PASS wrong')
    say(b':s 464 ada :Bad password')
    await hear(b'nothing')",
    );
    let mut ada = Command::new(env!("CARGO_BIN_EXE_irc"));
    // In the environment nobody else sees it.
    ada.arg(format!("127.0.0.1:{port}")).args(["--nick", "ada"]).env("IRC_PASSWORD", "wrong");
    let mut ada = Running::start(ada);
    ada.hear("* refused: Bad password");
    assert_eq!(ada.end().code(), Some(1));
    let mut ada = irc(free_port(), "ada", &["--once"]);
    ada.hear("* cannot connect to 127.0.0.1:");
    assert_eq!(ada.end().code(), Some(1));
}

#[test]
fn what_is_no_address_is_not_tried_again() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_irc"));
    command.args(["localhost:70000", "--nick", "ada"]);
    let mut ada = Running::start(command);
    ada.hear("* cannot connect to \"localhost:70000\": it is not of the form host:port");
    assert_eq!(ada.end().code(), Some(1));
}

#[test]
fn a_server_that_never_said_a_word_is_left_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mut ada = irc(port, "ada", &[]);
    let (mut peer, _) = silent.accept().expect("a connection");
    let mut registration = [0; 10];
    peer.read_exact(&mut registration).expect("its name");
    let asked = Instant::now();
    ada.signal("TERM");
    assert_eq!(ada.end().code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(4), "after {:?}", asked.elapsed());
}

#[test]
fn it_is_used_at_a_terminal_and_ctrl_c_says_goodbye() {
    let server = Ngircd::start();
    let mut raw = raw(server.port, "raw");
    raw.hear(" 376 ");
    raw.say("JOIN #tty");
    raw.hear(" 366 ");
    let program = env!("CARGO_BIN_EXE_irc");
    let port = server.port;
    let mut terminal = Running::python(&format!(
        "
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv({program:?}, ['irc', '127.0.0.1:{port}', '--nick', 'tty', '--join', '#tty'])
while True:
    ready, _, _ = select.select([0, fd], [], [])
    if 0 in ready:
        os.write(fd, os.read(0, 4096).replace(b'CTRL-C\\n', b'\\x03'))
    if fd in ready:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        os.write(1, data)
print('code', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    ));
    terminal.hear("tty joins #tty");
    terminal.say("typed");
    raw.hear("PRIVMSG #tty :typed");
    raw.say("PRIVMSG #tty :seen");
    terminal.hear("#tty <raw> seen");
    terminal.say("CTRL-C");
    raw.hear(":tty!~molen@127.0.0.1 QUIT");
    terminal.hear("code 0");
}
