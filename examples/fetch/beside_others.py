#!/usr/bin/env python3
"""The fetcher beside curl --parallel, asyncio's streams and aiohttp: CPU time and time of a job.

    cargo build --release -p molen-example-fetch
    python3 examples/fetch/beside_others.py target/release/fetch

Needs nginx and curl; aiohttp is left out if this Python has none. All do each job in turns, three
rounds. Printed is the round with the least CPU time.
"""

import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
# File, its length, how often, how many at once.
JOBS = [("1k", 1_000, 5_000, 50), ("10m", 10_000_000, 40, 4)]

ASYNCIO = r"""
import asyncio, sys
from urllib.parse import urlsplit
async def work(urls):
    kept = {}
    while urls:
        url = urlsplit(urls.pop())
        key = (url.hostname, url.port)
        if key not in kept:
            kept[key] = await asyncio.open_connection(*key)
        reader, writer = kept[key]
        writer.write(f'GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n'.encode())
        head = await reader.readuntil(b'\r\n\r\n')
        left = int(head.lower().split(b'content-length: ')[1].split(b'\r\n')[0])
        while left:
            left -= len(await reader.read(min(left, 65536)))
async def main(urls, at_once):
    await asyncio.gather(*(work(urls) for _ in range(at_once)))
asyncio.run(main(open(sys.argv[1]).read().split(), int(sys.argv[2])))
"""

AIOHTTP = r"""
import aiohttp, asyncio, sys
async def main(urls, at_once):
    permits = asyncio.Semaphore(at_once)
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:
        async def get(url):
            async with permits, session.get(url) as response:
                assert response.status == 200
                async for _ in response.content.iter_chunked(65536):
                    pass
        await asyncio.gather(*map(get, urls))
asyncio.run(main(open(sys.argv[1]).read().split(), int(sys.argv[2])))
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, length, count, _ in JOBS:
            with open(f"{folder}/{name}", "wb") as file:
                file.write(os.urandom(length))
            url = f"http://127.0.0.1:9802/{name}"
            with open(f"{folder}/{name}.urls", "w") as file:
                file.write(f"{url}\n" * count)
            with open(f"{folder}/{name}.curl", "w") as file:
                file.write(f'url = "{url}"\noutput = "/dev/null"\n' * count)
        with open(f"{folder}/nginx.conf", "w") as file:
            file.write(f"""
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
error_log stderr; events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; keepalive_requests 100000000;
  server {{ listen 127.0.0.1:9802; root {folder}; }} }}
""")
        fetch = os.path.abspath(sys.argv[1])
        programs = {
            "molen": lambda f, n: [fetch, "-q", "-c", n, "--per-host", n, "--from", f"{f}.urls"],
            "curl": lambda f, n: [
                "curl", "-q", "-s", "--parallel", "--parallel-max", n, "-K", f"{f}.curl"
            ],
            "asyncio": lambda f, n: [sys.executable, "-c", ASYNCIO, f"{f}.urls", n],
        }
        if importlib.util.find_spec("aiohttp"):
            programs["aiohttp"] = lambda f, n: [sys.executable, "-c", AIOHTTP, f"{f}.urls", n]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        nginx = subprocess.Popen(
            ["nginx", "-c", f"{folder}/nginx.conf", "-e", "stderr"], **quiet
        )
        time.sleep(1)
        found = {}
        try:
            for _ in range(ROUNDS):
                for name, _, _, at_once in JOBS:
                    for program, command in programs.items():
                        before = resource.getrusage(resource.RUSAGE_CHILDREN)
                        began = time.monotonic()
                        subprocess.run(command(f"{folder}/{name}", str(at_once)), check=True, **quiet)
                        took = time.monotonic() - began
                        after = resource.getrusage(resource.RUSAGE_CHILDREN)
                        used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
                        found.setdefault((name, program), []).append((used, took))
        finally:
            nginx.terminate()
            nginx.wait()
    for (name, program), rounds in found.items():
        used, took = min(rounds)
        print(f"{name:>3} {program:8} {used:6.3f} s of CPU, {took:6.3f} s")


main()
