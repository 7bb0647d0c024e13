"""A file that somebody sends is read or refused by a word, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foresaid.ledger.submission.form import SUFFIXES, read
from foresaid.ledger.submission.objections import CODES, STATED
from foresaid.ledger.submission.stated import StatedNormal, StatedQuantiles

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(["author", "method", "unit", "forecasts", "target", "primary", "quantiles", "normal", "mean", "sd", "0.1"])
likely: st.SearchStrategy[Any] = st.recursive(
    anything, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4), max_leaves=10
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=st.binary(max_size=200), suffix=st.sampled_from(SUFFIXES))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"f{suffix}"
    path.write_bytes(content)
    found = read(path)

    assert found.entries or found.objections
    assert all(one.code in STATED and one.where.startswith(str(path)) for one in found.objections)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(document=likely, as_yaml=st.booleans())
def test_any_document_is_read_or_refused(tmp_path: Path, document: Any, as_yaml: bool) -> None:
    path = tmp_path / ("f.yaml" if as_yaml else "f.json")
    path.write_text(yaml.safe_dump(document, allow_unicode=True) if as_yaml else json.dumps(document), encoding="utf-8")
    found = read(path)

    assert found.entries or found.objections
    assert all(one.code in CODES and len(str(one)) < 1000 for one in found.objections)
    for one in found.entries:
        assert isinstance(one.stated, StatedNormal | StatedQuantiles)
        assert one.target
        assert one.method


@pytest.mark.parametrize("kind", ["a folder", "a device", "nothing"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero") if kind == "a device" else tmp_path / "f.yaml"
    if kind == "a folder":
        path.mkdir()
    (one,) = read(path).objections

    assert one.code in ("file_missing", "file_unreadable")


def test_a_byte_order_mark_and_the_line_ends_of_another_system_change_nothing(tmp_path: Path) -> None:
    text = "author: jane\nforecasts:\n  - {target: t, normal: {mean: 0.5, sd: 0.1}}\n"
    found = []
    for name, content in (("a.yaml", text.encode()), ("b.yaml", ("\ufeff" + text.replace("\n", "\r\n")).encode())):
        (tmp_path / name).write_bytes(content)
        found.append(read(tmp_path / name))

    assert found[0].author == found[1].author == "jane"
    assert found[0].entries[0].stated == found[1].entries[0].stated == StatedNormal("0.5", "0.1")
