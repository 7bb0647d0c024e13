"""Every known trap of the upstream files: what catches it, and whether it does on the real files.

The traps are those that the mirror's SOURCES.yaml lists, in its order. Each entry names the check and its rule; where the trap
sits in certain rows, those rows are found here by looking at the files anew, without the reader, and set beside what the reader
and the gate made of them. `docs/traps.md` is written from this and compared by a test. A trap that is a fact about the data and
not about rows is `stated`: the rule says what follows from it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import yaml

from foresaid import card, changes, doubts, ingest, quality, sources
from foresaid.errors import UnreadableError
from foresaid.formats import ModelRow, ObservationRow, QuantityRow
from foresaid.identity import Names
from foresaid.sources import Reading, Score

Row = Mapping[str, str]
# The source of the record that holds each entry of SOURCES.yaml; the others carry their own name.
SOURCE = {
    "obsscaling-2024-05": "obsscaling",
    "gadre-scaling": "gadre",
    "pythia-evals": "pythia",
    "dclm-models": "dclm",
    "chinchilla-points": "chinchilla",
    "nmt-learning-curves": "nmt-curves",
    "koehn-knowles-2017": "koehn-knowles",
    "monkeys-power": "pass-at-k",
    "o1-mini-aime": "o1-mini",
    "epoch-hub-2026-03": "epoch-hub",
    "epoch-stitching-2025-12": "epoch-hub",
    "epoch-models-2026-01": "epoch-models",
    "livebench-2026-06": "livebench",
    "metr-horizon-2026-01": "metr-horizon",
    "lmarena-2025-08": "lmarena",
    "lmarena-history": "lmarena",
}


@dataclass(frozen=True)
class Found:
    """How many real rows (or cells, or names) a trap sits in, how many the check caught, and how many others it hit."""

    rows: int
    caught: int
    false_alarms: int


@dataclass
class Files:
    """The real files of one entry of SOURCES.yaml, and what our reader makes of them."""

    mirror: Path
    registry: Path
    directory: str
    name: str
    catalogue: ingest.Catalogue
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.mirror / self.directory

    @cached_property
    def reading(self) -> Reading:
        """What the reader of the source says of this folder."""
        return sources.read(self.name, sources.find(self.name), self.path)

    @cached_property
    def by_row(self) -> dict[tuple[str, int], list[Score]]:
        """Scores by upstream file and row."""
        found: dict[tuple[str, int], list[Score]] = defaultdict(list)
        for score in self.reading.scores:
            found[score.file.removeprefix(f"{self.path.name}/"), score.row or 0].append(score)
        return found

    def rows(self, file: str) -> list[tuple[int, Row]]:
        """The rows of a table with the line each ends in, read without the reader."""
        reader = csv.reader(io.StringIO((self.path / file).read_bytes().decode("utf-8-sig"), newline=""))
        header = next(reader)
        return [(reader.line_num, dict(zip(header, cells, strict=False))) for cells in reader if cells]

    def reported(self, file: str, row: int) -> list[Score]:
        """Values of a row that count: neither suspect nor under a setting nor with a note."""
        return [one for one in self.by_row.get((file, row), []) if one.status == "reported" and not one.note and not one.setting]

    @cached_property
    def quantities(self) -> Mapping[str, QuantityRow]:
        """The quantities of the record."""
        return self.catalogue.known.quantities

    @cached_property
    def models(self) -> Mapping[str, ModelRow]:
        """The models of the record."""
        return self.catalogue.known.models


Measure = Callable[[Files], Found]
Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Trap:
    """One trap: where it is caught, by which rule, and how to see that it is."""

    check: str
    rule: str
    measure: Measure | None = None


def marked(file: str, wrong: Test, quantities: Iterable[str] = ()) -> Measure:
    """Rows must be suspect, or say why in a note or setting; the same mark on other rows of the file is a false alarm."""
    names = set(quantities)

    def measure(files: Files) -> Found:
        rows = files.rows(file)
        here = {line for line, row in rows if wrong(row)}
        hit = {line for line, _ in rows if not [one for one in files.reported(file, line) if not names or one.quantity_id in names]}
        said = {one.note or one.setting for line in here for one in files.by_row.get((file, line), [])} - {""}
        others = {
            line
            for line, _ in rows
            if line not in here and any((one.note or one.setting) in said for one in files.by_row.get((file, line), []))
        }
        return Found(len(here), len(here & hit), len(others))

    return measure


def left_out(file: str, wrong: Test, valued: Test = lambda row: True) -> Measure:
    """Rows must give no value; another row that has values and gives none is a false alarm."""

    def measure(files: Files) -> Found:
        rows = files.rows(file)
        here = [line for line, row in rows if wrong(row)]
        others = [line for line, row in rows if not wrong(row) and valued(row) and not files.by_row.get((file, line))]
        return Found(len(here), sum(not files.by_row.get((file, line)) for line in here), len(others))

    return measure


def fractions(*units: str) -> Measure:
    """Every value of these units must lie within the bounds of its quantity after the reader's change of scale."""

    def measure(files: Files) -> Found:
        wanted = [one for one in files.reading.scores if files.quantities[one.quantity_id].unit in (units or ("fraction",))]
        good = [one for one in wanted if _bounded(one, files.quantities[one.quantity_id])]
        return Found(len(wanted), len(good), 0)

    return measure


