"""Accuracy by tokens spent: 253 points typed in from model reports and 65 summaries of Epoch AI evaluation runs.

Traps of the upstream files, each handled here:
- Effort is not named in the summaries: several runs of one model differ only in tokens. Every point is a run of its own,
  never another model, and response_tokens orders them.
- A summary counts the tokens of the WHOLE benchmark: they are divided by the questions and repetitions of the run.
- In the reports, thinking_tokens is a budget allowed and mean_response_tokens what was used: two quantities.
- "GPQA diamond" is "GPQA Diamond" and "MATH 500" is "MATH500": one quantity each.
- "total@temp_1.0" is an aggregate of other points: left out and counted. So are points without a number of tokens or score.
- A figure_estimate was read off a plot: a reading error of 0.01 stands as its stderr, and the note says so.
- A name with its effort, "Claude Opus 4.5 (low)", is the model with that effort and no other model; the reports and the
  summaries spell models in different ways: MODELS says which are one.
- 147 of the 253 points are one model (Kimi k1.5): all points of a model are one family and resample together.
- Accuracy saturates or falls at the largest budget: nothing is smoothed; a law has to stand it.
- Two scores are spelt without a digit before the point.
- aa_* fields name ids of Artificial Analysis and are not read; the release date in a summary is not the day it was run.
No licence covers the collection, so no row of this source is kept in the record.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import branch, document, files, pick, real, table

REPORTS, RUNS = "data/manual_reports/manual_reports_data.csv", "data/eci/log_viewer_summary/*.json"
COLUMNS = ("model", "benchmark", "x_value", "x_unit", "performance", "score_unit", "data_quality", "source_detail")
IGNORED = ("model_id", "benchmark_id", "source_url", "human_verified")
AXES = {"thinking_tokens": "thinking_token_budget", "mean_response_tokens": "response_tokens"}
QUALITIES = {"exact_text": None, "figure_estimate": 0.01}  # assumed error of reading a plot, in fractions
READ_OFF = "read off a figure"
SPELLINGS = {"GPQA diamond": "GPQA Diamond", "MATH 500": "MATH500"}
AGGREGATE = "total@temp_1.0"
BENCHMARKS = (
    "AIMO2024", "ARC-AGI-2", "Finance Agent", "GAOKAO", "GPQA Diamond", "Honesty HF", "IFEval", "LiveCodeBench", "MATH500",
    "MCP Atlas", "MMLU", "MMMU", "OMNI-MATH500", "OSWorld", "OTIS Mock AIME 2024-2025", "SWE-Bench verified", "TAU-bench",
    "Terminal Bench",
)  # fmt: skip
# Names without their "(effort)" and summaries' names without their date, by the one name of the model.
MODELS = {
    "claude-3-7-sonnet": ("Claude 3.7 Sonnet", "claude-3-7-sonnet-20250219"),
    "claude-haiku-4-5": ("Claude Haiku 4.5",),
    "claude-opus-4": ("Claude Opus 4", "Opus 4"),
    "claude-opus-4-1": ("Claude Opus 4.1", "claude-opus-4-1-20250805"),
    "claude-opus-4-5": ("Claude Opus 4.5", "claude-opus-4-5-20251101"),
    "claude-opus-4-6": ("Claude Opus 4.6",),
    "claude-sonnet-4": ("Claude Sonnet 4", "Claude 4 Sonnet", "claude-sonnet-4-20250514"),
    "claude-sonnet-4-5": ("Claude Sonnet 4.5", "Claude 4.5 Sonnet", "Sonnet 4.5", "claude-sonnet-4-5-20250929"),
    "deepseek-r1": ("DeepSeek-R1",),
    "gemini-2.5-flash": ("Gemini 2.5 Flash",),
    "gpt-5": ("gpt-5-2025-08-07",),
    "gpt-5-mini": ("gpt-5-mini-2025-08-07",),
    "gpt-5-nano": ("gpt-5-nano-2025-08-07",),
    "gpt-5.1": ("gpt-5.1",),
    "gpt-5.2": ("gpt-5.2-2025-12-11",),
    "grok-3": ("Grok 3 Reasoning Beta",),
    "kimi-k1.5": ("Kimi k1.5",),
    "o1": ("o1",),
    "o3-mini": ("o3-mini", "o3-mini-2025-01-31"),
}
FAMILY = {name: f"effort-tokens/{model}" for model, names in MODELS.items() for name in names}
QUESTIONS = {"GPQA Diamond": 198, "OTIS Mock AIME 2024-2025": 45}  # the two benchmarks of the summaries


def read(folder: Path) -> Reading:
    """Read every point and every run, one subject each."""
    skipped: Counter[str] = Counter()
    scores: list[Score] = []
    subjects: dict[str, RunSubject] = {}
    _reports(folder, scores, subjects, skipped)
    for path in files(folder, RUNS):
        _run(folder, path, scores, subjects)
    return Reading(scores, list(subjects.values()), dict(skipped))


def quantity(benchmark: str) -> str:
    """The quantity of a benchmark, however it is spelt.

    >>> quantity("GPQA diamond"), quantity("OTIS Mock AIME 2024-2025")
    ('effort_gpqa_diamond', 'effort_otis_mock_aime_2024_2025')
    """
    return f"effort_{_words(SPELLINGS.get(benchmark, benchmark), '_')}"


def family_of(name: str, file: str, row: int | None = None) -> str:
    """The family of a model, whatever effort its name carries.

    >>> family_of("Claude Opus 4.5 (low)", "reports.csv"), family_of("anthropic/claude-opus-4-5-20251101", "run.json")
    ('effort-tokens/claude-opus-4-5', 'effort-tokens/claude-opus-4-5')
    """
    plain = re.sub(r" \(.*\)$", "", name.rpartition("/")[2])
    if plain not in FAMILY:
        near = difflib.get_close_matches(plain, FAMILY, n=1)
        advice = f"did they mean {near[0]}?" if near else "teach the reader which model it is"
        raise RecordError.collect([Problem(file, row, "model", name[:60], "a model the reader knows", advice)])
    return FAMILY[plain]


def _words(name: str, between: str = "-") -> str:
    return re.sub(r"[^a-z0-9.]+" if between == "-" else r"[^a-z0-9]+", between, name.lower()).strip(between)


def _reports(folder: Path, scores: list[Score], subjects: dict[str, RunSubject], skipped: Counter[str]) -> None:
    for line in table(folder, REPORTS, COLUMNS, IGNORED):
        model, benchmark, axis = line.text("model"), line.text("benchmark"), line.text("x_unit")
        if benchmark == AGGREGATE:
            skipped[f"{AGGREGATE}: an aggregate, not a benchmark"] += 1
            continue
        if line.cells["x_value"] == "N/A" or not line.cells["performance"]:
            skipped["no number of tokens, or no score"] += 1
            continue
        for column, known in (("x_unit", AXES), ("data_quality", QUALITIES), ("score_unit", {"accuracy": ""})):
            if line.text(column) not in known:
                line.refuse(column, line.text(column)[:60], "one of " + ", ".join(known))
        if SPELLINGS.get(benchmark, benchmark) not in BENCHMARKS:
            line.refuse("benchmark", benchmark[:60], "a benchmark the reader knows")
        family = family_of(model, line.file, line.row)
        used = line.number("x_value")
        name = f"{family}/{_words(quantity(benchmark).removeprefix('effort_'))}/{_words(axis)}-{used.normalize():f}"
        # Some plots show several points at one number of tokens; they are told apart by their order there.
        effort = model.partition(" (")[2].rstrip(")")
        name = f"{name}-{_words(effort)}" if effort else name
        subject = next(place for count in range(1, 1000) if (place := f"{name}-{count}" if count > 1 else name) not in subjects)
        subjects[subject] = RunSubject(subject, "run", subject, family, line.text("source_detail"))
        error = QUALITIES[line.text("data_quality")]
        note = READ_OFF if error is not None else ""
        scores.append(Score(subject, AXES[axis], "", float(used), file=line.file, row=line.row))
        value = float(line.forgiving("performance"))
        scores.append(Score(subject, quantity(benchmark), "", value, error, note=note, file=line.file, row=line.row))


def _run(folder: Path, path: str, scores: list[Score], subjects: dict[str, RunSubject]) -> None:
    tree, file = document(folder, path)
    task, model, run = (str(pick(tree, file, key)) for key in ("task", "model", "run_id"))
    if task not in QUESTIONS:
        raise RecordError.collect([Problem(file, None, "task", task[:60], "one of " + ", ".join(QUESTIONS))])
    family = family_of(model, file)
    subject = f"{family}/{_words(quantity(task).removeprefix('effort_'))}/run-{_words(run)}"
    if subject in subjects:
        raise RecordError.collect([Problem(file, None, "run_id", run[:60], "each run once")])
    subjects[subject] = RunSubject(subject, "run", subject, family)
    asked = _questions(tree, file, task)
    tokens = real(tree, file, "totals", "total_output_tokens") / asked
    scores.append(Score(subject, "response_tokens", "", tokens, file=file))
    accuracy, error = real(tree, file, "accuracy"), real(tree, file, "stderr")
    scores.append(Score(subject, quantity(task), "", accuracy, error, QUESTIONS[task], file=file))


def _questions(tree: Any, file: str, task: str) -> float:
    """How often a question was asked: from the samples where they are, else questions times repetitions."""
    answered = branch(tree, file, "samples")
    repetitions = real(tree, file, "epochs_configured")
    planned = QUESTIONS[task] * repetitions
    if not answered:
        return planned
    count = 0
    for name in answered:
        tokens = pick(answered, file, name, "output_tokens")
        if not isinstance(tokens, list):
            raise RecordError.collect([Problem(file, None, f"samples.{name}", repr(tokens)[:60], "a list of tokens")])
        count += len(tokens)
    if not 0.9 * planned <= count <= planned:
        raise RecordError.collect([Problem(file, None, "samples", f"{count} answers", f"about {planned:g}, as configured")])
    total = math.fsum(token for name in answered for token in answered[name]["output_tokens"])
    if not math.isclose(total, real(tree, file, "totals", "total_output_tokens"), rel_tol=1e-6):
        raise RecordError.collect([Problem(file, None, "totals.total_output_tokens", f"not {total:g}", "the sum over samples")])
    return count
