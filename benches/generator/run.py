#!/usr/bin/env python3
"""What `fanfare bench` itself costs, beside a load generator on tokio-tungstenite, and who is full first.

    cargo build --release && benches/generator/run.py [ROUNDS] [--other COMMAND]

Needs Python 3, cargo and two processors, on Linux. The server has one of them, the generator the other. Each round
runs one generator after the other: the same connections to the same server, one of which sends messages of 64 bytes
at the same rate. CPU time is read from /proc by this script, for both in the same way, over the time in which they
count: without start, handshakes and goodbyes. What each says of itself stands below it. The other generator looks at
the length of a message and the time in it; ours at content, order and duplicates as well.

`--other` adds a third: `{url}`, `{connections}`, `{rate}` and `{seconds}` in COMMAND are filled in. Of it nothing is
known but the CPU time of its whole life, handshakes included, which is set beside the same of ours.
"""

import json
import os
import resource
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
FANFARE = os.path.join(TARGET, "release", "fanfare")
# Not in `target/release`: its crates are others, in other versions.
TUNGSTENITE = os.path.join(TARGET, "generator", "release", "fanfare-generator")
SECONDS = 5
# Receivers, and messages a second that leave the server well below what it can do.
RATES = [(1000, 100), (15000, 5)]
# Receivers, and messages in flight: so many that the server need not wait. With 64 it writes many at once.
WINDOWS = [(1000, 8), (1000, 64), (15000, 8), (15000, 64)]
# Up to this share of the server's CPU time the generator has room when the server has none.
ROOM = 0.9
# From this share of the time in which it could have run on, a process is full.
FULL = 0.9
SAMPLE_SECONDS = 0.02
PROCESSORS = sorted(os.sched_getaffinity(0))
DESCRIPTORS_RESERVED = 100


def cpu(pid):
    """Seconds that all threads of a process have run, and seconds that they waited for a processor to run on."""
    ran = waited = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as file:
            fields = file.read().split()
            ran, waited = ran + int(fields[0]) / 1e9, waited + int(fields[1]) / 1e9
    return ran, waited


def start(command, processor, output):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL,
                            preexec_fn=lambda: os.sched_setaffinity(0, {processor}))


