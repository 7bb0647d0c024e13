"""A download of the hub that states its models, score columns and scales in files of their own is read by them.

No download of the mirror brings these two files yet: they are written by hand here, by the columns documented for the
newer downloads, and the tables beside them have the columns of the download of May 2026.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from foresaid.errors import RecordError
from foresaid.sources import _epoch_metadata, epoch_hub, epoch_hub_external
from foresaid.sources._reading import StatedModel

RUN = "Model version,mean_score,Best score (across scorers),stderr,Started at,id\n"
TABLES = {
    "gpqa_diamond.csv": RUN + "gpt-9_high,0.91,0.91,0.01,2026-11-01T00:00:00.000Z,a\n",
    "new_run.csv": RUN + "gpt-9_high,0.5,0.5,0.02,2026-11-01T00:00:00.000Z,b\ngpt-9_low,n/a,n/a,,,c\n",
    "unsaid_run.csv": RUN + "gpt-9_high,0.5,0.5,0.02,2026-11-01T00:00:00.000Z,d\n",
    "hle_external.csv": "Model version,Accuracy (no tools),Name,id\ngpt-9_high,46.44,GPT-9 (high),e\n",
    "new_board_external.csv": "Model version,Score,Name,id\ngpt-9,64.5%,GPT-9,f\n",
    "points_external.csv": "Model version,Points,Name,id\ngpt-9,1712,GPT-9,g\n",
}
MODELS = (
    "Model version,Model name,Release date,Organization\ngpt-9_high,GPT-9,2026-10-20,OpenAI\ngpt-9_low,GPT-9,2026-10-20,OpenAI\n"
)
BENCHMARKS = (
    "Benchmark,File,Score column,Scale,Chance,Ceiling\n"
    "HLE,hle_external.csv,Accuracy (no tools),percent,,100\n"
    "New board,new_board_external.csv,Score,fraction,25%,1\n"
    "New run,new_run.csv,mean_score,fraction,0.25,1\n"
    "Points,points_external.csv,Points,Elo,,\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A download whose tables lie two folders down and whose metadata lie above them."""
    place = tmp_path / "download/data/benchmark_data"
    place.mkdir(parents=True)
    for name, text in TABLES.items():
        (place / name).write_text(text)
    (tmp_path / "download/data/model_metadata.csv").write_text(MODELS)
    (tmp_path / "download/data/benchmark_metadata.csv").write_text(BENCHMARKS)
    return tmp_path / "download"


def test_own_runs_are_told_by_their_column_and_read_where_their_scale_is_stated(folder: Path) -> None:
    found = epoch_hub.read(folder)

    assert {(score.quantity_id, score.value) for score in found.scores} == {("epoch_gpqa_diamond", 0.91), ("epoch_new_run", 0.5)}
    stated = found.quantities[0]
    assert (stated.quantity_id, stated.unit, stated.lower, stated.upper, stated.chance) == ("epoch_new_run", "fraction", 0, 1, 0.25)
    assert found.skipped["unsaid_run.csv is new, and no file states its score column and scale"] == 1
    assert found.skipped["no score upstream"] == 1
    assert sum(found.rows.values()) == len(found.scores) + sum(found.skipped.values()) == 4


def test_collected_boards_are_read_by_the_stated_column_and_scale_and_no_unit_is_guessed(folder: Path) -> None:
    found = epoch_hub_external.read(folder)

    assert {(score.quantity_id, score.value, score.setting) for score in found.scores} == {
        ("epoch_hle", 0.4644, "effort=high"),
        ("epoch_new_board", 0.645, ""),
    }
    assert [(one.quantity_id, one.chance) for one in found.quantities] == [("epoch_new_board", 0.25)]
    assert found.skipped["points_external.csv is new, and no file states its score column and scale"] == 1


def test_day_and_maker_come_from_the_metadata_where_the_tables_have_none(folder: Path) -> None:
    models = epoch_hub.read(folder).models

    assert {(one.subject, one.released_on, one.organisation, one.title) for one in models} == {
        ("gpt-9", "2026-10-20", "OpenAI", "GPT-9")
    }
    assert isinstance(models[0], StatedModel)


def test_without_metadata_new_tables_are_counted_and_a_renamed_column_is_refused(folder: Path) -> None:
    for path in folder.rglob("*_metadata.csv"):
        path.unlink()
    found = epoch_hub.read(folder)

    assert [score.quantity_id for score in found.scores] == ["epoch_gpqa_diamond"]
    assert sum(found.rows.values()) == len(found.scores) + sum(found.skipped.values()) == 4
    with pytest.raises(RecordError, match="column Accuracy: found no such column"):
        epoch_hub_external.read(folder)


def test_metadata_that_say_nothing_are_no_statement(tmp_path: Path) -> None:
    (tmp_path / "benchmark_metadata.csv").write_text("Benchmark,Remarks\nHLE,hard\n")
    (tmp_path / "model_metadata.csv").write_text("Model version,Remarks\ngpt-9,new\n")

    assert list(_epoch_metadata.models(tmp_path)) == []
    assert _epoch_metadata.tables(tmp_path)["hle"].quantity("q", "f") is None
