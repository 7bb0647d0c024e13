"""What a person waits for, by the clock: a cold main job here and at an earlier commit, then what changes least, in clones.

`python -m benchmarks.waits FOLDER` clones the project twice into an empty folder, at HEAD and at `--base`, sets each up as a
newcomer would, and times `make repro` in both, in turn. In the clone of HEAD it then times `dvc repro` with nothing to do, with a
changed template, and with one outcome entered into the clone's ledger, which is made up and thrown away with the clone; then
`hindcast --full` with nothing kept but the database, beside that of `--full-base`. It writes benchmarks/waits.json, from which
docs/speed.md is made. Twenty minutes on two idle cores; with other work beside it the clock says little.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks.measure import MissingError
from benchmarks.table import WAITS
from benchmarks.waiting import ROOT

HOW = (
    "Clones of both commits in one session on two idle cores, each set up, nothing kept: `make repro` by the clock, in turn,"
    " medians of {cold}. `hindcast --full` once each; the other lines in the clone of this state, medians of {warm}."
)
TEMPLATE = Path("pipelines/foresaid/report/templates/law.html.j2")
OUTCOME = ("--source", "https://example.org", "--subject", "made-up", "--value", "0.5")


@dataclass(frozen=True)
class Wait:
    """Seconds by the clock and of processor time over all processes."""

    wall: float
    cpu: float


def middle(waits: Sequence[Wait]) -> Wait:
    """Return the median by the clock and that of processor time.

    >>> middle([Wait(3.0, 1.0), Wait(1.0, 2.0), Wait(2.0, 9.0)])
    Wait(wall=2.0, cpu=2.0)
    """
    return Wait(statistics.median(one.wall for one in waits), statistics.median(one.cpu for one in waits))


def row(wait: str, asked: str, before: Wait | None, now: Wait) -> dict[str, Any]:
    """Return one line of the table as it is kept, to a tenth of a second."""
    kept = [one and {"wall": round(one.wall, 2), "cpu": round(one.cpu, 2)} for one in (before, now)]
    return {"wait": wait, "asked": asked, "before": kept[0], "now": kept[1]}


class Clone:
    """A clone at one commit with an environment of its own, in which commands run as a newcomer would run them."""

    def __init__(self, commit: str, folder: Path) -> None:
        self.folder = folder
        path = f"{folder}/.venv/bin:{os.environ['PATH']}"
        self.surroundings = {"HOME": os.environ["HOME"], "PATH": path, "DVC_NO_ANALYTICS": "1"}
        self.surroundings["DVC_SITE_CACHE_DIR"] = f"{folder}/.dvc/tmp/site"  # as the Makefile has it
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        self.take("git", "checkout", "--quiet", commit)
        self.take("make", ".venv/run.stamp")

    def take(self, *words: str) -> Wait:
        """Run a command to its end and return what it took; MissingError, with its last line, where it fails."""
        used, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(words, cwd=self.folder, env=self.surroundings, capture_output=True, text=True, check=False)
        wall, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise MissingError(f"{' '.join(words)}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
        return Wait(wall, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)

    def cold(self) -> Wait:
        """`make repro` with nothing kept."""
        self.take("make", "clean")
        return self.take("make", "repro")

    def templates(self, times: int) -> Wait:
        """`dvc repro` after a word more in a template, another each time."""
        found = []
        for turn in range(times):
            with (self.folder / TEMPLATE).open("a", encoding="utf-8") as file:
                file.write(f"<p>Changed {turn}.</p>\n")
            found.append(self.take("dvc", "repro"))
        self.take("git", "checkout", "--quiet", str(TEMPLATE))
        self.take("dvc", "repro")
        return middle(found)

    def outcomes(self, times: int) -> Wait:
        """`dvc repro` after one more outcome of an open target that its ledger holds."""
        listed = subprocess.run(
            ("foresaid", "target", "list", "--json"),
            cwd=self.folder,
            env=self.surroundings,
            capture_output=True,
            text=True,
            check=True,
        )
        asked = [one["name"] for one in json.loads(listed.stdout) if one["rule"] == "next_release" and one["unit"] == "fraction"]
        today = datetime.now(UTC).date().isoformat()
        evidence = self.folder / ".dvc/tmp/page.html"
        evidence.write_text("made up", encoding="utf-8")
        found = []
        for name in asked[:times]:
            days = ("--known-at", today, "--released-on", today, "--evidence", str(evidence))
            self.take("foresaid", "ledger", "resolve", *name.split("/"), *OUTCOME, *days)
            self.take("foresaid", "ledger", "checkpoint")
            found.append(self.take("dvc", "repro"))
        return middle(found)


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--base", default="66a2e2c", show_default=True, help="Commit to compare with.")
@click.option("--full-base", default="eb96b29", show_default=True, help="Commit to compare `hindcast --full` with.")
@click.option("--cold", "cold_runs", default=1, show_default=True, help="Cold runs of each commit.")
@click.option("--warm", "warm_runs", default=3, show_default=True, help="Runs of each wait after it.")
def main(folder: Path, base: str, full_base: str, cold_runs: int, warm_runs: int) -> None:
    """Measure every wait and keep what was found."""
    folder.mkdir(parents=True)
    older, here = Clone(base, folder / "base"), Clone("HEAD", folder / "here")
    cold = [(older.cold(), here.cold()) for _ in range(cold_runs)]
    listed = [row("fresh clone to site, `make repro`", "<= half of before", *(middle(side) for side in zip(*cold, strict=True)))]
    click.echo(listed[-1])
    nothing = middle([here.take("dvc", "repro") for _ in range(max(warm_runs, 5))])
    listed.append(row("`dvc repro` with nothing to do", "<= 1.3x a bare DVC chain (goal 17)", None, nothing))
    listed.append(row("a changed template to its pages", "<= 15 s", None, here.templates(warm_runs)))
    listed.append(row("one new outcome to its page", "<= 20 s", None, here.outcomes(warm_runs)))
    click.echo(listed[1:])
    earlier = Clone(full_base, folder / "full")
    full = []
    for one in (earlier, here):
        one.take("make", "clean")
        one.take("dvc", "repro", "database")
        full.append(one.take("foresaid", "hindcast", "--full"))
    listed.insert(1, row(f"`foresaid hindcast --full` (before: {full_base})", "<= half of before", *full))
    how = HOW.format(cold=cold_runs, warm=warm_runs)
    text = json.dumps({"before": base, "now": "this state", "how": how, "waits": listed}, indent=1)
    WAITS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
