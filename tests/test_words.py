"""One name for one thing: words that the glossary replaced stand in no identifier, page, document or message any more."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tests.conftest import ROOT

from foresaid.evaluation import rolling_rows, schema
from foresaid.evaluation.ledger_scores import ROW

PACKAGE = ROOT / "pipelines" / "foresaid"
# Names of columns, keys, functions and classes that have one word now (docs/glossary.md), each with that word.
OLD_NAMES = {
    "ae_median": "absolute_error",
    "se_point": "squared_error",
    "widening": "interval_recalibration",
    "widened_fits": "recalibrated_fits",
    "widen": "rescale",
    "played": "n_backtest_clusters",
    "plays_its_past": "backtests",
    "set_apart": "inflate_for_few_clusters",
    "correction": "cr1_factor",
    "agreement": "restarts_at_best",
    "objection": "pre_fit_status",
    "n_declined": "n_no_forecast",
    "unmade": "no_forecast",
    "drift": "mismatch",
    "distrust": "limitations",
    "Doubt": "Flag",
    "doubts": "flags",
    "doubted": "flagged",
    "declined": "no_forecast",
    "declines": "any_no_forecast",
    "widening_factor": "scale_factor",
}
# Phrases of prose: left what stands on a page or in a document, right what the field says.
OLD_PHRASES = {
    r"outcomes inside": "coverage",
    r"\bwidening\b": "interval recalibration",
    r"\bmean miss\b": "mean absolute error",
    r"month by month\b": "rolling-origin evaluation",
    r"ten points more": "compute multiple for +0.10",
    r"\bforetell": "predict",
    r"plane of benchmarks": "principal-component space",
    r"vote of five\b(?! samples)": "majority vote",
    r"\bcame out\b": "outcome",
    r"\bone draw\b": "one independent observation",
    r"tokens a parameter": "tokens per parameter",
    r"\bdoubt(s|ed)?\b": "flag",
    r"\bdeclined\b": "no forecast",
    r"\bre-made\b": "retrospective",
}
TEXTS = sorted(
    [ROOT / "README.md", ROOT / "params.yaml", *(ROOT / "registry").glob("*.md"), ROOT / "registry" / "ledger" / "README.md"]
    + [PACKAGE / "report" / "texts.py", *(PACKAGE / "report" / "templates").glob("*.j2")]
    + [ROOT / "docs" / name for name in ("adding.md", "api.md", "glossary.md", "running.md")]
)
HISTORY = {"studies/emergence"}  # reads the record of an experiment, whose keys stand as they were written


def identifiers(path: Path) -> set[str]:
    """Every name a module binds or reads, every keyword, and every string that is one word: keys and columns."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.arg | ast.keyword):
            found.add(str(node.arg))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(node.value)
    return found


def test_no_module_of_the_package_uses_a_name_that_was_replaced() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not place.startswith(tuple(HISTORY)):
            wrong += [f"{place}: {name}, now {OLD_NAMES[name]}" for name in sorted(identifiers(path) & set(OLD_NAMES))]

    assert wrong == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_for_readers_uses_a_phrase_that_was_replaced(path: Path) -> None:
    text = " ".join(path.read_text(encoding="utf-8").split())

    assert [f"{phrase}: now {now}" for phrase, now in OLD_PHRASES.items() if re.search(phrase, text, re.IGNORECASE)] == []


def test_the_words_that_took_their_place_are_in_use() -> None:
    used = set().union(*(identifiers(path) for path in PACKAGE.rglob("*.py")))

    assert set(OLD_NAMES.values()) <= used


def test_a_replaced_name_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "old.py"
    file.write_text('row = {"ae_median": 1}\nfound.played\ndef widen(correction=1): ...\n', encoding="utf-8")

    assert {"ae_median", "played", "widen", "correction"} <= identifiers(file)


def test_what_was_published_is_called_observed_in_every_table_of_forecasts() -> None:
    tables = {"scored": schema.SCORED, "hindcast": schema.SCHEMA, "rolling": rolling_rows.SCHEMA, "ledger": ROW}

    assert {name: ("observed" in columns, "value" in columns) for name, columns in tables.items()} == dict.fromkeys(
        tables, (True, False)
    )
