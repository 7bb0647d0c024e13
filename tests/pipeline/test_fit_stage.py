"""What the stage `fit` holds while it works: never the curves of all targets at once, however many draws they have."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from tests.conftest import Built

from foresaid import files
from foresaid.fitting.frozen_curve import CurveRecord
from foresaid.pipeline import fit


def test_no_curve_is_left_once_its_line_is_made(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = []

    def counted(path: Path, lines: list[bytes]) -> None:
        left.append(sum(isinstance(one, CurveRecord) for one in gc.get_objects()))
        files.write_lines(path, lines)

    monkeypatch.setattr(fit, "write_lines", counted)
    os.symlink(built.build / "database", tmp_path / "database")
    gc.collect()
    before = sum(isinstance(one, CurveRecord) for one in gc.get_objects())

    counts = fit.run("compute_sigmoid", built.params, tmp_path)

    assert sum(counts.values()) > 1
    assert left == [before] * 3
    for name in ("curves.jsonl", "drafts.jsonl", "training.jsonl"):
        made = (tmp_path / "fits" / "compute_sigmoid" / name).read_bytes()
        assert made == (built.build / "fits" / "compute_sigmoid" / name).read_bytes()
