"""params.yaml: unknown keys, bad dates and doubled keys are refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from foresaid import params
from foresaid.errors import ParameterError
from foresaid.laws import _loader as laws

ROOT = Path(__file__).parents[1]


def write(folder: Path, old: str, new: str) -> Path:
    """Copy the real file with one piece of text changed."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "params.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_file_is_sound_and_no_round_is_open() -> None:
    shipped = params.load(ROOT / "params.yaml")

    assert shipped.round is None
    assert all(laws.load(name, settings).name == name for name, settings in shipped.laws.items())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("replicates:", "replicate:", "found the key replicate, expected one of its settings; did you mean replicates?"),
        ('as_of: "2026-11-21"', 'as_of: "21.11.2026"', "expected a quoted date"),
        ("round: null", 'round: {id: "x", as_of: "2026-11-21"}', "found no key deadline"),
        ("round: null", 'round: {id: "x", as_of: "2026-11-21", deadline: "soon"}', "expected a quoted moment"),
        ("split: released", "split: relased", "expected released, listed or larger"),
        ("seed: 20240531", "seed: 1\nseed: 2", "found the key seed twice"),
        ("laws: [observational, compute_sigmoid", "laws: [observation, compute_sigmoid", "found the law observation"),
        ("origin:", "origin: [", "not YAML"),
        ("overall_brier: prompt=zero-shot\n", "overall_brier: 3\n", "expected a setting as text"),
        ("      loss_hinge: *other_runs", "      bleu_log: *other_runs", "found the law bleu_log, expected one of error_loss"),
        ("      loss_hinge: *other_runs", "      loss_hinge: {}", "found {}, expected a list of settings of the law"),
        (
            "    laws: [uplift]",
            "    laws: [uplift]\n    taught_by: {uplift: []}",
            "expected none: only a case of split larger is taught",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ParameterError) as error:
        params.load(write(tmp_path, old, new))

    assert message in str(error.value)


def test_an_unknown_setting_of_a_law_offers_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean components"):
        laws.load("observational", {"component": 3})


def test_an_unknown_law_offers_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean observational"):
        laws.load("observatonal", {})


def test_an_open_rounds_vintage_is_the_vintage_of_the_fits(tmp_path: Path) -> None:
    opened = write(tmp_path, "round: null", 'round: {id: "r", as_of: "2026-12-01", deadline: "2026-12-08T00:00:00Z"}')

    assert str(params.load(opened).fit_as_of) == "2026-12-01"


HOSTILE = {
    "20,000 brackets": (b"a: " + b"[" * 20_000, "inside each other"),
    "not UTF-8": (b"\xff\xfea: 1", "expected UTF-8"),
    "aliases that repeat aliases": (
        "".join(["a: &a0 [x, x]\n", *(f"b{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))]).encode(),
        "with what aliases repeat",
    ),
    "30,000 keys": (b"".join(b"k%d: 1\n" % i for i in range(30_000)), "values"),
    "a list as a key": (b"? [a]\n: 1\n", "a key that is a list"),
    "two megabytes": (b"# " + b"x" * 2_000_000, "bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    content, words = HOSTILE[name]
    (tmp_path / "params.yaml").write_bytes(content)

    with pytest.raises(ParameterError, match=words) as caught:
        params.load(tmp_path / "params.yaml")
    assert "\n" not in str(caught.value)


WRONG: tuple[object, ...] = ("abc", -5, None, [], [None], {"a": 1})


def _places(value: object, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*at, key))


def _changed(document: object, at: tuple[object, ...], new: object) -> object:
    if not at:
        return new
    copy: Any = dict(document) if isinstance(document, dict) else list(cast("list[object]", document))
    copy[at[0]] = _changed(copy[at[0]], at[1:], new)
    return copy


@pytest.mark.slow
def test_a_wrong_value_anywhere_is_read_or_refused_in_one_line() -> None:
    document = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    refused = []
    for at in _places(document):
        for new in WRONG:
            try:
                read = params.parse(_changed(document, at, new))
                laws.load(str(at[1]), read.laws[str(at[1])]) if at[:1] == ("laws",) and len(at) > 1 else None
            except ParameterError as error:
                refused.append(str(error))
    assert len(refused) > 500
    assert [said for said in refused if len(said.splitlines()) != 1] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed: 20240531", "seed: abc", "params.yaml, seed: found 'abc', expected a whole number of at least 0"),
        ("replicates: 200", "replicates: -5", "params.yaml, replicates: found -5, expected a whole number of at least 1"),
        ("components: 3", "components: three", "params.yaml, laws, observational, components: found 'three', expected"),
        ("sources: [\n", "sources: null\nx: [\n", "expected one of its settings"),
    ],
)
def test_a_value_of_another_kind_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    def read() -> None:
        for name, settings in params.load(write(tmp_path, old, new)).laws.items():
            laws.load(name, settings)

    with pytest.raises(ParameterError) as caught:
        read()
    assert message in str(caught.value)


def test_params_in_another_encoding_are_refused(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes("author: Zoë".encode("latin-1"))

    with pytest.raises(ParameterError, match="not UTF-8"):
        params.load(tmp_path / "params.yaml")
