"""Strict JSON: whatever two programs would read differently is refused in one line."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foresaid.sources._formats.results import DEPTH, number, parse, pointer, shown, word

REFUSED = [
    (b'{"a": 1, "a": 1}', "the key a twice"),
    (b'{"a": {"b": 1, "c": 2, "b": 3}}', "the key b twice"),
    (b'{"a": 1', "JSON"),
    (b"", "JSON"),
    (b"\xff\xfe{}", "UTF-8"),
    (b"[" * 100_000, "levels"),
    (b"[" * (DEPTH + 2) + b"]" * (DEPTH + 2), "levels"),
    (b'{"a": ' + b"9" * 5000 + b"}", "thousands of digits"),
    (b'{"a": "\\ud800"}', "lone surrogate"),
]


@pytest.mark.parametrize(("raw", "expected"), REFUSED)
def test_json_that_means_two_things_is_one_problem_with_its_file(raw: bytes, expected: str) -> None:
    tree, problem = parse(raw, "results.json")

    assert tree is None
    assert problem is not None
    assert expected in str(problem)
    assert str(problem).startswith("results.json")
    assert "\n" not in str(problem)


def test_a_plain_document_is_read() -> None:
    assert parse(b'{"a": [1, 2.5, null, "x"]}', "x.json") == ({"a": [1, 2.5, None, "x"]}, None)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_no_value_breaks_a_message(value: object) -> None:
    assert "\n" not in shown(value)
    assert len(shown(value)) <= 60


@given(st.floats() | st.integers() | st.booleans() | st.text())
def test_only_a_finite_number_is_one(value: object) -> None:
    """Against the printed form: a finite number prints as one, and neither `true` nor text in quotes does."""
    printed = json.dumps(value)
    finite = re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", printed) is not None

    assert number(value) == (float(printed) if finite else None)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_a_pointer_is_one_line_and_keeps_its_parts_apart(keys: list[str]) -> None:
    found = pointer(*keys)

    assert len(keys) == found.count("/")
    assert found.isprintable()


@given(st.text() | st.floats() | st.integers(0, 10**30))
def test_a_word_of_a_setting_holds_nothing_that_separates_settings(value: object) -> None:
    assert not set(word(value)) & set(";=,\n\r\t\"' ")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | st.from_type(int).map(lambda n: json.dumps(n).encode()))
def test_any_bytes_are_a_document_or_a_problem(raw: bytes) -> None:
    tree, problem = parse(raw, "x.json")

    if problem is not None:
        assert tree is None
    else:
        assert json.dumps(tree) == json.dumps(json.loads(raw))  # as text, since NaN is not itself
