"""Rules that see several rows at once: what no single row shows to be wrong.

A row can be well spelt and within bounds and still be another model's, a simulation, or a thousand times too large. Each rule
says which values it flags and why, in words a person can check. `update` records a new value that `SURE` rules flag as suspect,
with the reason as its note; `ingest` lists what all rules flag in the rows that stand, for the data page. A rule never changes
a row of the record, and a value that is suspect already is flagged no more.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from foresaid.registry.checks.rows import Known
from foresaid.registry.formats import ModelRow, ObservationRow, SubjectRow, plain
from foresaid.registry.model_names import alike
from foresaid.registry.row_keys import identity, noted

SHARED = 5  # quantities two names must share, equal to the digit, before one counts as a copy of the other
MOSTLY = 0.8  # and the share of all the quantities they share that must be equal
CROWD = 30  # a value that more subjects than this share is a level of the scale, no fingerprint
COMPUTE = 10.0  # factor by which FLOPs may differ from six times parameters times tokens
UNIT = 100.0  # and the factor beyond which the card of a model has a wrong unit in one of the three
SERIES = 8  # points a series needs before it can be called noise-free
EXACT = 1e-8  # residual over range below which a smooth curve is no measurement: real ones have noise of 1e-4 and more
SCALE = 0.4  # share of the chance level below which raw scores of real models hardly lie (the lowest tasks reach 0.6)
SCALE_SHARE = 0.1  # share of a quantity's values below that
SIZES = ("training_tokens", "training_flops", "params_total", "finetuning_examples", "training_words")
# Systems made to cheat a judge, not models: NullModel of AlpacaEval answers every question with one text.
ADVERSARIAL = re.compile(r"(^|[/_-])(null-?model|adversarial|constant-?answer)([/_-]|$)", re.IGNORECASE)
SURE = ("copy", "simulated", "compute", "adversarial")
MEASURED = ("benchmark", "loss", "index")


@dataclass(frozen=True)
class Flag:
    """One value (or one model, where quantity_id is empty) that a rule flags."""

    rule: str
    source_id: str
    subject_id: str
    quantity_id: str
    setting: str
    reason: str


def suspect(
    rows: Sequence[ObservationRow],
    standing: Sequence[ObservationRow],
    known: Known,
    subjects: Mapping[str, SubjectRow],
    merged: Mapping[str, str] = MappingProxyType({}),
) -> list[ObservationRow]:
    """Mark rows that the record does not have yet and that a sure rule flags; rows that stand are left as they are."""
    have = {row[:3] for row in standing}
    former = {row.subject_id for row in standing}
    fresh = {row[:3] for row in rows if row[:3] not in have and row.status == "reported"}
    if not fresh:
        return list(rows)
    latest = {row[:3]: row for row in sorted(standing, key=lambda row: row.known_on)}
    whole = [row for key, row in latest.items() if row.status in ("reported", "revised")]
    whole += [row for row in rows if row[:3] in fresh]
    found: dict[tuple[str, str, str], str] = {}
    for flag in sure("", whole, known, subjects, former, merged):
        found.setdefault((flag.subject_id, flag.quantity_id, flag.setting), flag.reason)
    return [
        row._replace(status="suspect", note=noted(found[row[:3]], identity(row), row.setting))
        if row[:3] in fresh and row[:3] in found
        else row
        for row in rows
    ]


def sure(
    source: str,
    rows: Sequence[ObservationRow],
    known: Known,
    subjects: Mapping[str, SubjectRow],
    former: Iterable[str] = (),
    merged: Mapping[str, str] = MappingProxyType({}),
) -> list[Flag]:
    """What the sure rules flag among the current rows of one source.

    `former` were there first, so they are no copies; `merged` are ids that a person found to be one model.
    """
    return [
        *adversarial(source, rows),
        *compute(source, rows, known),
        *copies(source, rows, known, subjects, set(former), merged),
        *simulated(source, rows, known, subjects),
    ]


def adversarial(source: str, rows: Sequence[ObservationRow]) -> list[Flag]:
    """Systems made to cheat a judge: nothing they score is a capability."""
    reason = "an adversarial system that cheats the judge, not a model"
    return [Flag("adversarial", source, *row[:3], reason) for row in rows if ADVERSARIAL.search(row.subject_id)]


def compute(source: str, rows: Sequence[ObservationRow], known: Known) -> list[Flag]:
    """Training compute that is not within a factor of ten of 6 x parameters x tokens (Kaplan et al. 2020, section 2.1).

    The active parameters of models.csv count where it has them, so that a mixture of experts is not flagged.
    """
    sizes: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.quantity_id in ("params_total", "training_tokens", "training_flops"):
            sizes[row.subject_id, row.setting][row.quantity_id] = row.value
    flags = []
    for (subject, setting), found in sorted(sizes.items()):
        card = known.models.get(subject)
        params = (card.params_active if card else None) or found.get("params_total")
        tokens, flops = found.get("training_tokens"), found.get("training_flops")
        if not params or not tokens or not flops:
            continue
        ratio = flops / (6 * params * tokens)
        if not 1 / COMPUTE <= ratio <= COMPUTE:
            said = f"{flops:.3g} FLOPs are {ratio:.3g} times 6 x {params:.3g} parameters x {tokens:.3g} tokens"
            flags.append(Flag("compute", source, subject, "training_flops", setting, said))
    return flags


def copies(
    source: str,
    rows: Sequence[ObservationRow],
    known: Known,
    subjects: Mapping[str, SubjectRow],
    former: set[str],
    merged: Mapping[str, str] = MappingProxyType({}),
) -> list[Flag]:
    """Names with at least five measured values, four fifths of those they share, equal to the digit: one is mislabelled.

    Checkpoints of one run are not compared. Where one of the two stood on the record before, it alone is trusted.
    """
    vectors: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    holders: dict[tuple[str, str, float], list[str]] = defaultdict(list)
    for row in rows:
        card = known.quantities.get(row.quantity_id)
        if card is None or card.kind not in MEASURED:
            continue
        vectors[row.subject_id][row.quantity_id, row.setting] = row.value
        if row.value not in (card.lower, card.upper, card.chance):
            holders[row.quantity_id, row.setting, row.value].append(row.subject_id)
    matches: dict[tuple[str, str], set[float]] = defaultdict(set)
    for (_, _, value), names in holders.items():
        if 1 < len(names) <= CROWD:
            ordered = sorted(set(names))
            for place, one in enumerate(ordered):
                for other in ordered[place + 1 :]:
                    matches[one, other].add(value)
    flags = []
    for (one, other), values in sorted(matches.items()):
        if len(values) < SHARED or _run(one, subjects) == _run(other, subjects):
            continue
        if merged.get(one, one) == merged.get(other, other):
            continue
        shared = vectors[one].keys() & vectors[other].keys()
        equal = [key for key in shared if vectors[one][key] == vectors[other][key]]
        if len(equal) < MOSTLY * len(shared):
            continue
        for name, twin in ((one, other), (other, one)):
            if name in former and twin not in former:
                continue
            said = f"the same {len(equal)} values to the digit as {twin}: one of the two is mislabelled, or they are one model"
            flags += [Flag("copy", source, name, quantity, setting, said) for quantity, setting in sorted(equal)]
    return flags


def _run(subject: str, subjects: Mapping[str, SubjectRow]) -> str:
    row = subjects.get(subject)
    return row.run if row else subject


def simulated(source: str, rows: Sequence[ObservationRow], known: Known, subjects: Mapping[str, SubjectRow]) -> list[Flag]:
    """Series that lie on a smooth law to nearly machine precision: a formula wrote them, not a measurement.

    Tried against the logarithm of a size: a line, a power law, a logistic curve and a power law with an offset.
    """
    sizes: dict[str, dict[str, float]] = defaultdict(dict)
    series: dict[tuple[str, str, str], list[tuple[str, float]]] = defaultdict(list)
    for row in rows:
        if row.quantity_id in SIZES and row.value > 0:
            sizes[row.subject_id][row.quantity_id] = row.value
            continue
        card = known.quantities.get(row.quantity_id)
        if card is not None and card.kind in MEASURED:
            series[_series(row.subject_id, known, subjects), row.quantity_id, row.setting].append((row.subject_id, row.value))
    flags = []
    for (_, quantity, setting), points in sorted(series.items()):
        if len({value for _, value in points}) < SERIES:
            continue
        for size in SIZES:
            pairs = {sizes[name][size]: value for name, value in points if size in sizes[name]}
            if len(pairs) < SERIES or len(set(pairs.values())) < SERIES:
                continue
            law = noise_free(np.array(list(pairs)), np.array(list(pairs.values())))
            if law:
                said = f"{len(pairs)} points lie on a {law} of {size} to better than {EXACT:g}: a formula, not a measurement"
                flags += [Flag("simulated", source, name, quantity, setting, said) for name, _ in points]
                break
    return flags


def _series(subject: str, known: Known, subjects: Mapping[str, SubjectRow]) -> str:
    row = subjects.get(subject)
    if row is not None:
        return row.run if row.kind == "checkpoint" else row.family
    card = known.models.get(subject)
    return card.family if card else subject


def noise_free(size: np.ndarray, value: np.ndarray) -> str:
    """Name the smooth law that these points lie on exactly, or return nothing.

    `size` and `value` are vectors of one length; sizes are positive and differ.

    >>> x = np.geomspace(1e6, 1e9, 12)
    >>> noise_free(x, 1.7 + 400 * x**-0.34), noise_free(x, 1.7 + 400 * x**-0.34 + 1e-4 * np.cos(7 * np.log(x)))
    ('power law with an offset', '')
    """
    x = np.log(size)
    x = (x - x.mean()) / max(float(np.ptp(x)), 1e-300)
    spread = float(np.ptp(value))
    if spread <= 0.0:
        return ""
    forms = {"line in the logarithm": value}
    if value.min() > 0:
        forms["power law"] = np.log(value)
        if value.max() < 1:
            forms["logistic curve"] = np.log(value / (1 - value))
    for name, y in forms.items():
        if _residual(x, y) < EXACT:
            return name
    # The offset form is linear given its exponent: a coarse grid, then a golden-section search where it is best.
    grid = _exponents()
    curves = np.exp(grid[:, None] * x)
    curves -= curves.mean(axis=1, keepdims=True)
    centred = value - value.mean()
    slopes = curves @ centred / np.einsum("ij,ij->i", curves, curves)
    scores = np.abs(centred - slopes[:, None] * curves).max(axis=1) / spread
    best = int(np.argmin(scores))
    if scores[best] > 0.02:  # far from any such curve, so no exponent nearby reaches machine precision
        return ""
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(80):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if _residual(np.exp(a * x), value) < _residual(np.exp(b * x), value):
            high = b
        else:
            low = a
    return "power law with an offset" if _residual(np.exp((low + high) / 2 * x), value) < EXACT else ""


@cache
def _exponents() -> np.ndarray:
    return np.concatenate([-np.geomspace(30, 0.01, 60), np.geomspace(0.01, 30, 60)])


def _residual(x: np.ndarray, y: np.ndarray) -> float:
    """Largest residual of the best line through the points, over their range."""
    spread = float(np.ptp(y))
    if spread <= 0.0 or not np.all(np.isfinite(x)):
        return math.inf
    dx = x - x.mean()
    square = float(dx @ dx)
    if square <= 0.0:
        return math.inf
    slope = float(dx @ (y - y.mean())) / square
    return float(np.max(np.abs(y - y.mean() - slope * dx))) / spread


def scale(source: str, rows: Sequence[ObservationRow], known: Known) -> list[Flag]:
    """Quantities of which many values lie far below guessing: they look chance-corrected, or mixed with raw ones."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        card = known.quantities.get(row.quantity_id)
        if card is not None and card.kind == "benchmark" and (card.chance or 0.0) >= 0.2:
            values[row.quantity_id, row.setting].append(row.value)
    flags = []
    for (quantity, setting), found in sorted(values.items()):
        chance = known.quantities[quantity].chance or 0.0
        low = sum(value < SCALE * chance for value in found)
        if len(found) >= 10 and low >= SCALE_SHARE * len(found):
            said = f"{low} of {len(found)} values lie below {plain(SCALE)} x chance ({plain(chance)}): chance-corrected, or mixed?"
            flags.append(Flag("scale", source, "", quantity, setting, said))
    return flags


