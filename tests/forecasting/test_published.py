"""Adopted forecasts are applied as printed, on what they need and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT

from foresaid.errors import RecordError, UnreadableError
from foresaid.forecasting import published

FOLDER = ROOT / "registry" / "adopted" / "obsscaling-2024-05"


def test_the_shipped_record_holds_eleven_forms_and_twenty_models() -> None:
    record = published.load(FOLDER)

    assert (len(record.forms), len(record.models)) == (11, 20)


def test_a_form_is_the_printed_formula() -> None:
    # 3.06 x 0.5 - 1 on the logit, h = 0.9, chance 0.25, worked out by hand.
    form = published.Form("t", -1.0, {"a": 3.06}, 0.9)
    expected = 0.25 + 0.75 * (0.1 + 0.9 / (1 + np.exp(-0.53)))

    assert published.apply(form, {"a": np.array([0.5])}, 0.25)[0] == pytest.approx(expected, abs=1e-12)


def test_a_missing_metric_means_no_forecast() -> None:
    form = published.Form("t", 0.0, {"a": 1.0, "b": 1.0}, 1.0)

    assert np.isnan(published.apply(form, {"a": np.array([0.5]), "b": np.array([np.nan])}, 0.0)).all()


def test_another_header_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "record")
    (tmp_path / "record" / "forms.csv").write_text("quantity,parameter,value\n", encoding="utf-8")

    with pytest.raises(RecordError, match="found the header"):
        published.load(tmp_path / "record")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"adopted\.toml"):
        published.load(tmp_path)
