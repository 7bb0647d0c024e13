"""A registry that `foresaid init` made, from its first table to the score of a forecast by somebody else, by commands alone.

A benchmark, a source, a law of its own, a round, a forecast by a second author, an outcome. The first table is real (GPQA Diamond
by Epoch AI's hub, CC-BY-4.0, from this record); the model of the outcome is made up: what is tested is the way.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT
from tests.pipeline.test_a_whole_life_by_commands import Hand

from foresaid import project
from foresaid.cli import _ledger_context, group, ledger_entries, ledger_log, ledger_verify, main, stages, submission
from foresaid.pipeline import new_project

STAGES = (
    "inputs",
    "ingest",
    "database",
    "needs",
    "fit line_in_time",
    "fit growth",
    "hindcast",
    "study",
    "capability",
    "freeze",
    "score",
    "report",
)
CARD = "my_benchmark,GPQA Diamond,benchmark,fraction,0,1,0.25,higher,198,chain of thought,arXiv 2311.12022,scoreboard\n"
COLUMNS = ("model", "organisation", "released_on", "benchmark", "score")


def typed(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main.main, words)
    assert done.exit_code == code, f"{words}: {done.exit_code}: {done.output} {done.exception!r}"
    return done.output


def real_rows() -> list[tuple[str, ...]]:
    """The best score of each model on GPQA Diamond in Epoch's hub, by the release dates of this record."""
    with (ROOT / "registry/models.csv").open(encoding="utf-8", newline="") as file:
        models = {row["model_id"]: row for row in csv.DictReader(file)}
    best: dict[str, float] = {}
    with (ROOT / "registry/sources/epoch-hub/observations.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            about = models.get(row["subject_id"])
            if row["quantity_id"] == "epoch_gpqa_diamond" and row["status"] == "reported" and about and about["released_on"]:
                best[row["subject_id"]] = max(best.get(row["subject_id"], 0.0), float(row["value"]))
    cards = ((models[name], value) for name, value in sorted(best.items()))
    return [
        (card["model_id"].split("/")[1], card["organisation"], card["released_on"], "my_benchmark", f"{value}")
        for card, value in cards
        if card["released_on"] < "2025-07-01"
    ]


def table(folder: Path, rows: list[tuple[str, ...]]) -> str:
    folder.mkdir()
    with (folder / "scores.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return str(folder)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new registry of December 2026 in which one stands; the clock and the laws that are found are set back afterwards."""
    for module in (_ledger_context, group, ledger_entries, ledger_log, ledger_verify, stages, submission):
        monkeypatch.setattr(module, "datetime", Hand)
    monkeypatch.setattr(Hand, "at", datetime(2026, 12, 1, 12, tzinfo=UTC))
    monkeypatch.delenv("FORESAID_MIRROR", raising=False)
    new_project.create(tmp_path / "acme", "acme/registry", "acme", date(2026, 12, 1), under_git=False)
    monkeypatch.chdir(tmp_path / "acme")
    yield tmp_path / "acme"
    for variable in project.OWN_CODE.values():
        os.environ.pop(variable, None)


def repro() -> None:
    """All stages in the order of dvc.yaml."""
    for stage in STAGES:
        typed(*stage.split())


@pytest.mark.slow
def test_from_the_first_table_to_the_score_of_somebody_elses_forecast(home: Path, tmp_path: Path) -> None:
    # a benchmark: one row; a law of foresaid and the registry's own: one line each; a source: one table
    quantities = home / "registry/quantities.csv"
    header, rest = quantities.read_text(encoding="utf-8").split("\n", 1)
    quantities.write_text(f"{header}\n{CARD}{rest}", encoding="utf-8")
    settings = (home / "params.yaml").read_text(encoding="utf-8")
    settings = settings.replace("targets: []  ", "targets: [my_benchmark]  ").replace("replicates: 200", "replicates: 20")
    settings = settings.replace("laws:\n", "laws:\n  growth:\n    sources: [scoreboard]\n    targets: {my_benchmark: {}}\n")
    opened = 'round: {id: "first", as_of: "2026-12-01", deadline: "2026-12-20T00:00:00Z"}'
    (home / "params.yaml").write_text(settings.replace("round: null", opened), encoding="utf-8")
    first = table(tmp_path / "first", real_rows())
    assert "rows and 0 subjects appended" in typed("update", "scoreboard", "--from", first, "--known-on", "2026-11-28", "--accept")

    repro()
    typed("ledger", "checkpoint")
    assert (home / "reports/site/laws/line_in_time.html").is_file()
    assert "line_in_time" in typed("ledger", "show", "first/my_benchmark/line_in_time")

    # somebody else's forecast, judged and put into the log
    Hand.at = datetime(2026, 12, 5, 12, tzinfo=UTC)
    assert "first/my_benchmark" in typed("target", "list", "--open")
    typed("forecast", "my_benchmark", "--author", "jane", "--normal", "80", "5", "--unit", "percent")
    assert "check: accepted" in typed("check", "registry/ledger/batches")
    typed("ledger", "checkpoint")

    # the next download brings a release; it becomes an outcome, and every forecast of it has a score
    Hand.at = datetime(2027, 1, 25, 12, tzinfo=UTC)
    newer = ("made-up-1", "Acme", "2027-01-10", "my_benchmark", "0.83")
    second = table(tmp_path / "second", [*real_rows(), newer])
    typed("update", "scoreboard", "--from", second, "--known-on", "2027-01-20", "--recorded-on", "2027-01-25", "--accept")
    repro()
    assert "made-up-1: 0.83" in typed("ledger", "outcomes")
    typed("ledger", "checkpoint")
    repro()

    for method in ("judgement", "line_in_time", "growth"):
        told = typed("ledger", "show", f"first/my_benchmark/{method}")
        assert "outcome acme/made-up-1: 0.83" in told, told
        assert "WIS 0." in told
    assert CliRunner().invoke(main.main, ["verify"]).exit_code == 0
    scored = pl.read_json(home / "reports/metrics/score.json")["accounting"][0]["versions"]
    assert {(row["author"], row["n"]) for row in scored} == {("acme", 1), ("jane", 1)}
    page = (home / "reports/site/ledger.html").read_text(encoding="utf-8")
    assert "jane" in page
