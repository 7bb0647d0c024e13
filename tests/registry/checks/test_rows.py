"""The gate on the tiny registry: each kind of wrong row gives one line that says where, what and what instead."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from foresaid.errors import RecordError
from foresaid.registry import csv_files, formats
from foresaid.registry import load as ingest
from foresaid.registry.checks import row_rules
from foresaid.registry.checks import rows as quality
from foresaid.registry.formats import ObservationRow, QuantityRow

DATA = Path(__file__).parents[2] / "data"
OBSERVATIONS = "sources/tiny/observations.csv"
ROW = "acme/tiny-1b,mmlu,,2024-05-31,0.31,,,2026-11-21,reported,"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    return tmp_path / "registry"


def spoil(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8", newline="")


def refused(registry: Path) -> str:
    with pytest.raises(RecordError) as caught:
        ingest.load(registry, ["tiny"])
    return str(caught.value)


def test_the_tiny_registry_passes(registry: Path) -> None:
    catalogue, loaded = ingest.load(registry, ["tiny"])

    assert (len(catalogue.models), len(catalogue.quantities), len(loaded[0].observations)) == (2, 5, 7)


AT = "registry/sources/tiny/observations.csv, row 2, column "
SPOILT = {
    "percent": (
        ROW.replace("0.31", "31.0"),
        AT + "value: found 31, expected a fraction in [0, 1] for mmlu; this looks like percent: divide by 100",
    ),
    "out of bounds": (ROW.replace("0.31", "-0.1"), AT + "value: found -0.1, expected a fraction in [0, 1] for mmlu"),
    "unknown model": (
        ROW.replace("tiny-1b", "tiny-1bb"),
        AT + "subject_id: found acme/tiny-1bb, expected a known model or run; did you mean acme/tiny-1b?",
    ),
    "unknown quantity": (
        ROW.replace("mmlu", "mmllu"),
        AT + "quantity_id: found mmllu, expected a known quantity; did you mean mmlu?",
    ),
    "NaN": (
        ROW.replace("0.31", "NaN"),
        AT + "value: found NaN, expected a finite number; leave the row out if the value is unknown",
    ),
    "infinity": (ROW.replace("0.31", "1e999"), AT + "value: found 1e999, expected a finite number; its exponent is too large"),
    "impossible compute": (
        ROW.replace("mmlu", "training_flops").replace("0.31", "627e36"),
        AT + "value: found 6.27e+38, expected between 1 and 1e+28 flops; check the unit: plain numbers, not billions or trillions",
    ),
    "zero for missing": (
        ROW.replace("0.31", "0.0"),
        AT + "value: found 0, expected about 0.25 or more: guessing scores that on mmlu; leave the row out if 0 stands for missing",
    ),
    "bad date": (
        ROW.replace("2024-05-31", "2024-05-32"),
        AT + "known_on: found 2024-05-32, expected a day that exists, such as 2024-05-31",
    ),
    "recorded too early": (
        ROW.replace("2026-11-21", "2024-05-30"),
        AT + "recorded_on: found 2024-05-30, expected 2024-05-31 or later: nothing is recorded before it is known",
    ),
    "bad status": (
        ROW.replace("reported", "repotred"),
        AT + "status: found repotred, expected one of reported, revised, withdrawn, suspect",
    ),
    "suspect without a reason": (
        ROW.replace("reported", "suspect"),
        AT + "note: found nothing, expected the reason why the value is suspect",
    ),
    "look-alike": (
        ROW.replace("acme", "\u0430cme"),
        AT
        + "subject_id: found \\u0430cme/tiny-1b with U+0430 CYRILLIC SMALL LETTER A at character 1, expected an id matching "
        + "[a-z0-9][a-z0-9._/-]{0,127}; did you mean acme/tiny-1b?",
    ),
    "short row": (ROW[:-1], AT + "note: found 9 cells, expected 10 cells; the row is cut short"),
    "long row": (ROW + "a, b", AT + "note: found 11 cells, expected 10 cells; quote a cell that holds a comma"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_row_gives_one_line_with_file_row_column_found_and_expected(name: str, registry: Path) -> None:
    row, expected = SPOILT[name]
    spoil(registry / OBSERVATIONS, ROW, row)

    assert expected == refused(registry)


def test_627_trillion_training_tokens_are_refused_unless_suspect_with_a_reason(registry: Path) -> None:
    row = "acme/tiny-1b,training_tokens,,2024-05-31,{},,,2026-11-21,{},{}"
    spoil(registry / OBSERVATIONS, row.format("200000000000", "reported", ""), row.format("627e12", "reported", ""))
    expected = "row 3, column value: found 627000000000000, expected between 1 and 1e+14 tokens"

    assert expected in refused(registry)

    reason = "627 B are meant"
    spoil(registry / OBSERVATIONS, row.format("627e12", "reported", ""), row.format("627e12", "suspect", reason))
    ingest.load(registry, ["tiny"])


def test_627_trillion_training_tokens_of_a_model_are_refused(registry: Path) -> None:
    spoil(registry / "models.csv", ",200000000000,", ",627000000000000,")
    expected = "registry/models.csv, row 2, column training_tokens: found 627000000000000, expected between 10000 and 1e+14 tokens"

    assert refused(registry).startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        (",1000000000,1000000000,", ",1,1,", "params_total"),
        (",1000000000,1000000000,", ",1000000000,1,", "params_active"),
        (",200000000000,1.2e+21,", ",200,1.2e+21,", "training_tokens"),
        (",200000000000,1.2e+21,", ",200000000000,1.2,", "training_flops"),
    ],
)
def test_a_model_in_billions_is_refused(old: str, new: str, column: str, registry: Path) -> None:
    spoil(registry / "models.csv", old, new)

    assert f"registry/models.csv, row 2, column {column}: found" in refused(registry)
    assert "check the unit: plain numbers, not billions or trillions" in refused(registry)


@pytest.mark.parametrize(
    ("kind", "unit", "lower", "upper", "expected"),
    [
        ("index", "points", 0.0, 3000.0, "a rating above 0"),
        ("index", "points", 0.0, 100.0, ""),  # a Brier index
        ("index", "points", -200.0, 400.0, ""),  # the capabilities index
        ("index", "fraction", 0.0, 1.0, ""),  # a rating scaled to 0-1 over its table
        ("loss", "nats_per_token", 0.0, 20.0, "a loss above 0"),
        ("size", "words", 0.0, None, "10000 or more words"),
    ],
)
def test_zero_is_no_loss_no_rating_and_no_size(kind: str, unit: str, lower: float, upper: float | None, expected: str) -> None:
    quantity = QuantityRow("q", "q", kind, unit, lower, upper, None, "none", None, "", "", "s")
    row = ObservationRow("m", "q", "", date(2026, 1, 1), 0.0, None, None, date(2026, 1, 2), "reported", "")
    told = [rule.expected(row, quantity) for _, rule in row_rules.broken([row], {"q": quantity})]

    assert told == ([f"{expected} for q"] if expected else [])


def test_a_duplicate_key_with_another_value_names_both_rows(registry: Path) -> None:
    spoil(registry / OBSERVATIONS, ROW, ROW + "\n" + ROW.replace("0.31", "0.32"))
    expected = (
        "registry/sources/tiny/observations.csv, row 3, column value: found 0.32, expected 0.31 as in row 2 for "
        "acme/tiny-1b, mmlu, 2024-05-31; keep one, or give the revision its own known_on"
    )

    assert expected == refused(registry)


def test_a_repeated_row_is_refused_even_if_it_says_the_same(registry: Path) -> None:
    spoil(registry / OBSERVATIONS, ROW, ROW + "\n" + ROW)

    assert "row 2 says the same: remove one" in refused(registry)


@pytest.mark.parametrize("cut", [1, 7, 30, 60])
def test_a_truncated_file_is_refused_wherever_it_was_cut(cut: int, registry: Path) -> None:
    path = registry / OBSERVATIONS
    path.write_bytes(path.read_bytes()[:-cut])

    assert "cut short" in refused(registry)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("subject_id,", "\ufeffsubject_id,", "row 1, column -: found a byte-order mark, expected UTF-8 without one"),
        ("\n", "\r\n", "row 1, column -: found a carriage return, expected lines that end with LF alone"),
        ("stderr,n,", "n,stderr,", "row 1, column n: found the header 'n', expected the header subject_id,quantity_id"),
        (ROW, ROW + '"a\nb"', "found a line break inside a cell, expected one line a row"),
        (ROW, ROW + '"open', "a quote is missing or the file is cut"),
    ],
)
def test_a_file_in_another_spelling_is_refused(old: str, new: str, expected: str, registry: Path) -> None:
    spoil(registry / OBSERVATIONS, old, new)

    assert expected in refused(registry)


def test_bytes_that_are_not_utf8_are_named_with_their_row(registry: Path) -> None:
    path = registry / OBSERVATIONS
    path.write_bytes(path.read_bytes().replace(b"acme/tiny-7b", b"acme/tiny-\xff", 1))

    assert "row 4, column -: found byte 0xff, expected UTF-8" in refused(registry)


def test_ten_problems_are_shown_and_all_are_counted(registry: Path) -> None:
    rows = "".join(ROW.replace("tiny-1b", f"nobody-{number}") + "\n" for number in range(25))
    spoil(registry / OBSERVATIONS, ROW + "\n", rows)
    lines = refused(registry).splitlines()

    assert (len(lines), lines[-1]) == (11, "... and 15 more: 25 bad rows in all, nothing was loaded")


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("models.csv", "acme/tiny-7b,", "acme/tiny-1b,", "models.csv, row 3, column model_id: found acme/tiny-1b again"),
        (
            "models.csv",
            "2024-01-15,day",
            "2024-01-15,",
            "row 2, column released_precision: found nothing, expected day or month",
        ),
        ("models.csv", "https://example.org/tiny-1b", "", "row 2, column release_source: found nothing, expected a source"),
        (
            "models.csv",
            "1000000000,1000000000",
            "1000000000,2000000000",
            "column params_active: found 2000000000, expected at most",
        ),
        ("models.csv", "acme/tiny-1b", "Acme/tiny-1b", "column model_id: found Acme/tiny-1b, expected an id matching"),
        ("quantities.csv", ",fraction,0,1,", ",fraction,1,0,", "column upper: found 0, expected more than lower 1"),
        ("quantities.csv", "0.25", "25", "row 2, column chance: found 25, expected a fraction in [0, 1]"),
        ("quantities.csv", "2009.03300,tiny", "2009.03300,tinny", "column resolver: found tinny, expected a folder of"),
        ("quantities.csv", ",fraction,", ",percent,", "column unit: found percent, expected one of fraction"),
        (
            "aliases.csv",
            "model,acme/tiny-7b",
            "model,acme/tiny-8b",
            "column id: found acme/tiny-8b, expected a model of the record",
        ),
        ("sources/tiny/subjects.csv", "tiny/run-a,run", "acme/tiny-1b,run", "it is a model of models.csv"),
    ],
)
def test_the_other_files_pass_the_gate_too(file: str, old: str, new: str, expected: str, registry: Path) -> None:
    spoil(registry / file, old, new)

    assert expected in refused(registry)


def test_a_value_that_never_was_text_is_checked_for_being_finite() -> None:
    table = csv_files.read(DATA / "registry/models.csv", "models.csv", formats.MODELS)
    quantities = csv_files.read(DATA / "registry/quantities.csv", "quantities.csv", formats.QUANTITIES)
    known = quality.Known({row.model_id: row for row in table.items}, {row.quantity_id: row for row in quantities.items})
    day = date(2024, 5, 31)
    row = formats.ObservationRow("acme/tiny-1b", "mmlu", "", day, float("nan"), None, None, day, "reported", "")

    assert [str(problem) for problem in quality.observations([row], [("scores.csv", 9)], [], known)] == [
        "scores.csv, row 9, column value: found nan, expected a finite number; leave the row out if the value is unknown"
    ]


@pytest.mark.parametrize(
    ("quantity", "value", "expected"),
    [
        ("loss", 0.0, "a loss above 0 for q"),
        ("tokens", 2.05808128, "10000 or more tokens for q"),
        ("parameters", 7.0, "100000 or more parameters for q"),
        ("flops", 8.4, "1000000000000 or more flops for q"),
        ("loss", 3.5, ""),
        ("tokens", 2058081280.0, ""),
    ],
)
def test_a_loss_of_zero_and_a_slip_of_units_downwards_are_refused(quantity: str, value: float, expected: str) -> None:
    loss = quantity == "loss"
    card = formats.QuantityRow(
        *("q", "q", "loss" if loss else "size", "nats_per_token" if loss else quantity, 0.0 if loss else 1.0, 1e30, None),
        *("lower" if loss else "none", None, "", "", "tiny"),
    )
    row = formats.ObservationRow("run", "q", "", date(2024, 5, 31), value, None, None, date(2026, 11, 21), "reported", "")
    broken = row_rules.broken([row], {"q": card})

    assert [rule.expected(row, card) for _, rule in broken] == [expected] * bool(expected)
