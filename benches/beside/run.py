#!/usr/bin/env python3
"""fanfare beside a broadcaster in Node with the package `ws`: the same work, in turn, as ratios.

    cargo build --release && benches/beside/run.py [ROUNDS]

Needs Python 3, Node and npm, on Linux. Each round starts each server, opens 2,000 WebSockets, sends 100 messages
of 64 bytes one after the other, and waits until everybody has each. What counts is what the server's process
used, from /proc, and not the time of this client. Printed: the median over the rounds, fanfare : ws.
"""

import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FANFARE = os.path.join(HERE, "..", "..", "target", "release", "fanfare")
CONNECTIONS, MESSAGES, PAYLOAD = 2000, 100, 64
HANDSHAKE = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
# A masking key of zeros leaves the payload as it is.
MESSAGE = bytes([0x81, 0x80 | PAYLOAD, 0, 0, 0, 0]) + b"x" * PAYLOAD
DELIVERY = bytes([0x81, PAYLOAD]) + b"x" * PAYLOAD


def cpu(pid):
    """Seconds that all threads of a process have run, in user space and in the kernel."""
    seconds = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as file:
            seconds += int(file.read().split()[0]) / 1e9
    return seconds


def memory(pid):
    """Bytes that are the process's own."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("Anonymous:"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("the server does not listen")


def read_each(sockets, poll, wanted):
    """Reads `wanted` bytes from every socket."""
    left = {each.fileno(): wanted for each in sockets}
    by_number = {each.fileno(): each for each in sockets}
    while left:
        ready = poll.poll(10)
        if not ready:
            sys.exit(f"{len(left)} of {len(sockets)} wait in vain")
        for number, _ in ready:
            read = len(by_number[number].recv(65536))
            if read == 0:
                sys.exit("the server has closed")
            left[number] -= read
            if left[number] <= 0:
                del left[number]


def measure(command, port):
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        connect(port).close()
        time.sleep(0.3)
        idle_memory, before = memory(server.pid), cpu(server.pid)
        sockets, poll = [], select.epoll()
        for _ in range(CONNECTIONS):
            each = connect(port)
            each.sendall(HANDSHAKE)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += each.recv(4096)
            poll.register(each.fileno(), select.EPOLLIN)
            sockets.append(each)
        opened, held = cpu(server.pid), memory(server.pid)
        for _ in range(MESSAGES):
            sockets[0].sendall(MESSAGE)
            read_each(sockets, poll, len(DELIVERY))
        done = cpu(server.pid)
        poll.close()
        for each in sockets:
            each.close()
        return {
            "CPU per handshake, µs": (opened - before) / CONNECTIONS * 1e6,
            "CPU per delivery, µs": (done - opened) / CONNECTIONS / MESSAGES * 1e6,
            "memory per idle connection, bytes": (held - idle_memory) / CONNECTIONS,
        }
    finally:
        server.terminate()
        server.wait()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(HERE, "server.mjs"), folder)
        subprocess.run(["npm", "install", "--silent", "--no-save", "ws"], cwd=folder, check=True)
        results = []
        for _ in range(rounds):
            port = free_port()
            ours = measure([FANFARE, "--port", str(port), "-q"], port)
            port = free_port()
            theirs = measure(["node", os.path.join(folder, "server.mjs"), str(port)], port)
            results.append((ours, theirs))
    for figure in results[0][0]:
        ratios = [ours[figure] / theirs[figure] for ours, theirs in results]
        ours, theirs = (statistics.median(pair[side][figure] for pair in results) for side in (0, 1))
        print(f"{figure:36} {ours:9.2f} : {theirs:9.2f}   ratio {statistics.median(ratios):.3f}"
              f"   ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
