"""Bringing an upstream in: what is new is appended, what differs is revised, what went wrong changes nothing."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.worlds.tiny import read

from foresaid.errors import ForesaidError, RecordError, UnreadableError
from foresaid.registry import load as ingest
from foresaid.registry.update.revisions import Change
from foresaid.registry.update.update import update
from foresaid.sources._reading import Reading, RunSubject

DATA = Path(__file__).parents[2] / "data"
TODAY = date(2026, 11, 21)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the tiny registry and its mirror."""
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    shutil.copytree(DATA / "mirror", tmp_path / "mirror")
    return tmp_path


def bring(home: Path) -> Change:
    return update("tiny", home / "mirror", home / "registry", TODAY, read)


def folder(home: Path) -> Path:
    return home / "registry/sources/tiny"


def contents(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder(home).iterdir()}


def edit(home: Path, vintage: str, old: str, new: str) -> None:
    """Change an upstream file and pin its new SHA-256, as if the upstream had always been so."""
    path = home / "mirror" / f"tiny@{vintage}" / "scores.csv"
    before = path.read_bytes()
    assert old.encode() in before
    after = before.replace(old.encode(), new.encode(), 1)
    path.write_bytes(after)
    card = folder(home) / "source.toml"
    pinned = card.read_text().replace(hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest())
    card.write_text(pinned)


def refused(home: Path) -> str:
    before = contents(home)
    with pytest.raises(ForesaidError) as caught:
        bring(home)
    assert before == contents(home)
    return str(caught.value)


def test_the_embedded_files_are_what_update_makes_of_the_mirror(home: Path) -> None:
    embedded = contents(home)
    (folder(home) / "observations.csv").unlink()
    (folder(home) / "subjects.csv").unlink()
    change = bring(home)

    assert embedded == contents(home)
    assert [(len(v.new), len(v.revised), len(v.gone), v.same) for v in change.vintages] == [(4, 0, 0, 0), (2, 1, 0, 3)]


def test_running_it_again_changes_nothing(home: Path) -> None:
    before = contents(home)
    change = bring(home)

    assert (0, before) == (change.rows, contents(home))


def test_a_difference_in_the_last_bit_is_not_a_revision() -> None:
    content = (DATA / "registry/sources/tiny/observations.csv").read_text()

    assert "0.31," in content
    assert "0.31000000000000005" not in content


def test_a_revised_value_is_a_new_row_and_the_old_row_stays(home: Path) -> None:
    before = (folder(home) / "observations.csv").read_text().splitlines()
    edit(home, "2024-10-01", "0.45", "0.46")
    (folder(home) / "observations.csv").write_text("".join(line + "\n" for line in before if ",0.45," not in line))
    bring(home)
    after = (folder(home) / "observations.csv").read_text().splitlines()

    assert {"acme/tiny-7b,mmlu,,2024-10-01,0.46,,,2026-11-21,revised,"} == set(after) - set(before)


def test_a_value_that_is_gone_upstream_stays_and_a_withdrawn_row_follows_it(home: Path) -> None:
    before = (folder(home) / "observations.csv").read_text().splitlines()
    edit(home, "2024-10-01", "Acme/Tiny-1B,0.31000000000000005,", "Acme/Tiny-1B,,")
    change = bring(home)
    after = (folder(home) / "observations.csv").read_text().splitlines()

    assert [row.subject_id for row in change.vintages[1].gone] == ["acme/tiny-1b"]
    assert [line for line in after if line in before] == before
    withdrawn = "acme/tiny-1b,mmlu,,2024-10-01,0.31,,,2026-11-21,withdrawn,no longer in the upstream"
    assert set(after) - set(before) == {withdrawn}
    expected = "  gone acme/tiny-1b mmlu: 0.31 of 2024-05-31 stays on the record, a withdrawn row follows it"
    assert expected in change.lines()
    assert bring(home).rows == 0


def test_a_file_that_is_not_the_pinned_one_is_refused_with_both_hashes(home: Path) -> None:
    path = home / "mirror/tiny@2024-10-01/scores.csv"
    pinned = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + b"\n")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    message = refused(home)

    assert message.startswith(f"tiny@2024-10-01/scores.csv, column sha256: found {found} (")
    assert f"expected {pinned} (" in message


