"""The benchmark's own rules: what counts as met, what is said of what is missing, and that earlier rows stay. No timing here."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from benchmarks import chinchilla, peers, table
from benchmarks.__main__ import GOALS
from benchmarks.measure import Finding, MissingError, module, verdict
from benchmarks.tables import made_up, obsscaling

from foresaid.fitting.imputation import impute


def finding(goal: int, found: str = "5×") -> Finding:
    return Finding(goal, "title", "asked", "more", found, "pass", "quality", "a | b", {"ratio": np.float64(5.0)})


def test_every_goal_has_its_measurement() -> None:
    assert list(range(1, 20)) == sorted(GOALS)


@pytest.mark.parametrize(
    ("good", "passes", "stretch", "expected"),
    [
        (True, True, True, "stretch"),
        (True, True, False, "pass"),
        (True, True, None, "pass"),
        (True, False, True, "below"),
        (False, True, True, "below"),
    ],
)
def test_a_speed_counts_only_with_its_quality(good: bool, passes: bool, stretch: bool | None, expected: str) -> None:
    assert expected == verdict(good, passes, stretch)


def test_rows_that_were_not_run_again_stay_with_their_day(tmp_path: Path) -> None:
    files = tmp_path / "results.json", tmp_path / "speed.md"
    table.write([finding(4), finding(7)], date(2026, 11, 20), False, *files)

    table.write([finding(7, "9×")], date(2026, 11, 21), True, *files)

    rows = {row["goal"]: row for row in json.loads(files[0].read_text())["goals"]}
    assert [rows[4]["day"], rows[7]["day"]] == ["2026-11-20", "2026-11-21"]
    assert "5× (2026-11-20)" in files[1].read_text()
    assert "9× (quick)" in files[1].read_text()
    assert "a \\| b" in files[1].read_text()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORESAID_MIRROR", raising=False)
    monkeypatch.delenv("FORESAID_OBSSCALING", raising=False)

    with pytest.raises(MissingError, match="no FORESAID_MIRROR"):
        obsscaling()
    with pytest.raises(MissingError, match="no_such_peer is not installed"):
        module("no_such_peer")


def test_the_stand_in_imputes_to_the_same_point_as_the_program() -> None:
    x, _ = made_up(30, 6, 1, 0.1, seed=1)

    ours = impute(x, np.ones((1, 30))).values[0]

    assert np.allclose(peers.impute_as_described(x), ours, atol=1e-8)


def test_the_chinchilla_stand_ins_have_the_same_minimum() -> None:
    rng = np.random.default_rng(2)
    x = np.exp(rng.uniform([16, 20], [21, 26], (60, 2)))
    y = (1.8 + 480 * x[:, 0] ** -0.35 + 2100 * x[:, 1] ** -0.37) * np.exp(0.003 * rng.normal(size=60))
    rows = np.arange(60)
    start = chinchilla.from_start(x, y, chinchilla.REPLICATED)

    assert chinchilla._refit_closed_form(x, y, rows) <= start * (1 + 1e-6)


def test_the_likelihood_is_hubers_loss_over_a_scale() -> None:
    rng = np.random.default_rng(3)
    x, y = np.exp(rng.uniform([16, 20], [21, 26], (9, 2))), rng.uniform(2.0, 3.0, 9)
    scale = 1.0  # delta is then in the unit of the residuals, and the logarithm of the scale adds nothing
    expected = chinchilla.loss(chinchilla.REPLICATED, x[:, 0], x[:, 1], y)

    found = chinchilla.likelihood(np.append(chinchilla.REPLICATED, np.log(scale)), x[:, 0], x[:, 1], y)

    assert found == pytest.approx(expected, rel=1e-12)


def test_the_grid_of_the_notebook_has_4500_starts() -> None:
    assert len(chinchilla.grid()) == 4500
