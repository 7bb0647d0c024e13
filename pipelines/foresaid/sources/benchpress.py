"""BenchPress: scores of 84 models on 133 benchmarks collected from vendors and boards (Microsoft Research, CDLA-Permissive-2.0).

One row a model under one canonical setting. The licence text goes with the figures (LICENSE-CDLA-2.0.md beside them). Traps:
- `predictions` repeat the observed value in every observed cell: only `observed` is read.
- Columns and cells of Artificial Analysis, whose terms forbid republication, are left out.
- Cells audited as dropped and not re-sourced are left out; a cell whose reported setting is not the model's says so in its note.
- Most benchmarks are percent; ratings and dollars are listed here by name, and a value out of its range is refused.
- Release dates are rough (GPT-5 by six days, Claude Opus 4.7 by six): not read.
- Not a time series: every value is the one known in June 2026.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score, StatedModel
from foresaid.sources._settings import setting
from foresaid.sources._upstream import branch, document, items, pick

PATH = "website/data.json"
# Not percent: kept as printed.
PLAIN = frozenset({"chatbot_arena_elo", "codeforces_rating", "swelancer_freelance_dollars", "vending_bench_2"})
EFFORT = re.compile(r" \(high\)$")  # the canonical setting says it too
EXACT = re.compile(r"-(instruct|it)$")  # ids that say which of two models is meant where the name does not
FORBIDDEN = frozenset({"aa_intelligence_index", "aa_lcr", "gdpval_aa_elo"})
EMPTY = "cells without a value"
THEIRS, DROPPED = "cells of Artificial Analysis: its terms forbid a copy", "cells audited as dropped"


def read(folder: Path) -> Reading:
    """Read the matrix of observed values."""
    tree, file = document(folder, PATH)
    models, benchmarks = items(tree, file, "models"), items(tree, file, "benchmarks")
    observed, sources = items(tree, file, "observed"), items(tree, file, "sources")
    for name, rows in (("observed", observed), ("sources", sources)):
        if len(rows) != len(models) or any(not isinstance(row, list) or len(row) != len(benchmarks) for row in rows):
            shape = f"a matrix of {len(models)} models and {len(benchmarks)} benchmarks"
            raise RecordError.collect([Problem(file, None, name, "another shape", shape)])
    names = [str(pick(item, file, "id")) for item in benchmarks]
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    for model, values, cells in zip(models, observed, sources, strict=True):
        subject, how = _subject(model, file), _setting(model, file)
        for benchmark, value, cell in zip(names, values, cells, strict=True):
            said = cell if isinstance(cell, dict) else {}
            if value is None:
                skipped[EMPTY] += 1
            elif benchmark in FORBIDDEN or "artificialanalysis" in str(said.get("url", "")):
                skipped[THEIRS] += 1
            elif said.get("audit_status") == "dropped":
                skipped[DROPPED] += 1
            else:
                scores.append(_score(subject, benchmark, how, value, said, file))
    stated = [
        StatedModel(_subject(item, file), "", str(pick(item, file, "provider")), str(pick(item, file, "name"))) for item in models
    ]
    return Reading(scores, [], dict(skipped), {PATH: len(models)}, stated)


def _subject(model: object, file: str) -> str:
    ident, name = str(pick(model, file, "id")), str(pick(model, file, "name"))
    return ident if EXACT.search(ident) else EFFORT.sub("", name)


def _setting(model: object, file: str) -> str:
    """The effort of the model's canonical setting; a model that cannot think, or of which none is stated, has none to name."""
    if pick(model, file, "canonical_setting") is None:
        return ""
    how = branch(model, file, "canonical_setting")
    effort, mode = str(how.get("effort", "")), str(how.get("mode", ""))
    if effort in ("n/a", "", "default"):
        reasons = pick(model, file, "reasoning")
        effort = {"thinking": "thinking", "non-thinking": "none"}.get(mode, "") if reasons else ""
    return setting(effort=effort)


def _score(subject: str, benchmark: str, how: str, value: object, said: dict[str, object], file: str) -> Score:
    top = 1e6 if benchmark in PLAIN else 100.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= top:
        raise RecordError.collect([Problem(file, None, f"{subject}.{benchmark}", repr(value)[:40], f"a number from 0 to {top:g}")])
    note = str(said.get("url") or "no address given")[:160]
    if said.get("matches_canonical") is False:
        note += "; reported under another setting than the model's"
    exact = float(value) if benchmark in PLAIN else round(float(value) / 100, 12)
    return Score(subject, f"benchpress_{benchmark.replace('.', '_')}", how, exact, note=note, file=file)