def start_server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = start([FANFARE, "--port", str(port), "-q"], PROCESSORS[0], subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
            return server, f"ws://127.0.0.1:{port}/"
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("the server does not listen")


def between(samples, pid, moment):
    """What a process had used at a moment, from the samples around it."""
    before, after = next(
        ((one, two) for one, two in zip(samples, samples[1:]) if two[0] >= moment), (samples[-2], samples[-1]))
    part = (moment - before[0]) / (after[0] - before[0])
    return [old + (new - old) * part for old, new in zip(before[1][pid], after[1][pid])]


def measure(arguments):
    """Runs one generator against a server of its own. `{url}` and `{pid}` in its arguments are filled in."""
    server, url = start_server()
    try:
        with tempfile.TemporaryFile("w+") as output:
            command = [argument.format(url=url, pid=server.pid) for argument in arguments]
            began = time.monotonic()
            generator = start(command, PROCESSORS[-1], output)
            pids, samples = (server.pid, generator.pid), []
            while os.waitid(os.P_PID, generator.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                try:
                    samples.append((time.monotonic() - began, {pid: cpu(pid) for pid in pids}))
                except (FileNotFoundError, ProcessLookupError, IndexError):
                    pass  # it has just ended
                time.sleep(SAMPLE_SECONDS)
            _, status, usage = os.wait4(generator.pid, 0)
            generator.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            text = output.read()
    finally:
        server.terminate()
        server.wait()
    whole = usage.ru_utime + usage.ru_stime
    if not text.startswith("{"):
        return {"status": generator.returncode, "whole": whole}
    said = json.loads(text.splitlines()[0])
    measured = said.get("series", said)
    # Without the edges: the clocks of the two programs and of this one differ by a few milliseconds.
    begin, end = measured["measured_from"] + 0.1, measured["measured_to"] - 0.1
    used = {pid: [new - old for old, new in zip(between(samples, pid, begin), between(samples, pid, end))]
            for pid in pids}
    deliveries = said.get("deliveries", said)
    share = 1 / (end - begin)
    return {
        "received": deliveries["received"], "lost": deliveries["expected"] - deliveries["received"], "whole": whole,
        "per message": used[generator.pid][0] * said["seconds"] * share / deliveries["received"] * 1e6,
        "said": said["generator"]["cpu_share"] * said["seconds"] / deliveries["received"] * 1e6
        if "generator" in said else said["cpu_us_per_received"],
        "generator": used[generator.pid][0] * share, "server": used[server.pid][0] * share,
        "server waits": used[server.pid][1] * share,
        "p50": said["latency_ms"]["p50"], "p99": said["latency_ms"]["p99"],
        "bottleneck": said.get("generator", {}).get("bottleneck", False),
    }


def beside(connections, rate, rounds, other):
    """Both generators in turn."""
    common = ["--connections", str(connections), "--rate", str(rate)]
    ours_command = [FANFARE, "bench", "{url}", *common, "--duration", f"{SECONDS}s", "--json"]
    theirs_command = [TUNGSTENITE, "--url", "{url}", *common, "--duration", str(SECONDS)]
    pairs, wholes = [], []
    for _ in range(rounds):
        pairs.append((measure(ours_command), measure(theirs_command)))
        if other:
            fill = {"connections": connections, "rate": rate, "seconds": SECONDS, "url": "{url}"}
            wholes.append((pairs[-1][0], measure([part.format(**fill) for part in shlex.split(other)])))
    print(f"\n{connections:,} receivers, {rate} messages a second, {rounds} rounds"
          "   fanfare bench : tokio-tungstenite   (median of the ratios, least to greatest)")
    lost = [sum(pair[side]["lost"] for pair in pairs) for side in (0, 1)]
    if any(lost):
        print(f"  did not arrive: {lost[0]} : {lost[1]} deliveries")
    for figure, key, digits in [("CPU per message received, µs", "per message", 2),
                                ("  the same, as each says itself", "said", 2),
                                ("generator's share of a processor", "generator", 3),
                                ("server's share meanwhile", "server", 3),
                                ("CPU of its whole life, s", "whole", 2),
                                ("latency p50 that it reports, ms", "p50", 2),
                                ("latency p99 that it reports, ms", "p99", 2)]:
        row(figure, [(ours[key], theirs[key]) for ours, theirs in pairs], digits)
    if other:
        row("--other: CPU of its whole life, s", [(ours["whole"], theirs["whole"]) for ours, theirs in wholes], 2)


def row(figure, values, digits):
    ratios = [ours / theirs for ours, theirs in values if theirs]
    ours, theirs = (statistics.median(pair[side] for pair in values) for side in (0, 1))
    ratio = f"{statistics.median(ratios):.2f}   ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else "none"
    print(f"  {figure:34} {ours:9.{digits}f} : {theirs:9.{digits}f}   ratio {ratio}")


def fill(connections, window, rounds):
    """A closed loop whose window keeps the server at work: who is full first?"""
    command = [FANFARE, "bench", "{url}", "--connections", str(connections), "--window", str(window),
               "--duration", f"{SECONDS}s", "--json"]
    runs = [measure(command) for _ in range(rounds)]
    middle = {key: statistics.median(run[key] for run in runs)
              for key in ("server", "server waits", "generator", "received")}
    ratio = statistics.median(run["generator"] / run["server"] for run in runs)
    is_full = middle["server"] + middle["server waits"] >= FULL
    if ratio <= ROOM:
        verdict = "yes" if is_full else "yes, though it is not full"
    else:
        verdict = "both at once" if is_full and ratio <= 1 else "NO"
    warned = sum(run["bottleneck"] for run in runs)
    print(f"  {connections:6,} {window:7} {middle['received'] / SECONDS:14,.0f} {middle['server']:8.0%}"
          f" {middle['server waits']:8.0%} {middle['generator']:10.0%} {ratio:18.2f}"
          f"   server saturates first: {verdict}"
          + (f" (the generator warned in {warned} runs)" if warned else ""))


def main():
    arguments = sys.argv[1:]
    other = None
    if "--other" in arguments:
        at = arguments.index("--other")
        other = arguments[at + 1]
        del arguments[at:at + 2]
    rounds = int(arguments[0]) if arguments else 5
    if len(PROCESSORS) < 2:
        sys.exit("needs two processors, one for the server and one for the generator")
    subprocess.run(["cargo", "build", "--release", "--quiet", "--locked", "--manifest-path",
                    os.path.join(HERE, "Cargo.toml"), "--target-dir", os.path.join(TARGET, "generator")], check=True)
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_RESERVED
    for connections, rate in RATES:
        beside(min(connections, room), rate, rounds, other)
    print(f"\nfanfare bench in a closed loop, {rounds} rounds: shares of a processor, median"
          "\n  receivers window deliveries/s   server   waits*  generator   generator : server")
    for connections, window in WINDOWS:
        fill(min(connections, room), window, rounds)
    print("  * could have run, but other programs had its processor")


if __name__ == "__main__":
    main()
