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


def curves() -> int:
    """How many curves live; the class is asked for as it is, since a proxy of what is gone answers isinstance with an error."""
    return sum(type(one) is CurveRecord for one in gc.get_objects())


def test_no_curve_is_left_once_its_line_is_made(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = []

    def counted(path: Path, lines: list[bytes]) -> None:
        left.append(curves())
        files.write_lines(path, lines)

    monkeypatch.setattr(fit, "write_lines", counted)
    os.symlink(built.build / "database", tmp_path / "database")
    gc.collect()
    before = curves()

    counts = fit.run("compute_sigmoid", built.params, tmp_path)

    assert sum(counts.values()) > 1
    assert len(left) == 3
    assert max(left) <= before
    for name in ("curves.jsonl", "drafts.jsonl", "training.jsonl"):
        made = (tmp_path / "fits" / "compute_sigmoid" / name).read_bytes()
        assert made == (built.build / "fits" / "compute_sigmoid" / name).read_bytes()
