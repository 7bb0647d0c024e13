"""params.yaml: unknown keys, bad dates and doubled keys are refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import strategies as st

from foresaid import params
from foresaid.cli.main import main
from foresaid.errors import ParameterError
from foresaid.laws import _loader as laws
from foresaid.laws._capability_record import read_choices

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


OPENED = {
    "id": "2026-12", "as_of": "2026-12-01", "deadline": "2026-12-08T00:00:00Z", "targets": ["acme/tiny"], "publish_within": 90,
    "reveal_by": "2026-12-20T00:00:00Z", "closes": "2027-12-08",
}  # fmt: skip
DOCUMENT = {**yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")), "round": OPENED}
PLACES = sorted(_places(DOCUMENT), key=repr)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(2**63)])
TEXTS = st.text(max_size=30) | st.dates().map(str) | st.sampled_from(["9999-12-31T00:00:00Z", "mmlu", "larger", "unknown"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=5,
)


def read_all(document: object) -> None:
    """Read the settings as the stages do: the file, every law, the section of the capability law, and what follows from a round."""
    read = params.parse(document)
    for name, settings in read.laws.items():
        laws.load(name, settings)
    if read.capability:
        read_choices(read.capability)
    if read.round:
        assert read.round.opened_until
        assert read.round.closes_on


def test_the_document_that_is_changed_below_is_sound() -> None:
    read_all(DOCUMENT)


@pytest.mark.slow
def test_a_wrong_value_anywhere_is_read_or_refused_in_one_line() -> None:
    refused = []
    for at in PLACES:
        for new in WRONG:
            try:
                read = params.parse(_changed(DOCUMENT, at, new))
                laws.load(str(at[1]), read.laws[str(at[1])]) if at[:1] == ("laws",) and len(at) > 1 else None
            except ParameterError as error:
                refused.append(str(error))
    assert len(refused) > 500
    assert [said for said in refused if len(said.splitlines()) != 1] == []


@hypothesis.settings(max_examples=500)
@hypothesis.given(at=st.sampled_from(PLACES), new=VALUES)
def test_any_value_of_any_setting_is_read_or_refused_in_one_line_that_names_it(at: tuple[object, ...], new: object) -> None:
    said = "params.yaml"
    try:
        read_all(_changed(DOCUMENT, at, new))
    except ParameterError as error:
        said = str(error)

    assert len(said.splitlines()) == 1
    assert "params.yaml" in said or said.startswith("laws: found")
    assert len(said) < 2000


@pytest.mark.parametrize("new", WRONG, ids=repr)
@pytest.mark.parametrize("key", ["seed", "replicates", "sources", "laws", "as_of", "hindcast", "rolling", "round", "origin"])
def test_the_program_answers_a_wrong_setting_with_one_line_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, new: object
) -> None:
    """No stage has run in this folder, so a setting that can be read leads to another refusal in one line."""
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({**DOCUMENT, key: new}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["predict", "chinchilla", "gadre_c4_loss"])

    assert isinstance(done.exception, SystemExit)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1), done.output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed: 20240531", "seed: abc", "params.yaml, seed: found 'abc', expected a whole number of at least 0"),
        ("replicates: 200", "replicates: -5", "params.yaml, replicates: found -5, expected a whole number of at least 1"),
        ("components: 3", "components: three", "params.yaml, laws, observational, components: found 'three', expected"),
        ("components: 3", "components: 0", "params.yaml, laws, observational, components: found 0, expected `int` >= 1"),
        ("slope_limit: 12.0", "slope_limit: -5", "params.yaml, laws, observational, slope_limit: found -5, expected `float` > 0.0"),
        ("slope_limit: 12.0", "slope_limit: .nan", "slope_limit: found nan, expected a number of at most"),
        ("slope_limit: 12.0", 'slope_limit: ""', "slope_limit: found '', expected `float`"),
        ("every: 8 ", "every: 1" + "0" * 400 + " ", "params.yaml, laws, growth, every: found 1000"),
        (
            "training_words, at_least: 5",
            "training_words, at_least: many",
            "series, koehn_knowles_bleu, at_least: found 'many', expected",
        ),
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
