"""A decision that two ids are one model is data: checked, never a rewrite, and seen by every later stage."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from foresaid.cli.main import main
from foresaid.errors import RecordError
from foresaid.pipeline import database as pipeline_database
from foresaid.pipeline import ingest
from foresaid.registry import database, load, merges, model_catalogue, schema

DATA = Path(__file__).parents[1] / "data"
TODAY = date(2026, 11, 21)
TWIN = "acme/tiny-7b-hf"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """The tiny registry with a second id of tiny-7b that has a value of its own and one that repeats."""
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    models = tmp_path / "registry/models.csv"
    twin = models.read_text().splitlines()[2].replace("acme/tiny-7b", TWIN)
    models.write_text(models.read_text() + twin + "\n")
    add(tmp_path / "registry", f"{TWIN},tiny_c4_loss,,2024-10-01,2.5,,,2026-11-21,reported,")
    return tmp_path / "registry"


def add(registry: Path, row: str) -> None:
    path = registry / "sources/tiny/observations.csv"
    path.write_text(path.read_text() + row + "\n")
    load.sort(registry)


def merge(
    registry: Path, keep: str = "acme/tiny-7b", drop: str = TWIN, reason: str = "same weights", even_if: bool = False
) -> list[str]:
    return model_catalogue.merge(registry, registry.parent / "build", keep, drop, reason, TODAY, even_if)


def refused(registry: Path, keep: str = "acme/tiny-7b", drop: str = TWIN, reason: str = "same weights") -> str:
    before = {path: path.read_bytes() for path in registry.rglob("*") if path.is_file()}
    with pytest.raises(RecordError) as caught:
        merge(registry, keep, drop, reason)
    assert before == {path: path.read_bytes() for path in registry.rglob("*") if path.is_file()}
    return str(caught.value)


def seen(registry: Path) -> dict[tuple[str, str], float]:
    build = registry.parent / "build"
    ingest.run(registry, ["tiny"], build, registry.parent / "ingest.json")
    pipeline_database.run(["tiny"], build)
    connection = database.open_database(build / "database")
    view = database.as_of(connection, TODAY).observations
    connection.close()
    return {(row["subject_id"], row["quantity_id"]): row["value"] for row in view.iter_rows(named=True)}


def test_observations_stay_and_every_later_stage_sees_one_model(registry: Path) -> None:
    before = (registry / "sources/tiny/observations.csv").read_bytes()
    assert (TWIN, "tiny_c4_loss") in seen(registry)
    merge(registry)
    after = seen(registry)

    assert before == (registry / "sources/tiny/observations.csv").read_bytes()
    assert (registry / "merges.csv").read_text().splitlines()[1] == f"{TWIN},acme/tiny-7b,2026-11-21,same weights"
    assert after["acme/tiny-7b", "tiny_c4_loss"] == 2.5
    assert TWIN not in {subject for subject, _ in after}


def test_the_rows_of_the_merged_model_say_under_which_name_they_are_recorded(registry: Path) -> None:
    merge(registry)
    catalogued, loaded = load.load(registry, ["tiny"])
    rows = merges.applied(loaded[0].frame, catalogued.merges, schema.KEY)

    assert [row["note"] for row in rows.iter_rows(named=True) if row["quantity_id"] == "tiny_c4_loss"] == [
        f"on the record as {TWIN}"
    ]


def test_values_that_conflict_are_refused_unless_a_person_insists_and_then_the_kept_ones_count(registry: Path) -> None:
    add(registry, f"{TWIN},mmlu,,2024-10-01,0.5,,,2026-11-21,reported,")
    message = refused(registry)

    assert "acme/tiny-7b and acme/tiny-7b-hf disagree: mmlu 0.45 against 0.5 in tiny" in message
    assert "--even-if" in message
    assert merge(registry, even_if=True)[0] == "disagree about mmlu 0.45 against 0.5 in tiny: the value of acme/tiny-7b counts"
    assert seen(registry)["acme/tiny-7b", "mmlu"] == 0.45


@pytest.mark.parametrize(
    ("keep", "drop", "reason", "expected"),
    [
        ("acme/tiny-7b", "acme/tiny-7b", "r", "expected another model than model_id"),
        ("acme/tiny-7b", "acme/nobody", "r", "column model_id: found acme/nobody, expected a model of models.csv"),
        ("acme/nobody", TWIN, "r", "column kept_as: found acme/nobody, expected a model of models.csv"),
        ("acme/tiny-7b", TWIN, "  ", "found no reason, expected one"),
        ("acme/tiny-7b", "acme/tiny-1b", "r", "disagree: released_on 2024-03-01 against 2024-01-15"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_and_changes_nothing(
    keep: str, drop: str, reason: str, expected: str, registry: Path
) -> None:
    assert expected in refused(registry, keep, drop, reason)


def test_chains_and_circles_are_refused(registry: Path) -> None:
    merge(registry)

    assert "expected a model that is not merged away itself; it is, in row 2" in refused(registry, TWIN, "acme/tiny-1b")
    assert "expected a model that is not merged away itself" in refused(registry, TWIN, "acme/tiny-7b")
    assert "expected one decision each" in refused(registry, "acme/tiny-1b", TWIN)


def test_a_chain_written_by_hand_stops_ingest(registry: Path) -> None:
    (registry / "merges.csv").write_text(
        "model_id,kept_as,decided_on,reason\nacme/tiny-1b,acme/tiny-7b,2026-11-21,r\nacme/tiny-7b,acme/tiny-7b-hf,2026-11-21,r\n"
    )
    with pytest.raises(RecordError, match="expected a model that is not merged away itself"):
        load.load(registry, ["tiny"])


@pytest.mark.parametrize(
    ("file", "content"),
    [("ledger/batches/a.jsonl", '{"subject":"acme/tiny-7b-hf"}\n'), ("adopted/x/models.csv", "model_id\nacme/tiny-7b-hf\n")],
)
def test_a_name_that_is_frozen_cannot_be_merged_away(file: str, content: str, registry: Path) -> None:
    (registry / file).parent.mkdir(parents=True)
    (registry / file).write_text(content)

    assert f"acme/tiny-7b-hf is named in {file}, which stays as it is; merge the other way round" in refused(registry)


def test_the_command_writes_the_decision_and_show_tells_of_it(registry: Path) -> None:
    (registry.parent / "params.yaml").touch()
    run = CliRunner().invoke
    root = ["--root", str(registry.parent)]
    done = run(main, [*root, "models", "merge", "acme/tiny-7b", TWIN, "--reason", "same weights", "--decided-on", "2026-11-21"])
    shown = run(main, [*root, "models", "show", "acme/tiny-7b"])
    listed = run(main, [*root, "models", "list"])
    missing = run(main, [*root, "models", "show", "acme/tiny7b"])

    assert done.exit_code == 0, done.output
    assert "1 rows stay as they are and count as its rows" in done.output
    assert f"also recorded as: {TWIN} (decided 2026-11-21: same weights)" in shown.output
    assert "tiny: 2 reported, 1 revised" in shown.output
    assert f"{TWIN}  tiny  Acme  2024-03-01 (month)  merged into acme/tiny-7b" in listed.output
    assert missing.exit_code == 1
    assert "did you mean acme/tiny-7b?" in missing.output
