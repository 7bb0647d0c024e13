"""Results are whole or absent, and equal results are equal bytes."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from foresaid.files import rounded, write_bytes, write_frame, write_json


def test_a_last_digit_of_the_machine_does_not_reach_a_metrics_file(tmp_path: Path) -> None:
    for name, value in (("a.json", 0.1 + 0.2), ("b.json", 0.3)):
        write_json(tmp_path / name, {"x": [value]})

    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_what_is_not_finite_is_null_and_the_file_is_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": float("inf"), "y": True, "z": None})

    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"x": None, "y": True, "z": None}


def test_rounding_keeps_significant_digits_whatever_the_size() -> None:
    assert rounded([123456789.0, 0.000123456789, 5]) == [123457000.0, 0.000123457, 5]


def test_frames_are_equal_bytes_for_equal_rows(tmp_path: Path) -> None:
    for name, value in (("a", 0.1 + 0.2), ("b", 0.3)):
        write_frame(tmp_path / f"{name}.parquet", pl.DataFrame({"x": [value], "q": [[value, 1.0]], "s": ["t"]}))

    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_bytes(path, b"old")

    with pytest.raises(TypeError, match="JSON"):
        write_json(path, {"x": float("nan"), "y": {1: object()}})
    assert path.read_bytes() == b"old"