def early(source: str, rows: Sequence[ObservationRow], models: Mapping[str, ModelRow]) -> list[Flag]:
    """Models whose release date is later than the day a score of theirs was public: one of the two dates is wrong."""
    first: dict[str, ObservationRow] = {}
    for row in rows:
        if row.subject_id in models and (row.subject_id not in first or row.known_on < first[row.subject_id].known_on):
            first[row.subject_id] = row
    flags = []
    for name, row in sorted(first.items()):
        released = models[name].released_on
        if released is not None and released > row.known_on:
            said = f"released {released} by models.csv, scored here already on {row.known_on}: one of the dates is wrong"
            flags.append(Flag("dates", source, name, "", "", said))
    return flags


def stale(before: ObservationRow, after: ObservationRow) -> bool:
    """Whether a value moved by more than its standard error while that error and the number of items stayed equal."""
    kept = after.stderr is not None and 0.0 < after.stderr == before.stderr and after.n == before.n
    return kept and abs(after.value - before.value) > (after.stderr or 0.0)


def stale_errors(source: str, rows: Sequence[ObservationRow]) -> list[Flag]:
    """Values that moved by more than their standard error while that error stayed equal to the digit: it is the old one.

    Not flagged where the number of items moved too: boards that round their intervals repeat an error by chance.
    """
    flags = []
    before: dict[tuple[str, str, str], ObservationRow] = {}
    for row in sorted(rows, key=lambda row: (row[:3], row.known_on)):
        if row.status not in ("reported", "revised"):
            continue
        last = before.get(row[:3])
        before[row[:3]] = row
        if last is not None and stale(last, row):
            said = (
                f"{plain(last.value)} became {plain(row.value)} on {row.known_on}, its standard error stayed {plain(row.stderr)}: "
                "is it that of the old value?"
            )
            flags.append(Flag("stale error", source, *row[:3], said))
    return flags