def _bounded(score: Score, quantity: QuantityRow) -> bool:
    low, high = quantity.lower, quantity.upper
    inside = (low is None or score.value >= low) and (high is None or score.value <= high)
    return inside or score.status == "suspect"


def one_key_a_value(files: Files) -> Found:
    """No two values of one key: rows of one model are told apart by setting, or one of them was chosen and the others counted."""
    names = Names(files.name, files.models, files.catalogue.aliases)
    keys: Counter[tuple[str, str, str]] = Counter()
    for score in files.reading.scores:
        subject = names.resolve(score.subject, ("", None))
        keys[subject if isinstance(subject, str) else score.subject, score.quantity_id, score.setting] += 1
    return Found(sum(keys.values()), sum(count for count in keys.values() if count == 1), 0)


def empty_cells(file: str, columns: Iterable[str]) -> Measure:
    """Empty cells must give no value, and every other cell of these columns one."""
    names = list(columns)

    def measure(files: Files) -> Found:
        empty = extra = caught = 0
        for line, row in files.rows(file):
            filled = sum(row[name].strip() != "" for name in names)
            blank, given = len(names) - filled, len(files.by_row.get((file, line), []))
            empty += blank
            caught += min(blank, len(names) - given)
            extra += max(filled - given, 0)
        return Found(empty, caught, extra)

    return measure


def never(wrong: Callable[[Score], bool]) -> Measure:
    """No value may be like this: every one that is counts as missed."""

    def measure(files: Files) -> Found:
        return Found(sum(map(wrong, files.reading.scores)), 0, 0)

    return measure


def suspects(rows: int, quantity: str) -> Measure:
    """So many values of quantities whose name ends so must be suspect, and no more."""

    def measure(files: Files) -> Found:
        found = sum(one.status == "suspect" and one.quantity_id.endswith(quantity) for one in files.reading.scores)
        return Found(rows, min(rows, found), max(found - rows, 0))

    return measure


def english_only(files: Files) -> Found:
    """Models of the T5, BART and Switch families on Chinese text: each of their losses says so, and no other does."""
    rows = files.rows("benchmark/wmt19.csv")
    names = [row["config name"].lower().rsplit("/", 1)[-1] for _, row in rows]
    lines = {line for (line, _), name in zip(rows, names, strict=True) if name.startswith(("t5", "bart", "switch"))}
    losses = [
        (line, one) for line, _ in rows for one in files.by_row["benchmark/wmt19.csv", line] if one.quantity_id.endswith("loss")
    ]
    here = [one for line, one in losses if line in lines]
    hit = [one for one in here if "English-only" in one.note]
    return Found(len(here), len(hit), sum("English-only" in one.note for line, one in losses if line not in lines))


