"""Kept fits: read when nothing they depend on changed, made again otherwise, and never wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tests.laws.test_every_law import CASES, DAY, EVERY_LAW, made

from foresaid.canonical_json import dump_line
from foresaid.fitting import cache
from foresaid.fitting.cache import Shard, fit_all, key
from foresaid.fitting.dependencies import reached
from foresaid.fitting.fit import Fit, fit
from foresaid.fitting.frozen_curve import freeze_curve, to_plain
from foresaid.fitting.summary import describe
from foresaid.laws import _loader as laws


def shard(name: str, seed: int = 7, replicates: int = 6) -> Shard:
    law, table = made(name, CASES[name].noise)
    return Shard(law, table, seed, replicates)


def frozen(one: Shard, fitted: Fit) -> bytes:
    return dump_line(to_plain(freeze_curve(one.law, fitted, CASES[one.law.name].settings, DAY, one.seed)))


@pytest.fixture
def made_now(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Targets that were really fitted, in order."""
    seen: list[str] = []

    def counted(one: Shard) -> Fit:
        seen.append(one.table.target.target_id)
        return fit(one.law, one.table, one.seed, one.replicates)

    monkeypatch.setattr(cache, "_fit", counted)
    return seen


@EVERY_LAW
def test_a_kept_fit_is_the_fit(name: str, tmp_path: Path, made_now: list[str]) -> None:
    one = shard(name)
    first, again = fit_all([one], tmp_path)[0], fit_all([one], tmp_path)[0]

    assert made_now == ["t"]
    assert frozen(one, first) == frozen(one, again)
    assert describe(one.law, first) == describe(one.law, again)


def test_adding_one_benchmark_fits_that_one_alone(tmp_path: Path, made_now: list[str]) -> None:
    _, table = made("compute_sigmoid", 0.03)

    def forty(count: int) -> list[Shard]:
        names = [f"t{i}" for i in range(count)]
        law = laws.load("compute_sigmoid", {"sources": ["s"], "targets": {name: {} for name in names}})
        tables = [dataclasses.replace(table, target=dataclasses.replace(table.target, target_id=n, quantity_id=n)) for n in names]
        return [Shard(law, one, 7, 2) for one in tables]

    fit_all(forty(39), tmp_path)
    made_now.clear()
    fit_all(forty(40), tmp_path)

    assert made_now == ["t39"]


def test_whatever_a_fit_depends_on_changes_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    one = shard("compute_sigmoid")
    table, settings = one.table, CASES["compute_sigmoid"].settings
    target = dataclasses.replace(table.target, upper=0.9)
    days = (*table.known_on[:-1], table.known_on[-1].replace(year=2023))
    others = [
        dataclasses.replace(one, seed=8),
        dataclasses.replace(one, replicates=7),
        dataclasses.replace(one, law=laws.load("compute_sigmoid", {**settings, "slope_limit": 6.0})),
        dataclasses.replace(one, law=laws.load("compute_sigmoid", {"sources": ["s"], "targets": {"t": {"floor_at_most": 0.1}}})),
        *(
            dataclasses.replace(one, table=dataclasses.replace(table, **change))
            for change in (
                {"x": table.x + 1e-12},
                {"y": table.y * (1 + 1e-15)},
                {"clusters": table.clusters[::-1]},
                {"known_on": days},
                {"target": target},
            )
        ),
    ]
    keys = [key(one), *(key(other) for other in others)]
    monkeypatch.setenv("FORESAID_ENGINE", "numpy")
    keys.append(key(one))
    monkeypatch.setattr(cache, "_program", lambda law: f"another program of {law}")
    keys.append(key(one))

    assert len(set(keys)) == len(keys)


def test_a_fit_depends_on_its_law_and_on_the_engine_and_on_no_page() -> None:
    package = Path(cache.__file__).parents[1]
    files = {
        path.relative_to(package).as_posix() for path in reached(package, [package / "fitting/fit.py", package / "laws/broken.py"])
    }

    assert {"laws/broken.py", "fitting/least_squares.py", "fitting/bootstrap.py"} <= files
    assert not [
        name for name in files if name.startswith(("report/", "cli/", "pipeline/", "evaluation/")) or name == "laws/ability.py"
    ]


@pytest.mark.parametrize(("file", "kept"), [("texts.py", True), ("score.py", True), ("bootstrap.py", False), ("kaplan.py", False)])
def test_a_comment_in_a_page_or_a_stage_keeps_every_fit_and_one_in_the_engine_or_the_law_none(
    file: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = shard("kaplan")
    cache._program.cache_clear()
    before, read = cache.key(one), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"# said otherwise" if path.name == file else b""))
    cache._program.cache_clear()
    after = cache.key(one)
    monkeypatch.undo()
    cache._program.cache_clear()

    assert (after == before) == kept


def test_a_torn_or_altered_entry_is_made_again(tmp_path: Path, made_now: list[str]) -> None:
    one = shard("bleu_log")
    right = frozen(one, fit_all([one], tmp_path)[0])
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    whole = path.read_bytes()
    places = np.random.default_rng(0).integers(0, len(whole), 6)
    broken = [b"", whole[:31], whole[: len(whole) // 2], whole[:-1], whole + b"x"]
    broken += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    for content in broken:
        path.write_bytes(content)
        made_now.clear()

        assert frozen(one, fit_all([one], tmp_path)[0]) == right
        assert made_now == ["t"]
        assert path.read_bytes() == whole


def test_an_entry_moved_to_another_key_is_not_believed(tmp_path: Path, made_now: list[str]) -> None:
    one, other = shard("bleu_log"), shard("bleu_log", seed=8)
    fit_all([one], tmp_path)
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    place = tmp_path / key(other)[:2] / key(other)
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(path.read_bytes())
    made_now.clear()
    fit_all([other], tmp_path)

    assert made_now == ["t"]


def test_a_fit_that_is_asked_for_twice_is_made_once(tmp_path: Path, made_now: list[str]) -> None:
    one, other = shard("compute_sigmoid"), shard("size_sigmoid")

    first, between, again = fit_all([one, other, one], tmp_path)

    assert len(made_now) == 2
    assert frozen(one, first) == frozen(one, again)
    assert describe(one.law, first) != describe(other.law, between)
