#!/usr/bin/env python3
"""The file server beside nginx and Python's http.server: CPU time and rate of a request.

    cargo build --release -p molen-example-http-file-server
    python3 examples/http-file-server/beside_others.py target/release/http-file-server

Needs nginx, wrk and openssl. Servers have one process each; all are asked in turns, three rounds.
Printed are the best round's CPU time of the server for a request, and that round's rate.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

SECONDS = 2
ROUNDS = 3
FILES = {"1k": 1_000, "60k": 60_000, "10m": 10_000_000}
# Scheme, file, connections.
CASES = [
    ("http", "1k", 1),
    ("http", "1k", 50),
    ("http", "60k", 50),
    ("http", "10m", 4),
    ("https", "1k", 50),
    ("https", "10m", 4),
]


def prepare(folder):
    for name, length in FILES.items():
        with open(f"{folder}/www/{name}", "wb") as file:
            file.write(os.urandom(length))
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext basicConstraints=CA:FALSE -keyout key.pem -out cert.pem",
        shell=True, cwd=folder, check=True, stderr=subprocess.DEVNULL,
    )
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(f"""
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
error_log stderr; events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  server {{ listen 127.0.0.1:9802; listen 127.0.0.1:9812 ssl; root {folder}/www;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; }} }}
""")


def start(ours, folder):
    tls = ["--tls-cert", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem"]
    commands = {
        ("molen", 9801): [ours, "-q", "-l", "127.0.0.1:9801", f"{folder}/www"],
        ("molen", 9811): [ours, "-q", "-l", "127.0.0.1:9811", *tls, f"{folder}/www"],
        ("nginx", 9802): ["nginx", "-c", f"{folder}/nginx.conf", "-e", "stderr"],
        ("http.server", 9803): [
            sys.executable, "-m", "http.server", "--bind", "127.0.0.1",
            "--protocol", "HTTP/1.1", "-d", f"{folder}/www", "9803",
        ],
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = {key: subprocess.Popen(command, **quiet) for key, command in commands.items()}
    started["nginx", 9812] = started["nginx", 9802]
    time.sleep(1.5)
    return started


def cpu(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(process, url, connections):
    before = cpu(process)
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", url], capture_output=True, text=True
    ).stdout
    used = cpu(process) - before
    requests, seconds = re.search(r"(\d+) requests in ([\d.]+)s", said).groups()
    wrong = "Non-2xx" in said
    return (used / max(int(requests), 1) * 1e6, int(requests) / float(seconds), wrong)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/www")
        prepare(folder)
        started = start(os.path.abspath(sys.argv[1]), folder)
        found = {}
        try:
            for _ in range(ROUNDS):
                for scheme, name, connections in CASES:
                    for (server, port), process in started.items():
                        if (port // 10 == 981) == (scheme == "https"):
                            url = f"{scheme}://127.0.0.1:{port}/{name}"
                            key = (scheme, name, connections, server)
                            found.setdefault(key, []).append(measure(process, url, connections))
        finally:
            for process in started.values():
                process.terminate()
    for (scheme, name, connections, server), rounds in found.items():
        used, rate, wrong = min(rounds)
        print(
            f"{scheme:5} {name:>3} x{connections:<3} {server:12} {used:8.1f} us {rate:8.0f} /s"
            f"{'  WRONG ANSWERS' if wrong else ''}"
        )


main()