def rising(files: Files) -> Found:
    """Losses that rise with the number of examples: each says so, and no other does."""
    here = caught = others = 0
    for line, row in files.rows("benchmark/wmt19.csv"):
        losses = [float(row[str(number)]) for number in (0, *(200 * 2**power for power in range(14)))]
        rises = sum(after > before for before, after in pairwise(losses))
        said = sum("higher than with fewer" in one.note for one in files.by_row["benchmark/wmt19.csv", line])
        here, caught, others = here + rises, caught + min(rises, said), others + max(said - rises, 0)
    return Found(here, caught, others)


def chances(levels: Mapping[str, float]) -> Measure:
    """The record must hold the chance level of each quantity."""

    def measure(files: Files) -> Found:
        right = [name for name, chance in levels.items() if name in files.quantities and files.quantities[name].chance == chance]
        return Found(len(levels), len(right), 0)

    return measure


def read_columns(file: str, *names: str) -> Measure:
    """Columns must be there as spelt and the reader must get through them."""

    def measure(files: Files) -> Found:
        header = set(files.rows(file)[0][1])
        return Found(len(names), sum(name in header for name in names) if files.reading.scores else 0, 0)

    return measure


def parsed(files: Files) -> Found:
    """The reader must get through the files at all; each pinned file counts as one row."""
    source = card.read(files.registry / "sources" / files.name / "source.toml", files.name, files.name)
    pinned = [file for one in source.vintages if one.directory == files.directory for file in one.files]
    return Found(len(pinned), len(pinned) if files.reading.scores else 0, 0)


def not_read(*paths: str) -> Measure:
    """Files no value may come from."""

    def measure(files: Files) -> Found:
        from_them = {one.file.removeprefix(f"{files.path.name}/") for one in files.reading.scores}
        there = [path for path in paths if (files.path / path).exists()]
        return Found(len(there), sum(path not in from_them for path in there), 0)

    return measure


def settings(file: str, part: str) -> Measure:
    """Every value of a file must be told apart by a setting."""

    def measure(files: Files) -> Found:
        here = [one for one in files.reading.scores if one.file.endswith(file)]
        return Found(len(here), sum(part in one.setting for one in here), 0)

    return measure


def intervals(files: Files) -> Found:
    """Rows with an interval as text: each value has a standard error from it, or the row is a repeated one."""
    file = "csv/lmarena_text.csv"
    rows = [line for line, row in files.rows(file) if row["95_pct_ci"].startswith("+")]
    good = [line for line in rows if all(one.stderr is not None for one in files.by_row.get((file, line), []))]
    return Found(len(rows), len(good), 0)


def absent(*quantities: str) -> Measure:
    """Quantities that must not come from this source."""

    def measure(files: Files) -> Found:
        given = {one.quantity_id for one in files.reading.scores}
        return Found(len(quantities), sum(name not in given for name in quantities), 0)

    return measure


def shared_rows(files: Files) -> Found:
    """Rows of both vintages, in another order: none of them may count as revised."""
    other = Files(files.mirror, files.registry, "ryoungj+ObsScaling", files.name, files.catalogue)
    before = {(one.subject, one.quantity_id): one.value for one in files.reading.scores}
    after = {(one.subject, one.quantity_id): one.value for one in other.reading.scores}
    shared = before.keys() & after.keys()
    return Found(len(shared), sum(changes.same(before[key], after[key]) for key in shared), 0)


