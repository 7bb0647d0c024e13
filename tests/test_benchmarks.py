"""The benchmark's own rules: what counts as met, what is said of what is missing, and that earlier rows stay. No timing here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from benchmarks import chinchilla, install, instead, peers, sections, stages, table, waits
from benchmarks.__main__ import GOALS
from benchmarks.measure import Finding, MissingError, module, slope, verdict
from benchmarks.tables import made_up, obsscaling

from foresaid.fitting.imputation import impute


def finding(goal: int, found: str = "5×") -> Finding:
    return Finding(goal, "title", "asked", "more", found, "pass", "quality", "a | b", {"ratio": np.float64(5.0)})


def test_every_goal_has_its_measurement() -> None:
    assert list(range(1, 28)) == sorted(GOALS)


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


CHECKOUT = """
import numpy as np

class PCAImputer:
    def __init__(self, n_components, max_iter, tol, boundary):
        self.settings = (n_components, max_iter, tol, boundary)

    def fit_transform(self, x):
        return np.where(np.isnan(x), 0.5, x)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty checkout of ObsScaling; whatever it has imported is forgotten afterwards."""
    monkeypatch.setenv("FORESAID_OBSSCALING", str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "utils"]:
        del sys.modules[name]


@pytest.mark.parametrize("place", ["utils.py", "utils/__init__.py", "utils/imputation.py"])
def test_the_imputer_of_a_checkout_is_used_wherever_it_stands(checkout: Path, place: str) -> None:
    (checkout / place).parent.mkdir(exist_ok=True)
    if place != "utils.py":
        (checkout / "utils/__init__.py").write_text("")
    (checkout / place).write_text(CHECKOUT)

    impute_by_them, label = peers.obsscaling_imputer()

    assert label == "ObsScaling's own PCAImputer"
    assert impute_by_them(np.array([[1.0, np.nan]])).tolist() == [[1.0, 0.5]]
    assert str(checkout) not in sys.path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_plotting_package", "No module named 'no_such_plotting_package'"),
        ("x = 1", "no PCAImputer in utils"),
        ("class PCAImputer: pass", "takes no arguments"),
    ],
)
def test_a_checkout_that_cannot_be_used_says_why_and_the_stand_in_runs(checkout: Path, text: str, reason: str) -> None:
    (checkout / "utils.py").write_text(text)

    impute_by_them, label = peers.obsscaling_imputer()

    assert impute_by_them is peers.impute_as_described
    assert reason in label
    assert str(checkout) not in label


def test_what_is_below_or_was_not_run_is_said_from_the_findings() -> None:
    rows = [
        {**asdict(finding(5)), "verdict": "below", "found": "3×"},
        {**asdict(finding(7)), "verdict": "skipped", "found": "not run: no peer"},
        {**asdict(finding(9)), "verdict": "stretch"},
    ]
    other = {"work": "verify", "ours": 2.0, "pick": "git", "theirs": 0.5, "how": "timed here", "see": ""}

    said = sections.falls_short(rows, [other, {**other, "theirs": 4.0, "pick": "slow"}])

    assert [line for line in said if line.startswith("- Goal 5 (title) is below: 3×, asked asked")]
    assert "- Goal 7 was not run: no peer." in said
    assert "- git takes 25% of our time to verify (timed here)." in said
    assert not [line for line in said if "Goal 9" in line or "slow" in line]


def test_new_work_shows_size_slope_and_distance_from_the_floor() -> None:
    numbers = {
        "sizes": [10, 100],
        "of": "rows",
        "cpu": [0.001, 0.1],
        "slope": 2.0,
        "floor": 0.01,
        "floor_of": "a copy",
        "tenfold": "it",
    }

    (line,) = [line for line in sections.new_work([{**asdict(finding(20)), "numbers": numbers}]) if line.startswith("| 20 ")]

    assert "rows: 10, 100" in line
    assert "2.00" in line
    assert "10×" in line
    assert sections.new_work([asdict(finding(4))]) == []


def test_a_goal_that_was_not_run_has_no_time_of_another_tool() -> None:
    rows = {2: {"numbers": {"peer_each": {"cpu": 0.005}}}}

    found = {one.work: one for one in instead.from_goals(rows)}

    assert found["the planned load"].theirs == pytest.approx(4000.0)
    assert found["joint skills"].theirs is None
    assert found["joint skills"].how == "not run (goal 8)"


def test_tables_of_no_goal_stay_until_they_are_made_again(tmp_path: Path) -> None:
    files = tmp_path / "results.json", tmp_path / "speed.md"
    stage = {"stage": "ingest", "cpu": "1.00 s", "wall": "2.00 s", "peak": "300 MB"}
    table.write([finding(4)], date(2026, 11, 20), False, *files, {"stages": [stage]})

    table.write([finding(7)], date(2026, 11, 21), False, *files)

    assert "| ingest | 1.00 s | 2.00 s | 300 MB |" in files[1].read_text()


def test_every_wait_is_of_one_form() -> None:
    kept = json.loads(table.WAITS.read_text())

    assert sections.waiting(kept)[-1].count("|") == 6
    assert {"wait", "asked", "before", "now"} == set.intersection(*(set(row) for row in kept["waits"]))


def test_a_wait_runs_in_the_clone_and_not_in_what_surrounds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESAID_ENGINE", "numpy")
    clone = object.__new__(waits.Clone)
    clone.folder, clone.surroundings = tmp_path, {"PATH": os.environ["PATH"]}

    taken = clone.take("sh", "-c", 'test -z "$FORESAID_ENGINE" && touch here')

    assert taken.wall > 0
    assert (tmp_path / "here").exists()
    with pytest.raises(MissingError, match="said why"):
        clone.take("sh", "-c", "echo said why; exit 3")


def test_a_wait_keeps_the_form_of_the_page() -> None:
    made = waits.row("nothing to do", "<= 1 s", None, waits.Wait(0.987, 0.911))

    assert made == {"wait": "nothing to do", "asked": "<= 1 s", "before": None, "now": {"wall": 0.99, "cpu": 0.91}}
    assert sections.waiting({"how": "", "before": "a", "now": "b", "waits": [made]})[-1].endswith(
        "| not measured | 1.0 s (1 s cpu) | - |"
    )


def test_only_what_grows_beyond_its_larger_half_counts_in_a_slope() -> None:
    assert slope([1, 10, 100, 1000], [5.0, 5.0, 5.0, 500.0]) == pytest.approx(2.0)


def test_what_a_set_of_libraries_asks_for_is_counted_once() -> None:
    found = install.with_needs(("scipy",))

    assert sorted(found) == ["numpy", "scipy"]
    assert install.weight(["no-such-library"]) == (0, 0.0)


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


def test_a_cold_run_begins_without_anything_derived_and_with_all_that_is_kept() -> None:
    left_out = {
        name for name in (".git", ".venv", "build", "registry", "params.yaml") if name in stages.derived(str(stages.ROOT), [name])
    }

    assert left_out == {".git", ".venv", "build"}
    assert stages.derived(str(stages.ROOT / "registry"), ["build", "site"]) == set()


def test_a_stage_that_fails_is_no_measurement(tmp_path: Path) -> None:
    made = stages.cost("fine", [sys.executable, "-c", "print(1)"], tmp_path)

    assert made.cpu > 0
    assert made.peak > 1_000_000
    with pytest.raises(MissingError, match=r"ended with 3.*said why"):
        stages.cost("broken", [sys.executable, "-c", "print('said why'); raise SystemExit(3)"], tmp_path)


def test_the_memory_of_a_stage_is_not_that_of_who_measures_it(tmp_path: Path) -> None:
    ours = np.ones(50_000_000)  # 400 MB

    made = stages.cost("small", [sys.executable, "-c", "pass"], tmp_path)

    assert made.peak < ours.nbytes / 4