def test_a_missing_file_is_named(home: Path) -> None:
    (home / "mirror/tiny@2024-05-31/scores.csv").unlink()

    assert "tiny@2024-05-31/scores.csv, column sha256: found No such file or directory" in refused(home)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0.45", "45.0", "row 2, column value: found 45, expected a fraction in [0, 1] for mmlu; this looks like percent"),
        (
            "Acme/Tiny-1B",
            "Acme/Tiny-1C",
            "row 3, column model: found Acme/Tiny-1C, expected a model of models.csv or aliases.csv",
        ),
        ("0.45", "NaN", "row 2, column mmlu: found NaN, expected a finite number, or nothing where the value is missing"),
        (
            ",200000000000",
            ",627000000000000",
            "row 3, column value: found 627000000000000, expected between 1 and 1e+14 tokens",
        ),
        (
            "tiny/run-a",
            "Acme/Tiny-1B",
            "row 4, column value: found 0.27, expected 0.31000000000000005 as in row 3 for acme/tiny-1b",
        ),
        (",20000000000\n", "\n", "row 4, column training_tokens: found 2 cells, expected 3 cells; the row is cut short"),
        ("Model,mmlu", "Model,MMLU", "row 1, column mmlu: found no such column, expected this column"),
        ("training_tokens\n", "training_tokens,extra\n", "row 1, column extra: found an unknown column"),
        ("Model,mmlu", "Model,Model", "row 1, column Model: found the column twice"),
    ],
)
def test_one_wrong_cell_upstream_gives_one_clear_line_and_changes_nothing(old: str, new: str, expected: str, home: Path) -> None:
    edit(home, "2024-10-01", old, new)

    assert f"tiny@2024-10-01/scores.csv, {expected}" in refused(home)


def test_a_vintage_that_changed_after_the_fact_is_refused(home: Path) -> None:
    edit(home, "2024-05-31", "0.44", "0.43")

    assert "found 0.43, expected 0.44 as in registry/sources/tiny/observations.csv, row 4 for acme/tiny-7b" in refused(home)


def test_all_problems_of_all_vintages_are_shown_together(home: Path) -> None:
    (folder(home) / "observations.csv").unlink()
    edit(home, "2024-05-31", "0.44", "44")
    edit(home, "2024-10-01", "0.45", "45")
    lines = refused(home).splitlines()

    assert [line.split(",")[0] for line in lines] == ["tiny@2024-05-31/scores.csv", "tiny@2024-10-01/scores.csv"]


def test_a_value_from_a_file_that_is_not_listed_is_refused(home: Path) -> None:
    def stray(path: Path) -> Reading:
        reading = read(path)
        return replace(reading, scores=[replace(score, file="elsewhere/scores.csv") for score in reading.scores])

    with pytest.raises(RecordError, match="values from a file nobody verified"):
        update("tiny", home / "mirror", home / "registry", TODAY, stray)


def test_a_run_that_changes_its_family_is_refused(home: Path) -> None:
    def moved(path: Path) -> Reading:
        return replace(read(path), subjects=[RunSubject("tiny/run-a", "run", "tiny/run-a", "other-runs")])

    with pytest.raises(RecordError, match=r"column tiny/run-a: found run, tiny/run-a, other-runs"):
        update("tiny", home / "mirror", home / "registry", TODAY, moved)


def test_a_value_that_becomes_suspect_is_pointed_out_and_not_rewritten(home: Path) -> None:
    before = contents(home)

    def doubtful(path: Path) -> Reading:
        reading = read(path)
        return replace(reading, scores=[replace(score, status="suspect", note="doubtful") for score in reading.scores])

    change = update("tiny", home / "mirror", home / "registry", TODAY, doubtful)

    assert (4, before) == (len(change.vintages[0].restated), contents(home))


def test_a_recording_day_before_the_vintage_is_refused(home: Path) -> None:
    (folder(home) / "observations.csv").unlink()
    with pytest.raises(RecordError, match="nothing is recorded before it is known"):
        update("tiny", home / "mirror", home / "registry", date(2024, 6, 1), read)
    assert not (folder(home) / "observations.csv").exists()


def test_a_source_without_reader_is_named_with_those_that_have_one(home: Path) -> None:
    with pytest.raises(
        UnreadableError, match=r"source tiny: found no reader, expected one of .*finetune-loss, forecastbench, gadre"
    ):
        update("tiny", home / "mirror", home / "registry", TODAY)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("publisher =", "publsher =", "column publsher: found an unknown key"),
        ("known_on = 2024-05-31", 'known_on = "2024-05-31"', "column known_on: found '2024-05-31', expected a date"),
        ("known_on = 2024-05-31", "known_on = 2024-10-01", "column known_on: found two vintages of one day"),
        ('path = "scores.csv"', 'path = "../scores.csv"', "column path: found ../scores.csv, expected a path below"),
        ('sha256 = "', 'sha256 = "x', "expected 64 hexadecimal digits in lower case"),
        ("title = ", "title ", "expected TOML in UTF-8"),
    ],
)
def test_a_wrong_card_is_refused_by_entry(old: str, new: str, expected: str, home: Path) -> None:
    card = folder(home) / "source.toml"
    content = card.read_text()
    assert old in content
    card.write_text(content.replace(old, new, 1))

    assert expected in refused(home)


def test_ingest_reads_what_update_wrote(home: Path) -> None:
    _, loaded = ingest.load(home / "registry", ["tiny"])

    assert {"tiny/run-a", "acme/tiny-1b", "acme/tiny-7b"} == {row.subject_id for row in loaded[0].observations}
