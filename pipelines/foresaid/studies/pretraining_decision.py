"""Whether to go on pre-training for a translation task: the procedure of the transfer law, on a person's own checkpoints.

Isik et al. (arXiv 2402.04177, section 3.4) say when their BLEU law helps to decide; the thresholds are ours and are arguments. The
procedure is run on every beginning of the series, so that a law that held once and broke later is told from one that never held.
Cross-entropy is refused: it goes on falling, smoothly, while BLEU falls too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import BadCell, ParameterError, RecordError
from foresaid.files import read_csv
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import fit, problem_for
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.least_squares import solve
from foresaid.forecasting.predict import predict
from foresaid.laws import _loader as laws
from foresaid.scoring.levels import LEVELS

TOLERANCE = 1.0  # BLEU: the largest miss on a held-out checkpoint
FALL = 0.3  # BLEU: the largest fall that may be noise
LEAST, LEAST_FOR_INTERVAL = 3, 5  # checkpoints: three coefficients; two more for an interval
HELD_OUT = 3  # one checkpoint in so many is forecast from those before it
PROFILE = 33
AS_GOOD = 0.05  # BLEU: half the last printed digit
REPLICATES = 200
# Words of a metric's name that make it a loss: lower is better, and it falls whether the translations get better or worse.
LOSSES = frozenset(
    {"loss", "losses", "ce", "xent", "xentropy", "crossentropy", "entropy", "nll", "nats", "perplexity", "ppl", "bpb", "bpc"}
)
PER_UNIT = re.compile(r"(bits?|nats?)(per|/)(byte|char|character|token|word|symbol)s?")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
BLEU_AT_MOST = 100.0
DAY = date(1, 1, 1)
VERDICTS = {
    "COLLECT": "too few checkpoints for three coefficients: evaluate more",
    "MISALIGNED": "the law does not describe these checkpoints; state the score without pre-training to know what they are worth",
    "STOP_NO_VALUE": "the law does not hold and no checkpoint beats training without pre-training: stop",
    "KEEP_BEST_STOP": "the law does not hold, yet a checkpoint beats training without pre-training: keep the best one and stop",
    "STOP_NOT_WORTH": "the law holds and says that the target is out of reach: stop",
    "CONTINUE": "the law holds: go on, and ask again at the next checkpoint",
    "REACHED": "the law does not hold, yet the target is reached and the last checkpoint is the best: nothing says to stop",
    "STOP_MISALIGNED": "the law held and then broke: the sign of pre-training that no longer serves the task; stop",
}


@dataclass(frozen=True)
class Series:
    """Checkpoints in order: tokens seen (n,), ascending and above 0, and the downstream metric (n,), higher is better."""

    metric: str
    tokens: Array
    values: Array

    def first(self, n: int) -> Series:
        """Return the first n checkpoints."""
        return Series(self.metric, self.tokens[:n], self.values[:n])


@dataclass(frozen=True)
class DecisionRequest:
    """What is asked: the score without pre-training, the score wanted and at how many tokens, and what counts as a miss or a fall.

    `noise` is the standard deviation of one score (from a bootstrap over sentences): a fall under twice of it is noise.
    """

    baseline: float | None = None
    target: float | None = None
    maximum: float | None = None
    tolerance: float = TOLERANCE
    fall: float = FALL
    noise: float = 0.0


@dataclass(frozen=True)
class Diagnosis:
    """A verdict, why, and the forecast at the most tokens with its 80 % interval and the range of exponents that fit as well."""

    verdict: str
    reason: str
    forecast: float | None = None
    interval: tuple[float, float] | None = None
    profile: tuple[float, float] | None = None

    def lines(self) -> list[str]:
        """Return the diagnosis as it is printed."""
        made = [f"{self.verdict}: {VERDICTS[self.verdict]}", f"why: {self.reason}"]
        if self.forecast is not None:
            made.append(f"forecast at the most tokens: {self.forecast:.2f}")
        if self.interval is not None:
            made.append(f"80 % interval, if the law holds: {self.interval[0]:.2f} to {self.interval[1]:.2f}")
        if self.profile is not None:
            made.append(f"exponents that fit as well forecast {self.profile[0]:.2f} to {self.profile[1]:.2f}")
        return made


def read(path: Path, metric: str = "") -> Series:
    """Read checkpoints from a CSV file with the column `tokens` and one of the metric.

    Raises RecordError for a value that is no finite number, tokens out of order or twice, ParameterError for a metric that
    cannot be decided on, UnreadableError for a file that is not there.
    """
    header, rows = read_csv(path, "a CSV file with the columns tokens and one metric")
    name = _metric(path, header, metric)
    refuse_losses(path, name)
    problems: list[BadCell] = []
    columns: dict[str, list[float]] = {"tokens": [], name: []}
    for number, row in enumerate(rows, start=2):
        for column, values in columns.items():
            cell = (row.get(column) or "").strip()
            values.append(_number(cell))
            value, bleu = values[-1], "bleu" in column.lower()
            most = BLEU_AT_MOST if bleu else math.inf
            bad = value <= 0.0 if column == "tokens" else not 0.0 <= value <= most
            if not math.isfinite(value) or bad or None in row:
                wanted = (
                    "a number above 0" if column == "tokens" else "a number from 0 to 100" if bleu else "a finite number, 0 or more"
                )
                hint = "correct it or leave the row out"
                if "," in cell or None in row:
                    cell, hint = ",".join(_cells(row)), "write decimals with a point and one value a column"
                problems.append(BadCell(str(path), number, column, cell or "nothing", wanted, hint))
        tokens = columns["tokens"]
        if len(tokens) > 1 and tokens[-1] <= tokens[-2]:
            found, wanted = f"{tokens[-1]:g} after {tokens[-2]:g}", "more tokens than in the row before"
            problems.append(BadCell(str(path), number, "tokens", found, wanted, "sort the rows; one row a checkpoint"))
    if problems:
        raise RecordError.collect(problems)
    return Series(name, np.array(columns["tokens"]), np.array(columns[name]))


def _metric(path: Path, header: list[str], metric: str) -> str:
    others = [name for name in header if name != "tokens"]
    if "tokens" not in header or not others:
        raise ParameterError(f"{path}: found the columns {', '.join(header) or 'none'}, expected tokens and one metric")
    if metric and metric not in others:
        raise ParameterError(f"{path}: found no column {metric}, expected one of {', '.join(others)}")
    if not metric and len(others) > 1:
        raise ParameterError(f"{path}: found the metrics {', '.join(others)}, expected one; name it with --metric")
    return metric or others[0]


def refuse_losses(path: Path, metric: str) -> None:
    """Refuse cross-entropy and its relatives under every name that trainers log them by (see `is_loss`)."""
    if is_loss(metric):
        raise ParameterError(
            f"{path}, column {metric}: found a cross-entropy, expected BLEU or another score of the task; cross-entropy falls "
            "smoothly with more tokens even where the translations get worse, so it cannot say when to stop"
        )


def _cells(row: dict[str | None, str | list[str] | None]) -> list[str]:
    """Return the cells of a row as they stood in the file, those beyond the header with them."""
    return [item for cell in row.values() for item in (cell if isinstance(cell, list) else [cell or ""])]


def is_loss(metric: str) -> bool:
    """Say whether the words of a name make it a loss, however they are joined or capitalised.

    >>> [is_loss(name) for name in ("train/CrossEntropyLoss", "val loss", "bits_per_byte", "evalLoss", "NLL", "valloss")]
    [True, True, True, True, True, True]
    >>> [is_loss(name) for name in ("bleu", "COMET", "chrf++", "glossary_accuracy", "lossless_share")]
    [False, False, False, False, False]
    """
    words = [word.lower() for word in WORD.findall(metric)]
    joined = "".join(words)
    return (
        not LOSSES.isdisjoint(words)
        or "crossentropy" in joined
        or "perplexity" in joined
        or joined.endswith("loss")
        or PER_UNIT.search(joined) is not None
    )


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def diagnose(series: Series, question: DecisionRequest | None = None, seed: int = 0) -> Diagnosis:
    """Say whether to go on pre-training, by the procedure of Isik et al. (arXiv 2402.04177, section 3.4).

    Fewer than three checkpoints: COLLECT. A fall beyond noise, or a miss beyond `tolerance` on the last third when it is forecast
    from the rest: the law does not hold (STOP_MISALIGNED if it held on an earlier part, else by `baseline`). Otherwise the law is
    fitted to all and asked for `maximum` tokens. Not to be trusted on metrics that are not of the task, with a changing learning
    rate, or for a maximum far beyond the checkpoints: then read the range of exponents.

    Raises ParameterError for scores between 0 and 1 under tolerances meant for 0 to 100, and for a target without a maximum.

    >>> diagnose(Series("bleu", np.array([1e9, 2e9]), np.array([10.0, 12.0]))).verdict
    'COLLECT'
    """
    question = question or DecisionRequest()
    _sensible(series, question)
    n = len(series.tokens)
    if n < LEAST:
        return Diagnosis("COLLECT", f"{n} checkpoints; three coefficients need {LEAST}, an interval {LEAST_FOR_INTERVAL}")
    broken = trouble(series, question)
    if broken:
        held = next((m for m in range(n - 1, LEAST, -1) if trouble(series.first(m), question) is None), None)
        return _misaligned(series, question, broken, held)
    checked = f"no fall beyond noise; the last {max(1, n // HELD_OUT)} of {n} checkpoints forecast within {question.tolerance:g}"
    if n == LEAST:
        checked = "three checkpoints fit three coefficients exactly, so nothing was checked"
    if question.target is None or question.maximum is None:
        return Diagnosis("CONTINUE", f"{checked}; no target and maximum were given to compare a forecast with")
    forecast, spread = ahead(series, question.maximum)
    interval = interval_ahead(series, question.maximum, seed) if n >= LEAST_FOR_INTERVAL else None
    # The best that the rows leave possible decides: to stop for good is the costlier error, and no point forecast is certain.
    best = max(forecast, spread[1], interval[1] if interval is not None else forecast)
    reached = float(series.values.max())
    verdict = "CONTINUE" if max(best, reached) >= question.target else "STOP_NOT_WORTH"
    where = "at or above" if forecast >= question.target else "below"
    reason = f"{checked}; {forecast:.2f} at {question.maximum:g} tokens is {where} the target {question.target:g}"
    if verdict == "CONTINUE" and forecast < question.target:
        reason += (
            f"; a checkpoint has {reached:g} already" if reached >= question.target else f"; up to {best:.2f} is not ruled out"
        )
    if spread[0] < question.target <= spread[1]:
        reason += "; exponents that fit as well disagree on it, so this is weak"
    return Diagnosis(verdict, reason, forecast, interval, spread)


def _sensible(series: Series, question: DecisionRequest) -> None:
    if series.values.size and series.values.max() <= 1.0 and question.tolerance == TOLERANCE:
        raise ParameterError(
            f"diagnose: found {series.metric} between 0 and 1, expected the scale 0 to 100; multiply by 100, or state --tolerance "
            "and --fall on the scale of the metric"
        )
    for option, value in (("--tolerance", question.tolerance), ("--fall", question.fall), ("--noise", question.noise)):
        if not (math.isfinite(value) and value >= 0.0):
            raise ParameterError(f"diagnose: found {option} {value:g}, expected a finite number, 0 or more")
    if question.maximum is not None and not (math.isfinite(question.maximum) and question.maximum > 0.0):
        raise ParameterError(f"diagnose: found --maximum {question.maximum:g}, expected a number of tokens above 0")
    for option, score in (("--target", question.target), ("--baseline", question.baseline)):
        most = BLEU_AT_MOST if "bleu" in series.metric.lower() else math.inf
        if score is not None and not 0.0 <= score <= most:
            raise ParameterError(f"diagnose: found {option} {score:g}, expected {series.metric} from 0 to {most:g}")
    if question.target is not None and question.maximum is None:
        raise ParameterError("diagnose: found --target without --maximum, expected the number of tokens at which it is wanted")


def trouble(series: Series, question: DecisionRequest) -> str | None:
    """Say why the law does not hold on these checkpoints, or None."""
    tokens, values = series.tokens, series.values
    n = len(tokens)
    allowed = max(question.fall, 2.0 * question.noise)
    falls = np.flatnonzero(np.diff(values) < -allowed)
    if falls.size:
        at = falls[0]
        return (
            f"{series.metric} falls from {values[at]:g} to {values[at + 1]:g} at {tokens[at + 1]:g} tokens, more than {allowed:g}"
        )
    if n <= LEAST:
        return None
    near = n - max(1, n // HELD_OUT)
    point = _point(series.first(near))
    miss = np.abs(_curve(point, tokens[near:]) - values[near:])
    worst = int(miss.argmax())
    if miss[worst] <= question.tolerance:
        return None
    where = f"{values[near + worst]:g} at {tokens[near + worst]:g} tokens"
    return f"fitted on the first {near}, the law misses {where} by {miss[worst]:.2f}"


def _misaligned(series: Series, question: DecisionRequest, broken: str, held: int | None) -> Diagnosis:
    best = int(series.values.argmax())
    top = f"the best checkpoint has {series.values[best]:g} at {series.tokens[best]:g} tokens"
    if best == len(series.values) - 1:
        top += ", the last: it still rises, only not by this law"
        if question.target is not None and series.values[best] >= question.target:
            return Diagnosis("REACHED", f"{broken}; {top}")
    if held is not None:
        return Diagnosis("STOP_MISALIGNED", f"{broken}; on the first {held} checkpoints the law held; {top}")
    if question.baseline is None:
        return Diagnosis("MISALIGNED", f"{broken}; {top}")
    if series.values[best] <= question.baseline:
        return Diagnosis("STOP_NO_VALUE", f"{broken}; {top}, not above {question.baseline:g} without pre-training")
    return Diagnosis("KEEP_BEST_STOP", f"{broken}; {top}, above {question.baseline:g} without pre-training")


LAW = "bleu_log"


def _table(series: Series) -> TrainingTable:
    target = Target(
        series.metric, series.metric, series.metric, (Covariate("tokens", "ln"),), 0.0, 1.0, 0.0, 1e6, "own checkpoints"
    )
    names = tuple(f"{i:06d}" for i in range(len(series.tokens)))
    days = (DAY,) * len(names)
    return TrainingTable(target, names, names, days, days, np.log(series.tokens)[:, None], np.maximum(series.values, AS_GOOD))


def _solved(series: Series, ln_beta: Array | None = None) -> Array:
    """Fit the law to all checkpoints: frozen parameters (1, 4), or one row for each exponent held fixed."""
    law, table = laws.load(LAW, {"sources": []}), _table(series)
    design = law.design(table.x, np.ones((1, table.n)))
    problem = problem_for(law, design, table.y, law.parameters(table.target, 1))
    copies = 1 if ln_beta is None else len(ln_beta)
    if ln_beta is not None:
        lower, upper = (np.repeat(bound[None, :], copies, axis=0) for bound in (problem.lower, problem.upper))
        lower[:, 2] = upper[:, 2] = ln_beta
        problem = replace(problem, lower=lower, upper=upper)
    found = solve(problem, np.ones((copies, table.n)), law.starts(design.features, table.y))
    return design.fold(found.parameters[np.arange(copies), found.best])


def _point(series: Series) -> Array:
    return np.asarray(_solved(series)[0])


def _curve(points: Array, tokens: Array) -> Array:
    law = laws.load(LAW, {"sources": []})
    return np.asarray(law.curve(points, np.log(tokens)[:, None]), dtype=float)


def ahead(series: Series, maximum: float) -> tuple[float, tuple[float, float]]:
    """Forecast the metric at `maximum` tokens: the fitted law, and the range over exponents that fit as well.

    As well means within one per cent of the least squared residual, or within half the last printed digit everywhere.
    """
    law = laws.load(LAW, {"sources": []})
    there = np.array([maximum])
    point = float(_curve(_point(series), there)[0])
    bounds = law.parameters(_table(series).target, 1)[2]
    points = _solved(series, np.linspace(bounds.lower, bounds.upper, PROFILE))
    miss = _curve(points, series.tokens) - series.values
    rms, worst = np.sqrt((miss**2).mean(axis=1)), np.abs(miss).max(axis=1)
    forecasts = np.append(_curve(points, there)[:, 0][(rms <= 1.01 * rms.min()) | (worst <= AS_GOOD)], point)
    return point, (float(forecasts.min()), float(forecasts.max()))


def interval_ahead(series: Series, maximum: float, seed: int) -> tuple[float, float]:
    """Return the ends of the 80 % interval of the BLEU log law at so many tokens, from five checkpoints or more."""
    law = laws.load(LAW, {"sources": []})
    found = fit(law, _table(series), seed, REPLICATES)
    made = predict(law, freeze_curve(law, found, {}, DAY, seed), np.array([[math.log(maximum)]]))
    low, high = (float(made.quantiles[0, LEVELS.index(level)]) for level in (0.1, 0.9))
    return low, high
