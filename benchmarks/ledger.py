"""How long checking a large ledger takes, how much memory, and whether the cost grows in proportion.

    python benchmarks/ledger.py [--forecasts 100000] [--batches 200 1000 10000]

A ledger of that many forecasts is written with the product's own encoder, and checked in a fresh process, so that the
peak of memory is that of the check alone. The slope is that of log(seconds) against log(forecasts), from an eighth of the
forecasts to all of them: 1 is linear. The freeze of 500 forecasts is timed on an empty ledger and on the large one, since a freeze
checks all that is there before it adds anything.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from foresaid import entries, ledger, log
from foresaid.entries import Code, Data, Entry, Forecast, Header, Quantiles, Round, Target
from foresaid.verify import verify

ORIGIN = "example.org/lm-forecasts"
LEVELS = ["0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975"]
TARGETS = 500
DATA = Data(name="scores", sha256="ab" * 32, bytes=104857, rows=1234, max_observed_on="2026-11-18")
CODE = Code(git="3f" * 20, dirty=False, version="0.1.0")
WANTED = {"verify": 10.0, "memory": 512.0, "freeze": 1.0}  # seconds, MB, seconds; trust model, section 6.4


def opening() -> list[Entry]:
    """A round and its targets."""
    lines: list[Entry] = [
        Round(
            id="2026q4", deadline="2026-12-01T00:00:00Z", reveal_by="2027-06-01T00:00:00Z", revision="first", score="wis",
            reports="all", unit_of_count="target", universe="every target/v1 line with round 2026q4",
        )
    ]  # fmt: skip
    for number in range(TARGETS):
        lines.append(
            Target(
                id=f"t{number:04}", round="2026q4", benchmark="mmlu-pro", metric="accuracy", unit="fraction", min="0", max="1",
                source="https://example.org/leaderboard", known_rule="release", void_if="no score by 2027-06-01",
                model=f"acme/model-{number:04}",
            )
        )  # fmt: skip
    return lines


def forecast(number: int) -> Forecast:
    """One of many forecasts: seven quantiles with four digits."""
    target, method = f"t{number % TARGETS:04}", f"m{number // TARGETS}"
    values = [f"0.{3000 + (37 * number) % 3000 + 100 * step:04}" for step in range(len(LEVELS))]
    return Forecast(
        id=f"2026q4/{target}/{method}", target=target, method=method, primary=number < TARGETS,
        prediction=Quantiles(levels=LEVELS, values=values),
    )  # fmt: skip


def write(folder: Path, forecasts: int, batches: int) -> int:
    """A ledger of so many forecasts in so many batches, each after the one before; returns its bytes."""
    names: list[str] = []
    size = 0
    ledger.create(folder, ORIGIN)
    share = -(-forecasts // batches)
    groups: list[list[Entry]] = [opening()]
    groups += [[forecast(n) for n in range(first, min(first + share, forecasts))] for first in range(0, forecasts, share)]
    for group in groups:
        header = Header(
            origin=ORIGIN, author="example.org/alice", parents=names[-1:], as_of="2026-11-20", frozen_at="2026-11-21T02:00:00Z",
            data=[DATA], code=CODE, n=len(group),
        )  # fmt: skip
        content = b"".join(entries.encode(line) for line in [header, *group])
        names.append(sha256(content).hexdigest())
        path = folder / log.batch_path(names[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        size += len(content)
    (folder / log.MANIFEST).write_bytes(b"".join(map(log.manifest_line, names)))
    (folder / log.CHECKPOINT).write_bytes(log.Checkpoint(ORIGIN, len(names), log.root(names)).encode())
    return size


def check(folder: Path) -> None:
    """What the fresh process does: check once, print seconds and the peak of memory in MB."""
    begun = time.perf_counter()
    result = verify(folder, ORIGIN)
    seconds = time.perf_counter() - begun
    if result.findings:
        raise SystemExit(f"the ledger does not verify: {result.findings[0]}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak, "forecasts": result.counts["forecasts"]}))


def measured(folder: Path, repeats: int = 3) -> tuple[float, float]:
    """The best of several checks, and the largest peak."""
    seen = []
    for _ in range(repeats):
        done = subprocess.run([sys.executable, __file__, "--check", str(folder)], capture_output=True, text=True, check=True)
        seen.append(json.loads(done.stdout))
    return min(item["seconds"] for item in seen), max(item["megabytes"] for item in seen)


def freeze(folder: Path, method: str) -> float:
    """Seconds of one freeze of 500 forecasts, the place in the log included."""
    lines: list[Entry] = []
    for number in range(TARGETS):
        line = forecast(number)
        lines.append(
            Forecast(
                id=f"2026q4/{line.target}/{method}", target=line.target, method=method, primary=False, prediction=line.prediction
            )
        )
    begun = time.perf_counter()
    ledger.write_batch(
        folder, lines, origin=ORIGIN, author="example.org/alice", as_of=date(2026, 11, 20),
        frozen_at=datetime(2026, 11, 21, 3, tzinfo=UTC), data=[DATA], code=CODE,
    )  # fmt: skip
    written = time.perf_counter() - begun
    ledger.sequence(folder, ORIGIN)
    print(f"  freeze of {TARGETS}: {written:.2f} s; with its place in the log {time.perf_counter() - begun:.2f} s")
    return written


def main() -> None:
    """Measure and print; nothing is asserted, the machine decides."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forecasts", type=int, default=100_000)
    parser.add_argument("--batches", type=int, nargs="+", default=[200, 1000, 10_000])
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.check:
        check(wanted.check)
        return
    with tempfile.TemporaryDirectory(prefix="ledger-") as name:
        place = Path(name)
        print("forecasts  batches     MB  verify s  peak MB")
        points: list[tuple[int, float]] = []
        sizes = [wanted.forecasts // part for part in (8, 4, 2)] + [wanted.forecasts]
        for forecasts in sizes:
            counts = wanted.batches if forecasts == sizes[-1] else wanted.batches[:1]
            for batches in counts:
                folder = place / f"{forecasts}-{batches}"
                size = write(folder, forecasts, batches)
                seconds, megabytes = measured(folder)
                if batches == wanted.batches[0]:
                    points.append((forecasts, seconds))
                print(f"{forecasts:9,}  {batches:7,}  {size / 1e6:5.1f}  {seconds:8.2f}  {megabytes:7.0f}")
        steps = [math.log(b[1] / a[1]) / math.log(b[0] / a[0]) for a, b in pairwise(points)]
        slope = math.log(points[-1][1] / points[0][1]) / math.log(points[-1][0] / points[0][0])
        print(f"slope of log seconds on log forecasts: {slope:.2f} (steps {', '.join(f'{step:.2f}' for step in steps)})")
        small = place / "small"
        write(small, TARGETS, 1)
        print("on a ledger of 500 forecasts:")
        freeze(small, "new")
        print(f"on the ledger of {wanted.forecasts:,}:")
        freeze(place / f"{wanted.forecasts}-{wanted.batches[0]}", "new")
        print(
            f"wanted: verify within {WANTED['verify']:.0f} s and {WANTED['memory']:.0f} MB, freeze within {WANTED['freeze']:.0f} s"
        )


if __name__ == "__main__":
    main()
