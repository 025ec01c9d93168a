#!/usr/bin/env python3
"""Counts the instructions of the pure code, and compares them with baseline.txt.

    benches/instructions/run.py [--save]

Needs Python 3, cargo, valgrind and gungraun-runner, on Linux. The runner is looked for in PATH and where .ci/run puts
it: target/tools/bin, or $FANFARE_TOOLS/bin.

Fails when a count differs from the baseline by more than 3 %, more or less, when a benchmark is new or gone, and when
publishing costs more with more subscribers. `--save` renews the baseline; a change of more than 3 % is explained in
the commit that does so. What another compiler makes of the code, or another C library of a copy, is no change of ours:
then the counts are shown, and not compared.

The profiles stay in target/instructions/gungraun, for callgrind_annotate.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
# Not in `target/release`: its crates are others, in other versions.
TARGET = os.path.abspath(os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "instructions"))
TOOLS = os.path.abspath(os.path.join(os.environ.get("FANFARE_TOOLS", os.path.join(ROOT, "target", "tools")), "bin"))
BENCHMARKS = os.path.join(TARGET, "release", "fanfare-instructions")
PROFILES = os.path.join(TARGET, "gungraun")
BASELINE = os.path.join(HERE, "baseline.txt")
HEAD = """\
# Instructions of the pure code, and what was counted. benches/instructions/run.py compares with this, and renews it
# with --save. A change of more than 3 % is explained in the commit that renews it.
"""
COUNTED_WITH = "# Counted with "
CHANGE_MAX = 0.03
# What must cost the same, whatever it is given; and how nearly.
INDEPENDENT = "channel::publish"
DIFFERENCE_MAX = 0.01


def output(*command):
    return subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def runner_folder():
    """Where the runner is that the benchmarks talk to: none but that of their own version."""
    with open(os.path.join(HERE, "Cargo.toml")) as file:
        version = re.search(r'^gungraun = "=(.*)"$', file.read(), re.MULTILINE)[1]
    for path in (None, TOOLS):
        runner = shutil.which("gungraun-runner", path=path)
        if runner and output(runner, "--version").split()[-1] == version:
            return os.path.dirname(os.path.abspath(runner))
    sys.exit(f"gungraun-runner {version} is missing: "
             f"cargo install --locked gungraun-runner --version {version} --root target/tools")


def toolchain():
    """All that decides on the counts beside the code."""
    libc = " ".join(platform.libc_ver())
    return ", ".join([output("rustc", "--version"), platform.machine(), libc, output("valgrind", "--version")])


def count(runner):
    """Runs the benchmarks: instructions by name, in their order."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "--locked", "--target-dir", TARGET], cwd=HERE, check=True)
    # With profiles of the time before, gungraun would make comparisons of its own.
    shutil.rmtree(PROFILES, ignore_errors=True)
    environment = {**os.environ, "PATH": runner + os.pathsep + os.environ["PATH"]}
    # Each line is the summary that `--save-summary` would put into a file; `--bench` is what cargo bench says.
    lines = subprocess.run([BENCHMARKS, "--bench", "--output-format=json", f"--home={PROFILES}"],
                           cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    counts = {}
    for summary in map(json.loads, lines.splitlines()):
        name = f"{summary['group']}::{summary['function_name']} {summary['id'].replace('_', ' ').strip()}"
        [profile] = summary["profiles"]
        counts[name] = profile["data"]["total"]["metrics"]["Ir"]["values"]["new"]
    return counts


def read_baseline():
    """What it was counted with, and the counts."""
    try:
        with open(BASELINE) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None, {}
    [counted_with] = [line.removeprefix(COUNTED_WITH) for line in lines if line.startswith(COUNTED_WITH)]
    rows = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return counted_with, {name: int(instructions.replace(",", "")) for instructions, name in rows}


def write_baseline(counted_with, counts):
    with open(BASELINE, "w") as file:
        file.write(f"{HEAD}{COUNTED_WITH}{counted_with}\n")
        file.writelines(f"{instructions:9,}  {name}\n" for name, instructions in counts.items())


def compare(baseline, counts):
    """Prints the table, and gives back what is wrong in it."""
    wrong = []
    print(f"{'baseline':>9} {'now':>9} {'change':>8}")
    for name in [*counts, *(name for name in baseline if name not in counts)]:
        old, new = baseline.get(name), counts.get(name)
        change = "" if None in (old, new) else f"{new / old - 1:+.1%}"
        columns = "new" if old is None else f"{old:,}", "gone" if new is None else f"{new:,}", change
        print("{:>9} {:>9} {:>8}  {}".format(*columns, name))
        if None in (old, new):
            wrong.append(f"{name}: {'new' if old is None else 'gone'}")
        elif abs(new / old - 1) > CHANGE_MAX:
            wrong.append(f"{name}: {change}")
    return wrong


def is_independent(counts):
    same = [instructions for name, instructions in counts.items() if name.startswith(INDEPENDENT + " ")]
    return len(same) > 1 and max(same) <= min(same) * (1 + DIFFERENCE_MAX)


def main():
    if sys.argv[1:] not in ([], ["--save"]):
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing: apt-get install valgrind")
    counts = count(runner_folder())
    counted_with, baseline = read_baseline()
    now_with = toolchain()
    wrong = compare(baseline, counts)
    if not is_independent(counts):
        sys.exit(f"{INDEPENDENT} depends on the number of subscribers")
    if sys.argv[1:] == ["--save"]:
        write_baseline(now_with, counts)
        print("the baseline is renewed: the commit explains what changed by more than 3 %")
    elif counted_with not in (None, now_with):
        print(f"not compared: the baseline was counted with {counted_with}; this with {now_with}")
    elif wrong:
        print("\n".join(["differs from the baseline:", *wrong]))
        sys.exit("explain it in the commit that renews the baseline: benches/instructions/run.py --save")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
