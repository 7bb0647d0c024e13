"""What the ledger costs: seconds and memory of `verify` over ledgers of growing size, and of one freeze of 500 forecasts.

Run as `python benchmarks/ledger.py`. Each size is measured in a process of its own; the slope is that of log time over log
size between the smallest and the largest ledger (one is linear). Nothing is asserted: machines differ.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from foresaid.ledger import layout, store
from foresaid.ledger.entries.schema import Code, Entry, ForecastEntry, Quantiles
from foresaid.ledger.log import git_history, manifest
from foresaid.ledger.verify.verify import verify

ORIGIN = "example.org/lm-forecasts"
LEVELS = [f"0.{number:02d}" for number in range(4, 96, 4)]  # 23 levels, as the forecast hubs ask for
HEADER: dict[str, Any] = {
    "type": "batch/v1", "origin": ORIGIN, "author": "example.org/alice", "as_of": "2026-11-20", "frozen_at": "2026-11-21T02:00:00Z",
    "data": [], "code": {"git": None, "dirty": False, "version": "0.1.0"},
}  # fmt: skip
ROUND: dict[str, Any] = {
    "type": "round/v1", "id": "r", "deadline": "2026-12-01T00:00:00Z", "reveal_by": "2027-06-01T00:00:00Z", "revision": "first",
    "score": "wis", "reports": "all", "unit_of_count": "target", "universe": "every target/v1 line of round r",
}  # fmt: skip
TARGET: dict[str, Any] = {
    "type": "target/v1", "round": "r", "benchmark": "mmlu", "protocol": "accuracy", "unit": "fraction", "direction": "higher",
    "rule": {"kind": "next_release", "lines": [{"maker": "m", "line": "l", "tier": "t"}], "ordinal": 1},
    "min": "0", "max": "1", "chance": "0.25",
    "ceiling": None, "resolution": "0.0001", "resolver": "board", "fallbacks": [], "system": "default", "nearest_effort": False,
    "opens": "2026-11-21", "closes": "2027-06-01", "publish_within": 30, "void_if": [{"condition": "no_release", "on": None}],
    "known": "0" * 64, "levels": LEVELS, "same_items": [], "stated": [],
}  # fmt: skip
METHODS = 20  # forecasts of one target


def lines(forecasts: int, per_batch: int) -> Iterator[list[dict[str, Any]]]:
    """The lines of each batch: first the round and its targets, then forecasts."""
    targets = [{**TARGET, "id": f"t/{number:05d}", "protocol": f"set {number}"} for number in range(-(-forecasts // METHODS))]
    for start in range(0, len(targets), 5000):
        yield [*([ROUND] if start == 0 else []), *targets[start : start + 5000]]
    for start in range(0, forecasts, per_batch):
        yield [
            {
                "type": "forecast/v1", "id": f"r/t/{n // METHODS:05d}/m-{n % METHODS}", "target": f"t/{n // METHODS:05d}",
                "method": f"m-{n % METHODS}", "primary": n % METHODS == 0,
                "prediction": {"kind": "quantiles", "levels": LEVELS, "values": [f"0.{i:02d}{n:06d}" for i in range(10, 33)]},
            }
            for n in range(start, min(start + per_batch, forecasts))
        ]  # fmt: skip


def build(folder: Path, forecasts: int, per_batch: int) -> None:
    """Write a sound ledger without the checks of a writer, which would read it anew for each batch."""
    names: list[str] = []
    for batch in lines(forecasts, per_batch):
        header = {**HEADER, "parents": names[-1:], "n": len(batch)}
        text = "".join(json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n" for line in [header, *batch])
        names.append(sha256(text.encode()).hexdigest())
        path = folder / layout.batch_path(names[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    (folder / "log").mkdir(parents=True, exist_ok=True)
    (folder / layout.MANIFEST).write_bytes(b"".join(map(manifest.manifest_line, names)))
    (folder / layout.CHECKPOINT).write_bytes(manifest.Checkpoint(ORIGIN, len(names), manifest.root(names)).encode())


def check(folder: Path) -> None:
    """Verify, and print seconds and the peak of memory in MiB."""
    start, worked = time.perf_counter(), time.process_time()
    result = verify(folder)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"exit": result.exit_code(), "seconds": round(seconds, 2), "processor": round(worked, 2), "MiB": round(peak)}))


def measure(forecasts: int, per_batch: int) -> dict[str, float]:
    """Build a ledger and verify it in a fresh process."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "ledger"
        build(folder, forecasts, per_batch)
        done = subprocess.run([sys.executable, __file__, "check", str(folder)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    if found["exit"] != 0:  # an unlawful ledger stops early, and its seconds are those of nothing
        raise SystemExit(f"benchmark: verify of the generated ledger left with {found['exit']:g}, expected 0")
    return found


def history(checkpoints: int) -> dict[str, float]:
    """Read the git history of so many checkpoints, each a commit that adds a line to the manifest, in a fresh process."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, grown = Path(temporary), b""
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
        with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            for n in range(checkpoints):
                grown += manifest.manifest_line(f"{n:064x}")
                head = f"commit refs/heads/main\ncommitter t <t@example.org> {n} +0000\ndata 0\n".encode()
                process.stdin.write(head + b"M 100644 inline log/MANIFEST\ndata %d\n" % len(grown) + grown + b"\n")
        subprocess.run(["git", "reset", "-q", "--hard", "main"], cwd=folder, check=True)
        done = subprocess.run([sys.executable, __file__, "history", str(folder)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def check_history(folder: Path) -> None:
    """Read it, and print seconds of the processor and the peaks of memory of this process and of git, in MiB."""
    found = git_history.read(folder)
    own, of_git = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    worked = sum(item.ru_utime + item.ru_stime for item in (own, of_git))
    peaks = {"MiB": round(own.ru_maxrss / 1024), "git": round(of_git.ru_maxrss / 1024)}
    print(json.dumps({"rewritten": len(found.rewritten) if found else -1, "processor": round(worked, 2), **peaks}))


def freeze(forecasts: int = 500) -> float:
    """Seconds of one freeze of so many forecasts, all checks and flushes to disk included."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "ledger"
        build(folder, METHODS, METHODS)
        new: list[Entry] = [
            ForecastEntry(
                id=f"r/t/00000/n-{n}", target="t/00000", method=f"n-{n}", primary=False,
                prediction=Quantiles(levels=LEVELS, values=[f"0.{i:02d}" for i in range(10, 33)]),
            )
            for n in range(100, 100 + forecasts)
        ]  # fmt: skip
        start = time.perf_counter()
        store.write_batch(
            folder, new, origin=ORIGIN, author="example.org/alice", as_of=date(2026, 11, 20),
            frozen_at=datetime(2026, 11, 21, 3, tzinfo=UTC), data=[], code=Code(git=None, dirty=False, version="0.1.0"),
        )  # fmt: skip
        return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    print(f"{os.cpu_count()} processors; forecasts of {len(LEVELS)} quantiles")
    print(f"freeze of 500 forecasts: {freeze():.2f} s")
    rows = {}
    for forecasts, per_batch in ((1_000, 500), (10_000, 500), (100_000, 500), (100_000, 100), (100_000, 10)):
        rows[forecasts, per_batch] = found = measure(forecasts, per_batch)
        batches = forecasts // per_batch
        print(
            f"verify {forecasts:>7,} forecasts in {batches:>6,} batches: {found['seconds']:6.2f} s "
            f"({found['processor']:.2f} s of processor) {found['MiB']:5.0f} MiB"
        )
    read = history(4_000)
    worked = f"{read['processor']:.2f} s of processor, {read['MiB']:.0f} MiB and git's {read['git']:.0f}"
    print(f"git history of 4,000 checkpoints: {worked}")
    slope = math.log10(rows[100_000, 500]["processor"] / rows[10_000, 500]["processor"])
    print(f"slope of log processor time over log size, 10,000 to 100,000 forecasts: {slope:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["history"]:
        check_history(Path(sys.argv[2]))
    else:
        main()
