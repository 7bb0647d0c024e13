"""What every stage of a cold run costs: processor time, time by the clock and peak memory, one process a stage.

The stages run in the order of dvc.yaml in a copy of the project without anything derived, so that nothing kept from an earlier run
helps and nothing in the project itself is touched. Peak memory is what the system counts for the stage's process, or for the
largest of those it started. It counts from before the program was loaded, when a new process still has the memory of the one that
started it; so every stage is started by a bare interpreter, and not by the one that has just loaded ten million rows.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.measure import MissingError, seconds

ROOT = Path(__file__).parents[1]
DERIVED = (ROOT / "build", ROOT / "reports" / "site")  # and whatever is hidden or a cache of bytecode
EACH = "${key}"  # what dvc.yaml writes for the name of a law
STARTER = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""  # runs the words behind it and prints the code they ended with, processor seconds and the peak


@dataclass(frozen=True)
class Cost:
    """What one stage took: seconds of processor time over all its processes, seconds by the clock, and bytes at the peak."""

    stage: str
    cpu: float
    wall: float
    peak: int


def commands(graph: dict[str, Any], laws: list[str]) -> dict[str, str]:
    """Return the command of every stage by its name, in the order of dvc.yaml; a stage of every law is one a law.

    >>> commands({"a": {"cmd": "foresaid a"}, "fit": {"foreach": "...", "do": {"cmd": "foresaid fit ${key}"}}}, ["x", "y"])
    {'a': 'foresaid a', 'fit@x': 'foresaid fit x', 'fit@y': 'foresaid fit y'}
    """
    found: dict[str, str] = {}
    for name, stage in graph.items():
        if "do" in stage:
            found |= {f"{name}@{law}": stage["do"]["cmd"].replace(EACH, law) for law in laws}
        else:
            found[name] = stage["cmd"]
    return found


def cost(stage: str, words: list[str], where: Path) -> Cost:
    """Run one command in a folder and return what it took; MissingError where it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        bare = [sys.executable, "-I", "-S", "-c", STARTER, *words]
        # A clone has no folder of upstream files, which goals beside this table may have been given.
        plain = {name: value for name, value in os.environ.items() if name != "FORESAID_MIRROR"}
        done = subprocess.run(bare, cwd=where, stdout=subprocess.PIPE, stderr=said, env=plain, check=True)
        code, cpu, peak = json.loads(done.stdout)
        if code:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise MissingError(f"{' '.join(words)} ended with {code}: {last}")
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there and kibibytes elsewhere
    return Cost(stage, cpu, time.perf_counter() - start, peak * unit)


def derived(folder: str, names: list[str]) -> set[str]:
    """Of the names in a folder those that a cold run starts without."""
    return {name for name in names if Path(folder, name) in DERIVED or name.startswith(".") or name == "__pycache__"}


def cold() -> Iterator[Cost]:
    """Run every stage in a copy of the project from which all that is derived was left out."""
    import yaml

    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    laws = list(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["laws"])
    program = Path(sys.executable).with_name("foresaid")
    with tempfile.TemporaryDirectory() as home:
        copy = Path(home) / "project"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=derived)
        for stage, command in commands(graph, laws).items():
            yield cost(stage, [str(program), *command.split()[1:]], copy)


def rows() -> list[dict[str, str]]:
    """Return the table of a page: a row a stage, all fits in one, and their sum, in the units a person would choose."""
    found = list(cold())
    fits = [one for one in found if one.stage.startswith("fit@")]
    slowest = max(fits, key=lambda one: one.cpu)
    named = f"fit ({len(fits)} laws; {slowest.stage.removeprefix('fit@')} takes {seconds(slowest.cpu)} of it)"
    together = Cost(named, sum(one.cpu for one in fits), sum(one.wall for one in fits), max(one.peak for one in fits))
    listed = [together if one is fits[0] else one for one in found if one is fits[0] or one not in fits]
    whole = Cost("together", sum(one.cpu for one in found), sum(one.wall for one in found), max(one.peak for one in found))
    return [
        {"stage": one.stage, "cpu": seconds(one.cpu), "wall": seconds(one.wall), "peak": f"{one.peak / 1e6:,.0f} MB"}
        for one in [*listed, whole]
    ]


@click.command(help=__doc__)
def main() -> None:
    """Print what each stage took as it ends."""
    for one in cold():
        click.echo(f"{one.stage:28s} {seconds(one.cpu):>10s} cpu {seconds(one.wall):>10s} {one.peak / 1e6:8,.0f} MB")


if __name__ == "__main__":
    main()
