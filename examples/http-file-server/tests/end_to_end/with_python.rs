//! Python's clients ask.

use crate::foreign::text_of;
use crate::running::Running;
use molen_foreign::program;

fn python(script: &str, server: &Running) -> String {
    let mut python = program("python3");
    python.arg("-c").arg(script);
    python.args([server.address.ip().to_string(), server.address.port().to_string()]);
    text_of(python.arg(server.folder.path()))
}

#[test]
fn http_client_keeps_its_connection_through_every_kind_of_answer() {
    let server = Running::start(&["--list"]);
    let script = r#"
import http.client, sys, email.utils
host, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
c = http.client.HTTPConnection(host, port, timeout=30)
c.connect()
sock = c.sock
def ask(method, path, **fields):
    c.request(method, path, headers={k.replace('_', '-'): v for k, v in fields.items()})
    r = c.getresponse()
    body = r.read()
    assert c.sock is sock, (method, path, 'the connection was closed')
    return r, body
for name in ['hello.txt', 'small.bin', 'large.bin', 'empty']:
    with open(f'{folder}/{name}', 'rb') as f: expected = f.read()
    r, body = ask('GET', f'/{name}')
    assert r.status == 200 and body == expected, name
    r, body = ask('HEAD', f'/{name}')
    assert r.status == 200 and body == b'' and int(r.headers['Content-Length']) == len(expected)
    assert email.utils.parsedate_to_datetime(r.headers['Date'])
    r, body = ask('GET', f'/{name}', If_None_Match=r.headers['ETag'])
    assert r.status == 304 and body == b''
    if expected:
        r, body = ask('GET', f'/{name}', Range='bytes=3-99999')
        assert r.status == 206 and body == expected[3:100000], name
        n = len(expected)
        assert r.headers['Content-Range'] == f'bytes 3-{min(n, 100000) - 1}/{n}'
for path, status in [('/missing', 404), ('/sub', 301), ('/..', 400), ('/', 200)]:
    assert ask('GET', path)[0].status == status, path
assert ask('OPTIONS', '*')[0].status == 204
assert ask('DELETE', '/hello.txt')[0].status == 405
print('kept')
"#;
    assert_eq!(python(script, &server), "kept\n");
}

#[test]
fn thousands_of_requests_of_asyncio_are_answered() {
    let server = Running::start(&["--quiet", "--max-connections", "64"]);
    // 50 connections of 100 requests, ten of them on their way at any time.
    let script = r#"
import asyncio, sys
host, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
files = {}
for name in ['hello.txt', 'small.bin', 'empty']:
    with open(f'{folder}/{name}', 'rb') as f: files[name] = f.read()
async def client(number):
    reader, writer = await asyncio.open_connection(host, port)
    names = [list(files)[(number + i) % 3] for i in range(100)]
    window = asyncio.Semaphore(10)
    async def ask():
        for name in names:
            await window.acquire()
            writer.write(f'GET /{name} HTTP/1.1\r\nHost: {host}\r\n\r\n'.encode())
            await writer.drain()
    asking = asyncio.create_task(ask())
    for name in names:
        head = await reader.readuntil(b'\r\n\r\n')
        assert head.startswith(b'HTTP/1.1 200 OK\r\n'), head
        length = int(head.lower().split(b'content-length: ')[1].split(b'\r\n')[0])
        assert await reader.readexactly(length) == files[name], (number, name)
        window.release()
    await asking
    writer.close()
    return len(names)
async def main():
    print(sum(await asyncio.gather(*(client(n) for n in range(50)))))
asyncio.run(main())
"#;
    assert_eq!(python(script, &server), "5000\n");
}