def sizes(models: Iterable[ModelRow]) -> list[Flag]:
    """Cards of models whose training compute is beyond a factor of 100 of 6 x parameters x tokens: a unit may have slipped.

    Wider than `compute`: epochs over one text and mixtures of experts without their active parameters reach a factor of 30.
    """
    flags = []
    for row in models:
        params = row.params_active or row.params_total
        if not params or not row.training_tokens or not row.training_flops:
            continue
        ratio = row.training_flops / (6 * params * row.training_tokens)
        if not 1 / UNIT <= ratio <= UNIT:
            said = f"its compute in models.csv is {ratio:.3g} times 6 x {params:.3g} parameters x {row.training_tokens:.3g} tokens"
            flags.append(Flag("compute", "", row.model_id, "", "", said))
    return flags


def names(models: Iterable[str]) -> list[Flag]:
    """Ids of the record that may be one model: an effort or precision that became a name, or another punctuation."""
    return [
        Flag("name", "", two, "", "", f"{one} and {two} may be one model ({reason}): merge them, or leave them")
        for one, two, reason in alike(models)
    ]


def raised(
    source: str,
    rows: Sequence[ObservationRow],
    known: Known,
    subjects: Mapping[str, SubjectRow],
    merged: Mapping[str, str] = MappingProxyType({}),
) -> list[Flag]:
    """Everything the rules flag among the rows of one source as they stand; suspect and withdrawn values have had their say."""
    latest = {row[:3]: row for row in sorted(rows, key=lambda row: row.known_on)}
    current = [row for row in latest.values() if row.status in ("reported", "revised")]
    return [
        *sure(source, current, known, subjects, (), merged),
        *scale(source, current, known),
        *early(source, rows, known.models),
        *stale_errors(source, rows),
    ]