def added_late(files: Files) -> Found:
    """Old models of the later vintage: `update` calls them late by their release dates, and calls no newer one so."""
    other = Files(files.mirror, files.registry, "ryoungj+ObsScaling", files.name, files.catalogue)
    names = Names(files.name, files.models, files.catalogue.aliases)
    before = {one.subject for one in files.reading.scores}
    added = sorted({one.subject for one in other.reading.scores} - before)
    cards = [files.models[found] for name in added if isinstance(found := names.resolve(name, ("", None)), str)]
    old = [row for row in cards if row.released_on is not None and row.released_on <= date(2024, 5, 31)]
    rows = [score for score in other.reading.scores if score.subject in added]
    told = changes.late(
        [_observation(str(names.resolve(one.subject, ("", None)))) for one in rows], set(), files.models, date(2024, 5, 31)
    )
    return Found(len(old), len([row for row in told if row in old]), len([row for row in told if row not in old]))


def _observation(subject: str) -> ObservationRow:
    day = date(2024, 10, 1)
    return ObservationRow(subject, "mmlu", "", day, 0.5, None, None, day, "reported", "")


def below_ceiling(file: str, column: str, quantity: str, factor: float) -> Measure:
    """Sizes beyond any run: the gate's ceiling must catch them, and no other."""

    def measure(files: Files) -> Found:
        unit = files.quantities[quantity].unit
        ceiling = quality.CEILINGS[unit]
        high = [line for line, row in files.rows(file) if row[column].strip() and float(row[column]) * factor > ceiling]
        suspect = {
            line for (path, line), scores in files.by_row.items()
            if path == file and any(one.quantity_id == quantity and one.status == "suspect" for one in scores)
        }  # fmt: skip
        return Found(len(high), len(suspect & set(high)), len(suspect - set(high)))

    return measure


def zeros(files: Files) -> Found:
    """Cells of 0.0 in the wide history: none may become a value."""
    cells = [cell for _, row in files.rows("output/result.csv") for name, cell in row.items() if name]
    zero = sum(float(cell) == 0.0 for cell in cells)
    given = [one for one in files.reading.scores if one.file.endswith("result.csv")]
    return Found(zero, zero if all(one.value != 0.0 for one in given) else 0, 0)


def skipped(reason: str, file: str, wrong: Test) -> Measure:
    """Rows the reader counts as left out for a reason."""

    def measure(files: Files) -> Found:
        rows = sum(wrong(row) for _, row in files.rows(file))
        counted = sum(count for said, count in files.reading.skipped.items() if reason in said)
        return Found(rows, min(rows, counted), max(counted - rows, 0))

    return measure


def kind_checkpoint(files: Files) -> Found:
    """Checkpoints in mid-run are of kind checkpoint, so that no law takes them for finished runs."""
    steps = [one for one in files.reading.subjects if "/step-" in one.subject_id]
    return Found(len(steps), sum(one.kind == "checkpoint" for one in steps), 0)


def adversarial_rows(file: str, column: str) -> Measure:
    """Adversarial systems are left out, or suspect by the rule of `doubts`."""
    return marked(file, lambda row: "adversarial" in row[column].lower() or bool(doubts.ADVERSARIAL.search(row[column])))


def main_checkpoint(files: Files) -> Found:
    """The last checkpoint: present as a step, never as a name."""
    named = [one for one in files.reading.subjects if one.subject_id.endswith("/main")]
    return Found(len(files.reading.subjects), len(files.reading.subjects) - len(named), 0)


MOE = (
    "mistralai/Mixtral-8x22B-v0.1",
    "deepseek-ai/DeepSeek-V2",
    "deepseek-ai/DeepSeek-Coder-V2-Base",
    "ai21labs/Jamba-v0.1",
    "Qwen/Qwen2-57B-A14B",
)
BENCH = "eval_results/base_llm_benchmark_eval.csv"
ALPACA = "docs/data_AlpacaEval_2/weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
BASE = ("MMLU", "ARC-C", "HellaSwag", "Winograd", "TruthfulQA", "GSM8K", "XWinograd", "HumanEval")
OLD, NEW = "data/open-llm-leaderboard_old.csv", "data/open-llm-leaderboard_new.csv"
PEAK = "src/scripts/paper/data/ladder-runs/peteish7_eval_full.csv"
NMT = "revisiting_neural_scaling_laws/data/benchmark.lang.nmt-rows.csv"

