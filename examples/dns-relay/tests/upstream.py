"""A server of DNS for tests, in the hands of asyncio. Its argument says how it
behaves; it prints its port, and what it is asked."""

import asyncio
import random
import socket
import struct
import sys

BEHAVIOUR = sys.argv[1]


def parse(asked):
    labels, at = [], 12
    while asked[at]:
        labels.append(asked[at + 1 : at + 1 + asked[at]].decode())
        at += 1 + asked[at]
    return ".".join(labels), asked[12 : at + 5]


def answer(asked, addresses, ttl=60, code=0, truncated=0, number=None, question=None, authority=b""):
    number = asked[:2] if number is None else number
    question = parse(asked)[1] if question is None else question
    flags = 0x8180 | code | truncated << 9
    counts = struct.pack("!HHHHH", flags, 1, len(addresses), bool(authority), 0)
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, ttl, 4) + socket.inet_aton(address)
        for address in addresses
    )
    return number + counts + question + records + authority


def soa(ttl):
    data = b"\x00\x00" + struct.pack("!IIIII", 1, 2, 3, 4, ttl)
    return b"\x00" + struct.pack("!HHIH", 6, 1, 3600, len(data)) + data


LONG = [f"192.0.2.{number}" for number in range(100)]


class Server(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        self.stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def datagram_received(self, asked, client):
        name, question = parse(asked)
        print("asked", name)

        def say(message):
            self.transport.sendto(message, client)

        def later(seconds):
            asyncio.get_running_loop().call_later(seconds, say, answer(asked, ["192.0.2.1"]))

        match BEHAVIOUR:
            case "good" if name.startswith("none"):
                say(answer(asked, [], code=3, authority=soa(300)))
            case "good" if name.startswith("brief"):
                say(answer(asked, ["192.0.2.1"], ttl=2))
            case "good":
                say(answer(asked, ["192.0.2.1"]))
            case "silent":
                pass
            case "slow":
                later(0.4)
            case "late":
                later(1.0)
            case "refusing":
                say(answer(asked, [], code=5))
            case "long":
                say(answer(asked, LONG[:3], truncated=1))
            case "spoofed":
                wrong = struct.pack("!H", struct.unpack("!H", asked[:2])[0] ^ random.randint(1, 65535))
                other = question.replace(b"\x07example", b"\x07exemple")
                self.stranger.sendto(answer(asked, ["6.6.6.6"]), client)
                say(b"\xff" * 40)
                say(asked)
                say(answer(asked, ["6.6.6.6"], number=wrong))
                say(answer(asked, ["6.6.6.6"], question=other))
                say(answer(asked, ["192.0.2.1"]))


async def by_tcp(reader, writer):
    length = struct.unpack("!H", await reader.readexactly(2))[0]
    asked = await reader.readexactly(length)
    print("asked by tcp", parse(asked)[0])
    said = answer(asked, LONG)
    writer.write(struct.pack("!H", len(said)) + said)
    await reader.read()
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    while True:
        server = await asyncio.start_server(by_tcp, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        try:
            await loop.create_datagram_endpoint(Server, local_addr=address)
            break
        except OSError:
            server.close()
    print("port", address[1])
    await server.serve_forever()


asyncio.run(main())
