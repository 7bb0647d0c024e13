"""How many days of the past can be replayed as they were known: counted by board from the cards, never from release dates."""

from __future__ import annotations

from datetime import date

from click.testing import CliRunner
from tests.conftest import ROOT
from tests.worlds.upstream import REGISTRY

from foresaid.cli.main import main
from foresaid.registry.origins import lines, origins

SINCE = date(2025, 1, 1)


def test_there_are_at_least_forty_origins_of_boards_since_2025() -> None:
    found = origins(REGISTRY, SINCE)
    for row in lines(found):
        print(*row, sep=", ")
    days = {one.name: one.days for one in found}

    assert len(days["weirdml-board"]) == 22
    assert len(days["forecastbench"]) == 20
    assert len(days["epoch-hub"]) == 6
    assert len(days["arena-catalog"]) == 3
    assert len(days["arena-daily"]) == 5
    assert len({day for one in found for day in one.days}) >= 40
    assert all(day >= SINCE for one in found for day in one.days)


def test_origins_that_need_no_upstream_files_are_counted_apart() -> None:
    kept = [one for one in origins(REGISTRY, SINCE) if one.kept]

    assert len({day for one in kept for day in one.days}) >= 40
    assert {"epoch-hub", "epoch-eci", "forecastbench", "weirdml", "lmarena"} <= {one.name for one in kept}


def test_training_runs_are_no_board() -> None:
    assert not {"gadre", "chinchilla", "olmo-ladder", "epoch-models"} & {one.name for one in origins(REGISTRY)}


def test_the_command_lists_every_board_and_counts_distinct_days() -> None:
    done = CliRunner().invoke(main, ["--root", str(ROOT), "origins", "--days"])
    found = origins(REGISTRY, SINCE)

    assert done.exit_code == 0, done.output
    assert all(f"{one.name}: {one.days[0]}" in done.output for one in found)
    total = next(line for line in done.output.splitlines() if line.startswith("all boards")).split()
    assert int(total[2]) == len({day for one in found for day in one.days})