# In the order of SOURCES.yaml; a test holds the two together.
TRAPS: dict[str, tuple[Trap, ...]] = {
    "obsscaling": (
        Trap(
            "reader, gate `size`",
            "more than 1e14 tokens is a slip of units: suspect, with the reason",
            below_ceiling(BENCH, "Pretraining Data Size (T)", "training_tokens", 1e12),
        ),
        Trap(
            "reader",
            "a size that is not the total of a mixture of experts is suspect as params_total",
            marked(BENCH, lambda row: row["Model"] in MOE, ["params_total"]),
        ),
        Trap("reader", "a quantised variant says so in its note", marked(BENCH, lambda row: row["Model"].endswith("-FP8"))),
        Trap(
            "reader",
            "an empty cell gives no value; laws impute on training rows",
            empty_cells(BENCH, (*BASE, "Model Size (B)", "Pretraining Data Size (T)", "FLOPs (1E21)")),
        ),
        Trap(
            "quantities.csv",
            "each quantity holds its own chance level",
            chances(
                {
                    "mmlu": 0.25,
                    "hellaswag": 0.25,
                    "arc_challenge": 0.25,
                    "winogrande": 0.5,
                    "xwinograd": 0.5,
                    "gsm8k": 0.0,
                    "humaneval": 0.0,
                }
            ),
        ),
        Trap("reader", "Winograd and Winogrande are one quantity", read_columns(BENCH, "Winograd")),
    ),
    "obsscaling-2024-05": (
        Trap("update", "rows are compared by key and to 1e-12, never by order: none is revised", shared_rows),
        Trap("update, guard", "a model out by the vintage before is called late and is no target", added_late),
    ),
    "sloth": (
        Trap("reader", "each generation has quantities of its own; v2 is read from the Raw columns", fractions()),
        Trap("reader", "columns are named exactly, emoji included", read_columns(OLD, "Average ⬆️", "Hub ❤️")),
        Trap(
            "reader",
            "merged and flagged rows of the v1 table give no value",
            left_out(OLD, lambda row: row["Merged"] == "False" or row["Flagged"] == "False", lambda row: False),
        ),
        Trap("reader, gate `duplicates`", "a precision is a setting or left out: no key has two values", one_key_a_value),
        Trap("reader", "a column with a leading blank is refused unless named so", not_read("data/training_tokens.csv")),
        Trap("stated", "the files are not in the mirror and not read"),
    ),
    "olmo-ladder": (
        Trap("law", "both forms of MMLU are quantities of their own; the threshold law may answer `no_threshold`"),
        Trap(
            "reader",
            "ladder runs give no multiple-choice value",
            never(lambda one: one.quantity_id == "olmo_mmlu_mc" and "/7b" not in one.subject),
        ),
        Trap("reader", "step 0 is left out and counted", skipped("step 0", PEAK, lambda row: float(row["_step"]) == 0)),
        Trap("reader", "a checkpoint in mid-run is of kind checkpoint", kind_checkpoint),
        Trap("law", "fewer than three rows above the threshold is `too_few_points` or `no_threshold`"),
    ),
    "gadre-scaling": (
        Trap("reader", "percent baselines become the chance of each quantity", fractions()),
        Trap("reader", "a validation set is chosen by name and must occur once for the last checkpoint", one_key_a_value),
        Trap("card", "paths are pinned with their own spelling", parsed),
        Trap("stated", "series of fewer than `at_least` points are not fitted"),
        Trap("law", "an asymptote at its bound has status at_bound"),
    ),
    "gemstones": (
        Trap("reader", "main is joined to its step", main_checkpoint),
        Trap(
            "reader",
            "a vocabulary is a setting: losses of different tokenisers share no key",
            settings("data/our_val_loss_data.json", "vocabulary="),
        ),
        Trap("quantities.csv", "each task holds its own chance level"),
    ),
    "pythia-evals": (
        Trap("law", "MMLU of Pythia is fitted as a control; `no_threshold` is a status"),
        Trap("reader", "the size is read where five-shot names put it", parsed),
        Trap(
            "reader",
            "steps times 2,097,152 are the tokens",
            never(lambda one: one.quantity_id == "training_tokens" and one.value % 2_097_152 != 0),
        ),
        Trap("quantities.csv", "chance of the two tasks is one half", chances({"pythia_piqa": 0.5, "pythia_winogrande": 0.5})),
    ),
    "dclm-models": (
        Trap("reader", "raw task columns only; chance-corrected ones have other names", fractions()),
        Trap("reader", "task perplexities are no loss", absent("dclm_perplexity")),
        Trap("gate `duplicates`", "one row a model is chosen, the others counted", one_key_a_value),
        Trap("stated", "the data set is part of the subject; a law over these rows is one over data sets"),
    ),
    "chinchilla-points": (
        Trap("reader", "tokens are FLOPs over six times parameters", fractions("tokens")),
        Trap("reader", "the five outliers are suspect, with the reason", suspects(5, "loss")),
        Trap("stated", "losses were read from a colour scale and carry that error"),
    ),
    "steplaw": (
        Trap("reader", "rows that are badly tuned on purpose are told from the lower envelope"),
        Trap(
            "reader",
            "a loss of a run that diverged is suspect or left out",
            never(lambda one: one.quantity_id.endswith("loss") and one.value > 8.0 and one.status == "reported" and not one.note),
        ),
        Trap("reader", "smooth loss is read, not the last step's", read_columns("data/dense_lr_bs_loss.csv", "smooth loss")),
    ),
    "data-constrained": (
        Trap("reader", "rows of less than one epoch are told apart by unique_tokens"),
        Trap("stated", "runs of many epochs do not enter a law of N and D alone"),
    ),
    "finetune-loss": (
        Trap("reader", "the size is finetuning_examples, a quantity of its own", absent("training_tokens")),
        Trap("law", "zero examples stay zero; a law that takes logarithms leaves them out and counts them"),
        Trap("reader", "English-only tokenisers on Chinese say so in the note", english_only),
        Trap("reader", "a loss that rises with examples says so in the note", rising),
        Trap("stated", "losses and BLEU are quantities of their own", absent("koehn_knowles_bleu")),
    ),
    "nmt-learning-curves": (
        Trap("stated", "a case that holds out the test point scores one row a curve"),
        Trap("gate `duplicates`", "the repeated block is read once and counted", one_key_a_value),
        Trap("law", "a curve that rises has status non_monotone"),
        Trap("reader", "seen examples are their own quantity", read_columns(NMT, "Seen Examples")),
    ),
    "koehn-knowles-2017": (
        Trap(
            "reader",
            "the value nobody compared is suspect",
            marked(
                "koehn-knowles-2017-figure-3.csv",
                lambda row: row["system"] == "phrase_based" and row["corpus_fraction_denominator"] == "1",
                ["koehn_knowles_bleu"],
            ),
        ),
        Trap("reader", "the size is training_words, a quantity of its own", absent("training_tokens")),
        Trap("law", "series below `at_least` and residuals show the crossing; the status says what the fit is worth"),
        Trap("reader", "derived words are checked against 385.7e6 over the denominator", parsed),
    ),
    "monkeys-power": (
        Trap("gate `finite`", "an infinite score is refused or left out", fractions()),
        Trap("reader", "problems are averaged first", one_key_a_value),
        Trap("reader", "the number of samples stands in n"),
        Trap("quantities.csv", "coverage is a quantity of its own, not accuracy"),
    ),
    "o1-mini-aime": (
        Trap("reader", "30 questions stand in n or in the protocol"),
        Trap("reader", "the axis is avg_tokens_used", parsed),
        Trap("law", "a curve that falls has status non_monotone"),
    ),
    "effort-tokens": (
        Trap("reader", "effort is told by tokens"),
        Trap("aliases.csv", "two spellings of a benchmark are one quantity", one_key_a_value),
        Trap("reader", "a point read from a figure says so in its note"),
        Trap("reader", "aggregates are left out"),
        Trap("law", "a straight line in log tokens is scored, not trusted"),
        Trap("reader", "proprietary fields are not read"),
    ),
    "weirdml": (
        Trap("reader, `identity`", "effort is a setting: no key has two values", one_key_a_value),
        Trap("reader", "standard errors and runs are kept with the value"),
        Trap("quantities.csv", "chance is empty"),
    ),
    "epoch-hub-2026-03": (
        Trap("reader", "each file's score column is named in the reader", parsed),
        Trap(
            "gate `duplicates`",
            "shots, scaffolds and sources are settings; what is left is chosen by rule and counted",
            one_key_a_value,
        ),
        Trap("guard", "a model without a date enters no split by date"),
        Trap(
            "`identity`",
            "an effort suffix is a setting",
            never(lambda one: one.subject.rsplit("_", 1)[-1] in ("high", "medium", "low", "xhigh") and not one.setting),
        ),
        Trap("law", "missing compute is imputed or not needed; its absence is a status"),
        Trap("card", "known_on is the day of the download, release dates are in models.csv"),
        Trap("quantities.csv", "ECI is an index: it resolves no forecast of a benchmark"),
        Trap("gate `zero`", "0.0 where guessing scores more stands for missing", fractions()),
    ),
    "epoch-stitching-2025-12": (
        Trap("reader", "release dates are joined on Model version"),
        Trap("reader", "a byte-order mark is not part of the first name", parsed),
        Trap("reader", "both spellings of dates are read exactly or refused"),
        Trap("stated", "the file is not in the mirror"),
    ),
    "epoch-models-2026-01": (
        Trap("reader", "quoted cells with commas and line breaks are read by a CSV parser", parsed),
        Trap("aliases.csv", "names are resolved by alias or refused with the nearest"),
        Trap("reader", "a speculative value says so in its note"),
        Trap("doubts `compute`", "compute beyond ten times 6ND is doubted; a fine-tuned model says so"),
    ),
    "livebench-2026-06": (
        Trap("reader", "the release is part of the quantity or setting: releases never mix", one_key_a_value),
        Trap("reader", "averages are over subtasks in a category, then over categories", fractions()),
        Trap("reader, `identity`", "effort is a setting: no key has two values", one_key_a_value),
        Trap("update", "a row that goes is withdrawn, one that changes revised"),
    ),
    "aider": (
        Trap("reader", "the run date is not the release date"),
        Trap("reader, gate `duplicates`", "edit format and effort are settings: no key has two values", one_key_a_value),
        Trap("reader", "a cost of 0.0 gives no value"),
        Trap("reader", "quantisations and providers are settings, or the file is left out"),
        Trap("reader", "pass_rate_2 is the value, as a fraction", fractions()),
    ),
    "metr-horizon-2026-01": (
        Trap("reader", "each version of the suite is a quantity of its own", one_key_a_value),
        Trap("update", "a later vintage revises; both values stay"),
        Trap("reader", "doubling_time_in_days is no model", never(lambda one: "doubling" in one.subject.lower())),
    ),
    "eee-helm": (
        Trap("card", "known_on is the day of the commit, not the scrape"),
        Trap("reader", "both schema versions are read, others refused", parsed),
        Trap("stated", "the commit is pinned"),
        Trap("reader", "the mean over the others is no benchmark"),
        Trap("card", "files are pinned by path and SHA-256", parsed),
    ),
    "eee-schema": (Trap("stated", "the schema in the mirror is the one read, pinned by its SHA-256"),),
    "evalplus": (
        Trap("card", "known_on is the day of the commit"),
        Trap("reader", "a size of null gives no value"),
        Trap("quantities.csv", "the protocol names the version of MBPP+", fractions()),
    ),
    "alpaca-eval": (
        Trap(
            "reader, doubts `adversarial`",
            "a system made to cheat the judge gives no reported value",
            adversarial_rows(ALPACA, "name"),
        ),
        Trap("reader", "ensembles are no models", marked(ALPACA, lambda row: "SelfMoA" in row["name"])),
        Trap("card", "known_on is the day of the commit"),
    ),
    "lmarena-2025-08": (
        Trap("reader", "interval text is parsed; a number column refuses it", intervals),
        Trap("quantities.csv", "Elo is an index in points; dated vintages keep each pool"),
    ),
    "lmarena-history": (
        Trap("reader, gate `zero`", "0.0 is left out", zeros),
        Trap("update", "each leaderboard date is a vintage: what changes is a revision"),
        Trap("reader", "the first column is the date", parsed),
    ),
}


