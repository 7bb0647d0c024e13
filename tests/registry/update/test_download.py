"""The next download of an upstream: recognised by key, shown before it is taken, appended, and taken once."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from foresaid.cli.main import main
from foresaid.errors import ForesaidError, RecordError, UnreadableError
from foresaid.registry import load as ingest
from foresaid.registry import source_card
from foresaid.registry.update import download as newer
from foresaid.registry.update import on_demand
from foresaid.registry.update.revisions import UpstreamRevision
from foresaid.registry.update.update import Download, update
from foresaid.sources._reading import Reading, Score
from foresaid.sources._upstream import table

DATA = Path(__file__).parents[2] / "data"
TODAY = date(2026, 11, 21)
DAY = date(2025, 3, 1)
COLUMNS = ["Model", "mmlu", "training_tokens"]
LAST = (
    "Model,mmlu,training_tokens\nAcme/Tiny-7B-hf,0.45,1000000000000\nAcme/Tiny-1B,0.31,200000000000\ntiny/run-a,0.27,20000000000\n"
)


def read(folder: Path) -> Reading:
    """Read one vintage of the tiny source; every name is a model here."""
    scores = [
        Score(line.text("Model"), column, "", float(line.number(column)), file=line.file, row=line.row)
        for line in table(folder, "scores.csv", COLUMNS, ignored="remarks")
        for column in COLUMNS[1:]
        if line.decimal(column) is not None
    ]
    return Reading(scores, [])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the tiny registry, its mirror and a newer download beside it."""
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    shutil.copytree(DATA / "mirror", tmp_path / "mirror")
    models = tmp_path / "registry/models.csv"
    row = "tiny/run-a,tiny,Acme,2024-02-01,day,https://example.org/a,,,,,base,\n"
    models.write_text(models.read_text() + row)
    for name in ("subjects.csv",):
        (tmp_path / "registry/sources/tiny" / name).unlink()
    write(tmp_path, LAST)
    return tmp_path


def write(home: Path, content: str, name: str = "scores.csv") -> None:
    (home / "mirror/tiny@2025-03-01").mkdir(exist_ok=True)
    (home / "mirror/tiny@2025-03-01" / name).write_bytes(content.encode())


def bring(home: Path, day: date = DAY, dry_run: bool = False, skip_unknown: bool = False) -> UpstreamRevision:
    download, folder = Download(day, against=home / "mirror"), home / "mirror/tiny@2025-03-01"
    return update("tiny", folder, home / "registry", TODAY, read, download=download, dry_run=dry_run, skip_unknown=skip_unknown)


def record(home: Path) -> list[str]:
    return (home / "registry/sources/tiny/observations.csv").read_text().splitlines()


def files(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (home / "registry").rglob("*") if path.is_file()}


def refused(home: Path, day: date = DAY) -> str:
    before = files(home)
    with pytest.raises(ForesaidError) as caught:
        bring(home, day)
    assert before == files(home)
    return str(caught.value)


def test_new_revised_and_removed_rows_are_found_whatever_their_order_and_old_lines_stay_byte_for_byte(home: Path) -> None:
    before = record(home)
    write(home, "mmlu,training_tokens,Model\n0.33,200000000000,Acme/Tiny-1B\n0.45,,Acme/Tiny-7B-hf\n0.27,20000000000,tiny/run-a\n")
    change = bring(home)
    after = record(home)

    assert [line for line in after if line in before] == before
    assert set(after) - set(before) == {
        "acme/tiny-1b,mmlu,,2025-03-01,0.33,,,2026-11-21,revised,",
        "acme/tiny-7b,training_tokens,,2025-03-01,1000000000000,,,2026-11-21,withdrawn,no longer in the upstream",
    }
    assert "  revised acme/tiny-1b mmlu: 0.31 -> 0.33" in change.lines()
    assert "  scores.csv: columns: in another order (they are read by name)" in change.lines()


def test_the_second_run_changes_nothing(home: Path) -> None:
    write(home, LAST.replace("0.45", "0.46"))
    bring(home)
    before = files(home)
    second = bring(home)

    assert (0, before) == (second.rows, files(home))


def test_the_download_becomes_a_vintage_of_the_card_and_the_rest_of_the_card_stays(home: Path) -> None:
    path = home / "registry/sources/tiny/source.toml"
    before = path.read_bytes()
    write(home, LAST.replace("0.45", "0.46"))
    bring(home)
    added = source_card.read(path, "source.toml", "tiny").vintages[-1]

    assert path.read_bytes().startswith(before.rstrip(b"\n"))
    assert (added.known_on, added.directory) == (DAY, "tiny@2025-03-01")
    assert source_card.verify(added, home / "mirror") == []
    assert update("tiny", home / "mirror", home / "registry", TODAY, read).rows == 0


def test_a_dry_run_shows_everything_and_writes_nothing(home: Path) -> None:
    before = files(home)
    write(home, LAST.replace("0.45", "0.46"))
    change = bring(home, dry_run=True)

    assert before == files(home)
    assert change.lines()[-1] == "tiny: 1 rows and 0 subjects would be appended"


