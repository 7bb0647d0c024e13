"""The experiment on the law's page: numbers of the recorded table, sentences that follow from them, nothing of another table."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT

from foresaid.errors import RecordError, UnreadableError
from foresaid.laws.emergence import Emergence
from foresaid.report.sections import emergence_experiment
from foresaid.studies.emergence import record

NAME = Emergence.experiment


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    found = record.read(ROOT / "registry", NAME)
    assert found is not None
    return found


def test_the_page_gives_results_favourable_or_not(said: dict[str, Any]) -> None:
    shown = emergence_experiment.shown(said)
    assert shown is not None
    words = " ".join(shown["verdict"])

    assert "43 small transformers" in shown["intro"]
    assert "mean absolute error 0.090 [0.060, 0.122] nats" in words
    assert "not shown to beat the last value (persistence)" in words
    assert "Coverage of its 90 % intervals: 10 of 30: far too narrow" in words
    assert "Frequency 0.1 was meant as a negative control and is none" in words
    assert [row["judged"] for row in shown["accuracy"]].count(True) == 1


@pytest.mark.parametrize(("low", "high", "sentence"), [(-0.2, -0.1, "It is better than"), (0.1, 0.2, "It is worse than")])
def test_the_verdict_follows_the_numbers(said: dict[str, Any], low: float, high: float, sentence: str) -> None:
    other = copy.deepcopy(said)
    other["primary_less_rival"]["last"] |= {"lower_95": low, "upper_95": high}
    shown = emergence_experiment.shown(other)

    assert shown is not None
    assert any(sentence in one for one in shown["verdict"])


def test_results_of_another_table_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "experiments" / NAME
    shutil.copytree(ROOT / "registry" / "experiments" / NAME, folder)
    table = folder / "table.csv"
    table.write_bytes(table.read_bytes().replace(b"0.25", b"0.26", 1))

    with pytest.raises(RecordError, match="found results of table"):
        record.read(tmp_path, NAME)
    table.unlink()
    with pytest.raises(UnreadableError, match="foresaid experiment score"):
        record.read(tmp_path, NAME)


def test_a_law_without_an_experiment_has_no_such_part() -> None:
    assert record.read(ROOT / "registry", "") is None
    assert emergence_experiment.shown(None) is None


def test_the_downloads_are_flat(said: dict[str, Any]) -> None:
    for part, frame in emergence_experiment.downloads(said).items():
        assert frame.height == len(said[part])
        assert not any(json.dumps(str(kind)).startswith('"Struct') for kind in frame.dtypes)