def table(mirror: Path, registry: Path) -> tuple[str, int]:
    """Write the page of all traps from the real files; return it with the number of rows missed."""
    listed = yaml.safe_load((mirror / "SOURCES.yaml").read_text(encoding="utf-8"))["sources"]
    catalogue, problems = ingest.read_catalogue(registry)
    if problems:
        raise UnreadableError(f"{registry.name}: {problems[0]}")
    lines = [
        "# Known traps of the upstream files",
        "",
        "Written by `foresaid traps --from MIRROR` from the real files; a test compares. *Rows* are the real rows (values,",
        "cells, names or files) the trap sits in, found without the reader; *caught* those that the check handled by its",
        "rule; *false alarms* others it hit. A dash: the trap is a fact about the data, and the rule says what follows.",
        "",
        "| Source | Trap | Check | Rule | Rows | Caught | False alarms |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    missed = 0
    for entry in listed:
        name = SOURCE.get(entry["id"], entry["id"])
        ready = name in sources.names() and (registry / "sources" / name / "source.toml").is_file()
        files = Files(mirror, registry, entry["directory"], name, catalogue)
        for said, trap in zip(entry.get("traps", []), TRAPS.get(entry["id"], ()), strict=True):
            figures = ("–", "–", "–")
            if trap.measure is not None and ready:
                found = trap.measure(files)
                missed += found.rows - found.caught
                figures = (f"{found.rows:,}", f"{found.caught:,}", f"{found.false_alarms:,}")
            elif trap.measure is not None:
                figures = ("no reader yet", "", "")
            text = " ".join(said.split()).replace("|", "\\|")
            lines.append(f"| {entry['id']} | {text} | {trap.check} | {trap.rule} | " + " | ".join(figures) + " |")
    return "\n".join([*lines, ""]), missed


def measured(mirror: Path, registry: Path, entry: str) -> list[Found | None]:
    """The figures of one entry of SOURCES.yaml, for tests."""
    listed = {item["id"]: item for item in yaml.safe_load((mirror / "SOURCES.yaml").read_text(encoding="utf-8"))["sources"]}
    catalogue, _ = ingest.read_catalogue(registry)
    files = Files(mirror, registry, listed[entry]["directory"], SOURCE.get(entry, entry), catalogue)
    return [trap.measure(files) if trap.measure else None for trap in TRAPS[entry]]


def unlisted(mirror: Path) -> list[str]:
    """Entries whose number of traps differs between SOURCES.yaml and this module."""
    listed = yaml.safe_load((mirror / "SOURCES.yaml").read_text(encoding="utf-8"))["sources"]
    return [entry["id"] for entry in listed if len(entry.get("traps", [])) != len(TRAPS.get(entry["id"], ()))]
