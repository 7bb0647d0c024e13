"""The whole way from open to scored on real later vintages, pages included: `python -m tests.dry_run FOLDER` in a built clone.

Round 2026-12 has no later vintage yet. So its file is moved back to 2026-04-20 (round 2026-04, releases and records until
2026-06-30, values within 92 days), drafted from what the record holds as known by 2026-04-19, and frozen in a scratch copy of
the clone, with the clock of the commands set to that day. Then the clock is set to a day after the two vintages of Epoch's hub
that followed, which bring the outcomes. Nothing is made up but the clock. The copy's ledger has no proof of time, so all in it
is claimed; it is thrown away. What it prints stands in `docs/rounds.md`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.conftest import without_entries
from tests.pipeline.test_a_whole_life_by_commands import Hand

from foresaid.cli import _ledger_context, group, ledger_entries, ledger_log, ledger_verify, main
from foresaid.pipeline.score import prospective

FROZEN, SCORED = datetime(2026, 4, 20, 12, tzinfo=UTC), datetime(2026, 11, 29, 12, tzinfo=UTC)
MOVED = {"id": "2026-04", "deadline": "2026-04-22T00:00:00Z", "reveal_by": "2026-05-01T00:00:00Z", "closes": "2026-06-30"}
CLOCKS = (_ledger_context, group, ledger_entries, ledger_log, ledger_verify)


def moved_back(text: str) -> str:
    """The round file of 2026-12 as it would have been written for 2026-04: days moved, rules as they are."""
    plain = yaml.safe_load(text)
    plain.update(MOVED)
    plain["next_release"]["publish_within"] = 92
    plain["record_by"].update(days=["2026-06-30"], publish_within=31)
    plain["hindcast"].update(origins=["2025-07-01"], until="2026-03-12")
    plain["accepted"] = {}
    return yaml.safe_dump(plain)


def typed(*words: str, codes: Sequence[int] = (0,)) -> str:
    """What a command prints; AssertionError where it leaves with another code than expected."""
    done = CliRunner().invoke(main.main, words)
    assert done.exit_code in codes, f"{words}: {done.exit_code}: {done.output} {done.exception}"
    return done.output


def run(clone: Path, folder: Path) -> str:
    """Freeze, resolve, score and render in a copy of a built clone; what came of it, in lines."""
    shutil.copytree(clone, folder, ignore=shutil.ignore_patterns(".venv", "cache", "tmp"), symlinks=True)
    without_entries(folder / "registry")
    file = folder / "registry/rounds/2026-04.yaml"
    file.write_text(moved_back((folder / "registry/rounds/2026-12.yaml").read_text(encoding="utf-8")), encoding="utf-8")
    before, patch = os.getcwd(), pytest.MonkeyPatch()
    for module in CLOCKS:
        patch.setattr(module, "datetime", Hand)
    os.chdir(folder)
    try:
        Hand.at = FROZEN
        told = [typed("ledger", "draft", str(file), "--as-of", "2026-04-19", "--out", "draft", codes=(0, 1)).strip()]
        told += [typed("ledger", "ask", "draft/questions.jsonl", "--known", "draft/known.txt").strip()]
        told += [typed("ledger", "forecast", "draft/forecasts.jsonl", "--rows", "draft/rows.jsonl").strip()]
        typed("ledger", "checkpoint")
        Hand.at = SCORED
        told += [typed("ledger", "outcomes", codes=(0, 4)).strip()]
        typed("ledger", "checkpoint")
        told += [typed("verify", codes=(0, 5)).strip().splitlines()[-1]]
    finally:
        os.chdir(before)
        patch.undo()
    for stage in ("score", "report"):
        done = subprocess.run([sys.executable, "-m", "foresaid", stage], cwd=folder, check=True, capture_output=True, text=True)
        told += done.stdout.strip().splitlines()[-1:]
    return "\n".join((*told, accounts(folder)))


def accounts(folder: Path) -> str:
    """States of all forecasts and, of those with an outcome, rows, mean WIS and coverage of each method by kind of question."""
    done = prospective(folder / "registry", SCORED)
    lines = [f"states: {dict(sorted(Counter(one.state for one in done.accounts).items()))}"]
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in done.table:
        if row["wis"] is not None and row["standing"] == "claimed":
            asked, _, method = row["id"].rpartition("/")
            kind = f"{'next release' if '/next-' in asked else 'record'}, {row['unit']}"
            rows.setdefault((kind, f"{method}, told {row['told']}" if row["told"] else method), []).append(row)
    for (kind, method), mine in sorted(rows.items()):
        held = " / ".join(f"{sum(row[f'coverage_{level}'] for row in mine):.0f}" for level in (50, 80, 95))
        mean = sum(row["wis"] for row in mine) / len(mine)
        lines.append(f"{kind}: {method}: WIS {mean:.4f}, {held} of {len(mine)} in the 50 / 80 / 95 % intervals")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an empty place for the copy, outside the clone")
    parser.add_argument("--clone", type=Path, default=Path.cwd(), help="a built clone")
    chosen = parser.parse_args()
    print(run(chosen.clone, chosen.folder))
