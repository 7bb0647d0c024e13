"""Measure every goal, print found against asked, and write docs/speed.md: `python -m benchmarks [--goal N] [--quick]`."""

from __future__ import annotations

import dataclasses
import os
import re

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy is loaded; parallel work is the engine's own

from collections.abc import Callable  # noqa: E402
from datetime import date  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

from benchmarks import machine, other_tools, stages, table  # noqa: E402
from benchmarks.measure import Finding, MissingError, module  # noqa: E402

ROOT = Path(__file__).parents[1]
MODULES = ("observational", "choice", "power", "joint", "rows", "waiting", "releases", "vintages", "install")
GOALS: dict[int, Callable[[bool], Finding]] = dict(
    sorted(
        (int(name[5:]), work)
        for one in MODULES
        for name, work in vars(module(f"benchmarks.{one}")).items()
        if re.fullmatch(r"goal_\d+", name)
    )
)


def measured_beside(quick: bool) -> dict[str, Any]:
    """What belongs to no goal: the machine's rates, what a user would pick instead and, unless quick, what every stage takes."""
    found: dict[str, Any] = {"rates": machine.said(), "instead": [dataclasses.asdict(one) for one in other_tools.timed(quick)]}
    for row in found["instead"]:
        click.echo(f"{row['work']}: {row['pick']}, {row['theirs'] or '-'} s cpu; ours {row['ours'] or row['see']}")
    if not quick:
        try:
            found["stages"] = stages.rows()
        except MissingError as reason:
            click.echo(f"stages: not run: {reason}")
    return found


@click.command(help=__doc__)
@click.option(
    "--goal", "wanted", type=click.Choice([str(number) for number in GOALS]), multiple=True, help="Only this goal; repeatable."
)
@click.option("--tables/--no-tables", default=None, help="Also what others take and the stages; the default without --goal.")
@click.option("--quick", is_flag=True, help="Smaller samples: a look, not a result.")
@click.option("--dry", is_flag=True, help="Print only; write no file.")
def main(wanted: tuple[str, ...], tables: bool | None, quick: bool, dry: bool) -> None:
    """Run the goals asked for, one after another."""
    findings = []
    for number in [int(item) for item in wanted] or list(GOALS):
        try:
            finding = GOALS[number](quick)
        except MissingError as reason:
            what = (GOALS[number].__doc__ or "").strip().splitlines()[0]
            finding = Finding(number, what, "", "", f"not run: {reason}", "skipped", "", "")
        findings.append(finding)
        click.echo(table.show(finding))
    counts = {name: sum(item.verdict == name for item in findings) for name in ("stretch", "pass", "below", "skipped")}
    click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
    beside = measured_beside(quick) if tables or (tables is None and not wanted) else {}
    if not dry:
        table.write(findings, date.today(), quick, ROOT / "benchmarks" / "results.json", ROOT / "docs" / "speed.md", beside)
        click.echo("wrote docs/speed.md and benchmarks/results.json")


if __name__ == "__main__":
    main()
