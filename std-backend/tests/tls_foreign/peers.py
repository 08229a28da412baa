"""What the other side does in the tests beside this file: asyncio and ssl, as they come with Python.

Usage: peers.py WHAT FOLDER [PORT]. FOLDER has root.pem, server.pem, server.key. A server prints its port
first; every peer prints "done" last.
"""

import asyncio
import ssl
import socket
import sys

what, folder, *rest = sys.argv[1:]
port = int(rest[0]) if rest else 0
client_context = ssl.create_default_context(cafile=f"{folder}/root.pem")
server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
server_context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")


def say(*words):
    print(*words, flush=True)


async def serve(handle, context):
    """Serves one connection."""
    over = asyncio.get_running_loop().create_future()

    async def handler(reader, writer):
        try:
            await handle(reader, writer)
            over.set_result(None)
        except BaseException as error:
            over.set_exception(error)

    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    say(server.sockets[0].getsockname()[1])
    await over
    server.close()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def starttls(reader, writer):
    assert await reader.readline() == b"STARTTLS\n"
    writer.write(b"go ahead\n")
    await writer.start_tls(server_context)
    await echo(reader, writer)


async def client(context):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost" if context else None
    )
    if context is None:
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(client_context, server_hostname="localhost")
    much = bytes(range(256)) * 4096
    writer.write(much)
    assert await reader.readexactly(len(much)) == much
    say(writer.get_extra_info("ssl_object").version())
    writer.close()
    await writer.wait_closed()


def connect():
    plain = socket.create_connection(("127.0.0.1", port))
    return client_context.wrap_socket(plain, server_hostname="localhost")


def unwrap():
    """Says goodbye, waits for the answer, and reads on in plain text."""
    connection = connect()
    connection.sendall(b"hello\n")
    assert connection.recv(6) == b"hello\n"
    plain = connection.unwrap()
    assert plain.recv(1) == b""


def vanish():
    """Ends the connection without a goodbye."""
    connection = connect()
    connection.sendall(b"hello\n")
    assert connection.recv(6) == b"hello\n"
    socket.socket(fileno=connection.detach()).close()


if what == "echo":
    asyncio.run(serve(echo, server_context))
elif what == "starttls":
    asyncio.run(serve(starttls, None))
elif what == "client":
    asyncio.run(client(client_context))
elif what == "starttls-client":
    asyncio.run(client(None))
else:
    {"unwrap": unwrap, "vanish": vanish}[what]()
say("done")
