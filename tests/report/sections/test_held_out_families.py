"""Whole families held out, on a page: every row, and a verdict read off the numbers."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from foresaid.report.environment import environment
from foresaid.report.sections import held_out_families
from foresaid.studies.held_out_families import leaderboards
from foresaid.studies.held_out_families.leaderboards import Measured, Row
from foresaid.studies.held_out_families.protocol import TOLD


def row(method: str, error: float, small: int = 1) -> Row:
    return Row(small, method, 12, 68, error, 0.005, error, None, None, {"a": error, "b": error})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (0.0500, "not below it."),
        (0.0300, "not below it, within two standard errors of it either way."),
        (0.0280, ": below it, within two standard errors of it either way."),
        (0.0100, ": below it."),
    ],
)
def test_the_verdict_follows_the_numbers(error: float, said: str) -> None:
    found = held_out_families.verdict("leaderboard-v2", [row("a", error), row("b", 0.9)])

    assert found.endswith(said)
    assert "0.0286" in found


def test_the_method_that_is_told_more_is_no_competitor() -> None:
    assert held_out_families.best([row(TOLD, 0.01), row("a", 0.02)]).method == "a"


def test_each_number_of_small_models_has_a_table_and_each_family_a_row_to_download() -> None:
    board = Measured("leaderboard-v2", "2026-11-21", {"data": "ab"}, (row("a", 0.03), row("b", 0.04), row("a", 0.02, small=2)))

    parts, frame = held_out_families.shown([board]), held_out_families.downloads([board])

    assert [len(part["rows"]) for part in parts] == [2, 1]
    assert all(len(line) == len(part["header"]) for part in parts for line in part["rows"])
    assert frame.height == 6
    assert set(frame["data_sha256"]) == {"ab"}


def test_the_law_page_shows_the_kept_tables() -> None:
    root = Path(__file__).parents[3]
    boards = [kept for name in leaderboards.COLUMNS if (kept := leaderboards.kept(root / "registry", name))]
    # What belongs to the other sections stays undefined.
    pages = environment(Path("none")).overlay(undefined=jinja2.ChainableUndefined)

    text = pages.get_template("law.html.j2").render(families=held_out_families.shown(boards), key="law-observational", root="../")

    assert text.count("Sloth’s authors kept") == 4
    assert text.count("mixed effects (families partly pooled)</th>") == 4
    assert 'href="../data/law-observational-families-held-out.csv"' in text