def test_the_same_files_again_are_no_vintage(home: Path) -> None:
    before = files(home)
    shutil.copy(home / "mirror/tiny@2024-10-01/scores.csv", home / "mirror/tiny@2025-03-01/scores.csv")
    change = bring(home)

    assert before == files(home)
    assert "the files are those of 2024-10-01, byte for byte: no vintage is added" in change.vintages[0].notes


def test_a_value_that_comes_back_is_a_row_of_its_own(home: Path) -> None:
    write(home, LAST.replace("Acme/Tiny-1B,0.31,", "Acme/Tiny-1B,,"))
    bring(home)
    write(home, LAST)
    bring(home, date(2025, 4, 1))

    assert "acme/tiny-1b,mmlu,,2025-04-01,0.31,,,2026-11-21,revised,in the upstream again" in record(home)


def test_a_part_of_an_upstream_takes_nothing_back(home: Path) -> None:
    write(home, "Model,mmlu,training_tokens\nAcme/Tiny-1B,0.32,\n")
    download = Download(DAY, part=True)
    change = update("tiny", home / "mirror/tiny@2025-03-01", home / "registry", TODAY, read, download=download)

    assert (change.rows, change.vintages[0].gone) == (1, [])
    assert source_card.read(home / "registry/sources/tiny/source.toml", "source.toml", "tiny").vintages[-1].part


def test_a_model_that_was_out_before_the_last_vintage_is_called_late(home: Path) -> None:
    models = home / "registry/models.csv"
    models.write_text(models.read_text() + "zeta/old,zeta,Zeta,2023-01-01,day,https://example.org/z,,,,,base,\n")
    models.write_text(models.read_text() + "zeta/young,zeta,Zeta,2024-12-24,day,https://example.org/z,,,,,base,\n")
    write(home, LAST + "Zeta/Old,0.28,\nZeta/Young,0.29,\n")
    change = bring(home)

    assert [row.model_id for row in change.vintages[0].late] == ["zeta/old"]
    assert "  added late zeta/old: released 2023-01-01, on this board only now" in change.lines()


def test_unknown_models_stop_an_update_or_are_left_out_and_counted(home: Path) -> None:
    write(home, LAST.replace("0.45", "0.46") + "Acme/Tiny-1B-fp8,0.3,1\n")

    assert "did you mean acme/tiny-1b? (the same weights in fp8: a setting, not another model)" in refused(home)
    change = bring(home, skip_unknown=True)
    assert change.rows == 1
    assert [reason.split(":")[0] for reason in change.vintages[0].skipped] == ["unknown model Acme/Tiny-1B-fp8"]


def test_new_renamed_and_missing_files_are_named(home: Path) -> None:
    write(home, LAST.replace("0.45", "0.46"))
    write(home, "anything", "extra.csv")

    assert "file extra.csv: new, not read: the reader does not know it" in bring(home).vintages[0].notes


def test_columns_that_come_go_move_or_change_their_name_are_told_apart(tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("Model,a,b,gone\nx,1,4,7\ny,2,5,8\nz,3,6,9\n")
    new.write_text("Model,b,A score,fresh\nx,4,1,0\ny,5,2,0\nz,6,3,0\n")

    assert newer.columns(old, new) == [
        "column a: renamed to A score, with the same values",
        "column gone: gone",
        "column fresh: new",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (LAST.replace("Model,", "Model,mmlu,", 1), "row 1, column mmlu: found the column twice"),
        (LAST.replace("mmlu", " mmlu", 1), "' mmlu' begins or ends with a blank"),
        (LAST.replace("mmlu", "mmlu_5shot", 1), "found no such column, expected this column; is it now mmlu_5shot?"),
        (LAST.replace(",training_tokens\n", "\n", 1), "column training_tokens: found no such column"),
        ("Some title,,\n" + LAST, "row 1, column -: found a line above the header, expected the header, now in row 2"),
        (LAST + LAST, "found the header again, expected a row of values"),
        (LAST.replace("0.45", "45"), "this looks like percent: divide by 100"),
        (LAST.replace("0.45", "+5/-5"), "column mmlu: found +5/-5, expected a number, or nothing where the value is missing"),
        (LAST.replace("0.45", "0.0"), "leave the row out if 0 stands for missing"),
        (LAST.replace("0.45", "0.4\0"), "row 2, column -: found a NUL, expected text"),
        ("", "column Model: found no such column"),
    ],
)
def test_a_spoilt_download_is_refused_with_one_clear_line_and_nothing_is_written(content: str, expected: str, home: Path) -> None:
    write(home, content)
    message = refused(home)

    assert expected in message
    assert message.startswith("tiny@2025-03-01/scores.csv")


@pytest.mark.parametrize(
    "content",
    [LAST.replace("\n", "\r\n"), "\ufeff" + LAST, LAST.replace("tokens\n", "tokens,remarks\n", 1).replace("000\n", "000,x\n")],
)
def test_windows_line_ends_a_byte_order_mark_and_a_column_the_reader_leaves_out_are_handled(content: str, home: Path) -> None:
    write(home, content)

    assert bring(home).rows == 0


