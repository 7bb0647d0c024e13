"""params.yaml: unknown keys, bad dates and doubled keys are refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

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


@pytest.mark.parametrize(("key", "value"), [("replicates", "[1]"), ("seed", "yes"), ("sources", "one"), ("hindcast", "[1]")])
def test_a_value_of_another_kind_is_named(tmp_path: Path, key: str, value: str) -> None:
    lines = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
    end = next((i for i in range(start + 1, len(lines)) if lines[i][:1] not in (" ", "-", "#", "")), len(lines))
    (tmp_path / "params.yaml").write_text("\n".join([*lines[:start], f"{key}: {value}", *lines[end:]]), encoding="utf-8")

    with pytest.raises(ParameterError, match=f"params.yaml, {key}"):
        params.load(tmp_path / "params.yaml")
