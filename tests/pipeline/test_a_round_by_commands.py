"""A small round of the shipped record from the draft to the scores, by commands alone, in a scratch copy of the registry.

Drafted as of a day, frozen, verified; then a later vintage that is made up (a release of one line, its scores, a new record) is
read, its outcomes are entered and scored. What is tested is the way from open to scored; the numbers of the future are nobody's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from tests.conftest import ROOT, Built
from tests.pipeline.test_a_whole_life_by_commands import Hand

from foresaid.cli import _ledger_context, group, ledger_entries, ledger_log, ledger_verify, main
from foresaid.pipeline import outcomes
from foresaid.pipeline.outcomes import Record

LATER, READ_AGAIN = date(2027, 7, 20), date(2027, 4, 15)
OPUS = "anthropic/claude-opus-made-up"
VALUES = [  # of the next vintage
    ("epoch_chess_puzzles", "effort=max", date(2027, 1, 15), 0.55),
    ("epoch_chess_puzzles", "effort=xhigh", date(2027, 1, 15), 0.5),
    ("epoch_simpleqa_verified", "effort=max", date(2027, 1, 10), 0.66),
    ("epoch_frontiermath_tier_4", "effort=max", date(2027, 1, 15), 0.61),
]


def typed(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main.main, words)
    assert done.exit_code == code, f"{words}: {done.exit_code}: {done.output} {done.exception}"
    return done.output


@pytest.fixture(scope="module")
def scratch(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A scratch copy of the project in which the round was drafted and frozen; the clock and the folder are set back afterwards."""
    folder = tmp_path_factory.mktemp("round") / "clone"
    folder.mkdir()
    for name in ("params.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(built.registry, folder / "registry")
    shutil.copytree(built.build / "database", folder / "build/database")
    file = folder / "registry/rounds/2026-12.yaml"
    plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    plain["next_release"]["lines"] = {name: plain["next_release"]["lines"][name] for name in ("claude-opus", "claude-haiku")}
    plain["frontier"]["lines"] = ["claude-opus"]
    plain["accepted"] = {}
    file.write_text(yaml.safe_dump(plain), encoding="utf-8")
    before = os.getcwd()
    patch = pytest.MonkeyPatch()
    for module in (_ledger_context, group, ledger_entries, ledger_log, ledger_verify):
        patch.setattr(module, "datetime", Hand)
    os.chdir(folder)
    Hand.at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    try:
        told = typed("ledger", "draft", "registry/rounds/2026-12.yaml", "--as-of", "2026-11-28", "--out", "draft")
        assert "targets" in told
        typed("ledger", "ask", "draft/questions.jsonl", "--known", "draft/known.txt")
        typed("ledger", "forecast", "draft/forecasts.jsonl", "--rows", "draft/rows.jsonl")
        typed("ledger", "checkpoint")
        yield folder
    finally:
        os.chdir(before)
        patch.undo()


def with_a_later_vintage(record: Record) -> Record:
    rows = pl.DataFrame(
        [
            (OPUS, quantity, setting, "epoch-hub", on, value, True, "model", None, "made up", date(2026, 12, 20))
            for quantity, setting, on, value in VALUES
        ],
        schema=record.history.schema, orient="row",
    )  # fmt: skip
    card = {
        "model_id": OPUS, "organisation": "Anthropic", "line": "claude", "tier": "opus", "release": "anthropic/2026-12-20",
        "released_on": date(2026, 12, 20),
    }  # fmt: skip
    whole = {name: [card.get(name)] for name in record.models.columns}
    models = pl.concat([record.models, pl.DataFrame(whole, schema=record.models.schema)])
    return Record(
        pl.concat([record.history, rows]), models, record.same, record.events, record.registry, {"epoch-hub": [READ_AGAIN]}
    )


def test_the_same_draft_is_made_again_byte_for_byte(scratch: Path) -> None:
    Hand.at = datetime(2026, 12, 2, 12, tzinfo=UTC)
    typed("ledger", "draft", "registry/rounds/2026-12.yaml", "--as-of", "2026-11-28", "--out", "again")

    names = sorted(path.name for path in (scratch / "draft").iterdir())
    assert names == ["cards.md", "forecasts.jsonl", "known.txt", "questions.jsonl", "rows.jsonl"]
    for name in names:
        assert (scratch / "again" / name).read_bytes() == (scratch / "draft" / name).read_bytes(), name


def test_the_frozen_round_verifies_with_its_rows_and_nothing_but_time_is_unproven(scratch: Path) -> None:
    Hand.at = datetime(2026, 12, 2, 12, tzinfo=UTC)
    done = CliRunner().invoke(main.main, ["verify"])

    assert done.exit_code in (0, 5), done.output
    assert "snapshot not checked" not in done.output
    assert "0 no-shows" in done.output
    assert len(list((scratch / "registry/snapshots").glob("*.jsonl.gz"))) == 1


def test_a_target_says_what_by_when_by_what_rule_how_sure_and_what_would_be_a_surprise(scratch: Path) -> None:
    Hand.at = datetime(2026, 12, 2, 12, tzinfo=UTC)
    told = typed("ledger", "show", "2026-12/next-claude-opus-epoch_chess_puzzles")

    assert "what: the score on epoch_chess_puzzles of launch 1 of anthropic claude opus after 2026-11-28" in told
    assert "by when: a release counts after 2026-11-28 and by 2027-12-31, its value within 183 days; settled by 2028-07-01" in told
    assert "rule: the first value that epoch-hub publishes under" in told
    assert told.index("how sure: capability by foresaid, primary: median 0.") < told.index("how sure: average_trend")
    assert "surprise: below 0." in told
    assert "outcome: none in the ledger yet" in told
    assert "found no forecast, target or batch" in typed("ledger", "show", "2026-12/next-nobody", code=2)


def test_the_next_vintage_brings_outcomes_and_every_forecast_of_them_a_score(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hand.at = datetime(LATER.year, LATER.month, LATER.day, 12, tzinfo=UTC)
    read = outcomes.read_record
    monkeypatch.setattr(outcomes, "read_record", lambda registry, build: with_a_later_vintage(read(registry, build)))
    told = typed("ledger", "outcomes")
    assert "batch" in told
    typed("ledger", "checkpoint")

    joint = typed("ledger", "show", "2026-12/next-claude-opus-epoch_chess_puzzles/capability")
    assert f"outcome {OPUS}: 0.55" in joint  # the highest effort, not the first value
    for knew in ("nothing", "other benchmarks", "siblings too"):
        assert f"told {knew}: WIS 0." in joint
    assert "WIS 0." in typed("ledger", "show", "2026-12/next-claude-opus-epoch_chess_puzzles/quantile_mean_of_six")
    record = typed("ledger", "show", "2026-12/record-2027-03-31-epoch_frontiermath_tier_4/mean_of_three")
    assert "outcome : 0.61" in record
    assert "WIS 0." in record
    assert CliRunner().invoke(main.main, ["verify"]).exit_code in (0, 5)