def test_an_older_day_a_future_day_and_another_download_of_a_day_are_refused(home: Path) -> None:
    write(home, LAST.replace("0.45", "0.46"))

    assert "expected a day after the last vintage of tiny, 2024-10-01" in refused(home, date(2024, 9, 1))
    assert "expected 2026-11-21 or earlier" in refused(home, date(2026, 12, 1))
    bring(home)
    write(home, LAST.replace("0.45", "0.47"))
    assert "found 2025-03-01, the day of a vintage with other files" in refused(home)


def test_a_reader_that_stops_on_something_it_did_not_foresee_is_a_refusal(home: Path) -> None:
    def broken(folder: Path) -> Reading:
        raise KeyError(folder.name)

    with pytest.raises(RecordError, match="the reader of tiny stopped at KeyError"):
        update("tiny", home / "mirror/tiny@2025-03-01", home / "registry", TODAY, broken, download=Download(DAY))


def test_a_copy_of_another_model_is_taken_in_as_suspect(home: Path) -> None:
    quantities = home / "registry/quantities.csv"
    named = [f"task_{number}" for number in range(5)]
    for name in named:
        quantities.write_text(quantities.read_text() + f"{name},T,benchmark,fraction,0,1,,higher,,,r,tiny\n")
    ingest.sort(home / "registry")
    values = ",".join(f"0.{number}37" for number in range(1, 6))

    def wide(folder: Path) -> Reading:
        lines = table(folder, "scores.csv", ["Model", *named])
        return Reading(
            [Score(x.text("Model"), n, "", float(x.number(n)), file=x.file, row=x.row) for x in lines for n in named], []
        )

    write(home, f"Model,{','.join(named)}\nAcme/Tiny-7B-hf,{values}\nAcme/Tiny-1B,{values}\n")
    change = update("tiny", home / "mirror/tiny@2025-03-01", home / "registry", TODAY, wide, download=Download(DAY, part=True))
    assert {(row.status, row.subject_id) for row in change.vintages[0].new} == {
        ("suspect", "acme/tiny-1b"),
        ("suspect", "acme/tiny-7b"),
    }
    assert "the same 5 values to the digit as acme/tiny-1b" in change.vintages[0].new[0].note


def test_a_source_with_an_unclear_licence_is_read_into_build_and_never_into_the_record(home: Path) -> None:
    path = home / "registry/sources/tiny/source.toml"
    path.write_text(path.read_text().replace('redistribution = "yes"', 'redistribution = "unclear"'))
    (home / "registry/sources/tiny/observations.csv").unlink()
    before = files(home)
    update("tiny", home / "mirror", home / "registry", TODAY, read)

    assert before == files(home)
    assert (home / "build/on-demand/tiny/observations.csv").is_file()
    (home / "registry/sources/tiny/observations.csv").write_text("x")
    with pytest.raises(RecordError, match="found rows of a source with redistribution = 'unclear', expected none in the record"):
        update("tiny", home / "mirror", home / "registry", TODAY, read)


def test_a_source_with_an_unclear_licence_is_read_when_it_is_switched_on_and_named_when_it_cannot_be(home: Path) -> None:
    path = home / "registry/sources/tiny/source.toml"
    path.write_text(path.read_text().replace('redistribution = "yes"', 'redistribution = "unclear"'))
    (home / "registry/sources/tiny/observations.csv").unlink()

    assert [source.name for source in on_demand.missing(home / "registry", home / "build", ["tiny"])] == ["tiny"]
    assert on_demand.fetch(home / "registry", home / "build", ["tiny"], None) == []
    with pytest.raises(UnreadableError, match=r"its licence \(CC0-1.0\) does not allow a copy in registry/.*set FORESAID_MIRROR"):
        ingest.load(home / "registry", ["tiny"])
    update("tiny", home / "mirror", home / "registry", TODAY, read)
    assert on_demand.missing(home / "registry", home / "build", ["tiny"]) == []
    assert ingest.load(home / "registry", ["tiny"])[1][0].frame.height == 7


def test_the_command_tells_a_mirror_from_a_download(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    run = CliRunner().invoke
    both = run(main, ["update", "tiny", "--all", "--from", "mirror"])
    neither = run(main, ["update", "--from", "mirror"])
    many = run(main, ["update", "--all", "--from", "mirror", "--known-on", "2025-03-01"])

    assert (both.exit_code, neither.exit_code, many.exit_code) == (2, 2, 2)
    assert "expected the name of one source, or --all" in both.output
    assert "expected one source for a new download" in many.output


def test_a_board_the_download_does_not_hold_at_all_takes_no_row_back(home: Path) -> None:
    write(home, "Model,mmlu,training_tokens\nAcme/Tiny-1B,0.31,\nAcme/Tiny-7B-hf,0.45,\ntiny/run-a,0.27,\n")
    change = bring(home)

    assert (change.rows, change.vintages[0].gone) == (0, [])
    assert "training_tokens: no value in this download, its 3 rows stay as they are" in change.vintages[0].notes
