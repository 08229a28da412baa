"""A server that does what it is told by the path, and counts its connections.

It prints its port when it listens, and ends with its standard input. With two
arguments, a certificate and its key, it speaks TLS.
"""

import asyncio
import struct
import socket
import ssl
import sys

counts = {"connections": 0, "at once": 0, "most at once": 0}
asked = {}


def body_of(length):
    # It repeats itself, and making it byte by byte would hold up everybody.
    once = bytes((i * 7 + length) % 251 for i in range(251))
    return (once * (length // 251 + 1))[:length]


def answer(body, status="200 OK", *fields):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def redirect(location, status="302 Found"):
    return answer(b"moved", status, f"Location: {location}")


class Close(Exception):
    """The connection ends here."""


async def forever():
    await asyncio.sleep(3600)


async def act(path, host, reader, writer):
    name, _, argument = path.partition("?")[0].strip("/").partition("/")
    send = writer.write
    if name == "size":
        send(answer(body_of(int(argument))))
    elif name == "counts":
        send(answer(str(counts[argument.replace("%20", " ")]).encode()))
    elif name == "slowly":
        await asyncio.sleep(float(argument))
        send(answer(b"at last"))
    elif name == "chunked":
        send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one", b" and ", b"x" * 100_000):
            send(b"%x;a=b\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        send(b"0\r\nTrailer: yes\r\n\r\n")
    elif name == "until-end":
        send(b"HTTP/1.1 200 OK\r\n\r\n" + body_of(70_000))
        raise Close
    elif name == "old":
        send(b"HTTP/1.0 200 OK\nContent-Length: 3\n\nold")
        raise Close
    elif name == "interim":
        send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        send(answer(b"at last"))
    elif name == "interim-for-ever":
        while True:
            send(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
    elif name == "nothing":
        send(b"HTTP/1.1 204 No Content\r\n\r\n")
    elif name == "status":
        send(answer(b"not this", f"{argument} Whatever"))
    elif name == "silence":
        await forever()
    elif name == "stall":
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")
        await forever()
    elif name == "drip":
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            send(b".")
            await asyncio.sleep(0.05)
    elif name == "drip-head":
        send(b"HTTP/1.1 200 OK\r\nA: ")
        while True:
            send(b".")
            await asyncio.sleep(0.05)
    elif name == "close":
        raise Close
    elif name == "reset":
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")
        await writer.drain()
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        raise Close
    elif name == "short":
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")
        raise Close
    elif name == "short-chunk":
        send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf of")
        raise Close
    elif name == "no-last-chunk":
        send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        raise Close
    elif name == "half-head":
        send(b"HTTP/1.1 200 OK\r\nContent-Le")
        raise Close
    elif name == "garbage":
        send(bytes(range(256)) + b"\r\n\r\n")
    elif name == "huge-header":
        send(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 1_000_000 + b"\r\n\r\n")
    elif name == "many-headers":
        send(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000 + b"\r\n")
    elif name == "two-lengths":
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
    elif name == "flaky":
        # Fails in another way each time, and answers the fourth.
        times = asked[path] = asked.get(path, 0) + 1
        if times == 1:
            raise Close
        if times == 2:
            send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")
            raise Close
        send(answer(b"ready", "503 Later" if times == 3 else "200 OK"))
    elif name == "once":
        # Says that it goes on, and does not.
        send(answer(b"once"))
        raise Close
    elif name == "redirects":
        left = int(argument)
        send(redirect(f"/redirects/{left - 1}") if left else answer(b"arrived"))
    elif name == "circle":
        send(redirect({"a": "b", "b": "c", "c": "/circle/a"}[argument]))
    elif name == "relative":
        send(redirect("../size/./7#fragment", "301 Moved"))
    elif name == "see-other":
        send(redirect(f"//{host}/size/8", "303 See Other"))
    elif name == "by-name":
        send(redirect(f"http://localhost:{host.rpartition(':')[2]}/size/9", "308 Moved"))
    elif name == "to":
        send(redirect(argument.replace("!", "/")))
    elif name == "cut-off":
        # What ends with the connection ends without TLS's own end.
        send(b"HTTP/1.1 200 OK\r\n\r\nhalf of")
        await writer.drain()
        writer.transport.abort()
        raise Close
    elif name == "nowhere":
        send(answer(b"moved", "302 Found"))
    elif name == "away":
        send(redirect("file:///etc/passwd"))
    else:
        send(answer(b"what?", "404 Not Found"))


async def serve(reader, writer):
    counts["connections"] += 1
    counts["at once"] += 1
    counts["most at once"] = max(counts["most at once"], counts["at once"])
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *fields = head.split("\r\n")
            host = next(field[6:] for field in fields if field.lower().startswith("host: "))
            await act(line.split(" ")[1], host, reader, writer)
            await writer.drain()
    except (Close, asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        counts["at once"] -= 1
        writer.close()


async def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*sys.argv[1:3])
        context.set_alpn_protocols(["http/1.1"])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
