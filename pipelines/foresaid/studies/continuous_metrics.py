"""Do continuous metrics show the corner that accuracy shows, and does loss alone decide the score? On the OLMo ladder's own tables.

Du et al. 2024 (arXiv 2403.15796) say that abilities emerge below a threshold in pre-training loss, in continuous metrics too, and
that models of one loss score alike whatever their size. The ladder's run files hold, beside accuracy and bits per byte, the
probability of the right choice among the choices and its logarithm (`downstream_soft`, `downstream_soft_log`) for twenty runs of
five sizes. They are read from a copy of the upstream files and not kept in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import t as student_t

from foresaid.arrays import Array, sigmoid
from foresaid.errors import RecordError
from foresaid.scoring.significance import holm
from foresaid.sources import olmo_ladder
from foresaid.sources._upstream import Line, files, table
from foresaid.studies.law_sections import LawSection, StudyTable

LOSS = "eval/c4_en-validation/CrossEntropyLoss"
SIZES = {"190M": 190e6, "370M": 370e6, "760M": 760e6, "1B": 1.3e9, "3B": 3.2e9}  # as the files are named; nominal
METRICS = ("accuracy", "probability", "log probability", "bits per byte")
RUNS_READ = 20  # four lengths of five sizes
CONTROLS = 3  # loss, its square, its cube: what the score may follow before size is asked


@dataclass(frozen=True)
class Runs:
    """Checkpoints of the twenty runs: run, ln size, loss on C4, whether the run ends there; values by task and metric; all (n,)."""

    run: np.ndarray[Any, Any]
    ln_size: Array
    loss: Array
    last: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    values: dict[tuple[str, str], Array]


@dataclass(frozen=True)
class Shape:
    """How one metric of one task goes with loss: the share of its change in the steepest tenth of the losses, and what fits better.

    `corner` is the BIC of the best logistic less that of the best hinge, runs counted as independent: above 0 the hinge, with its
    corner at `threshold` nats, fits better.
    """

    task: str
    metric: str
    steepest: float
    corner: float
    threshold: float


@dataclass(frozen=True)
class SizeEffect:
    """What size says beyond loss on finished runs: change per doubling of size, 95 % ends, p, and p adjusted by Holm."""

    task: str
    metric: str
    per_doubling: float
    low: float
    high: float
    p: float
    adjusted: float


def _columns() -> dict[tuple[str, str], str]:
    names: dict[tuple[str, str], str] = {}
    for task, upstream in olmo_ladder.TASKS.items():
        names[task, "accuracy"] = olmo_ladder.accuracy(upstream)
        names[task, "probability"] = f"eval/downstream_soft/{upstream}_rc_5shot_soft"
        names[task, "log probability"] = f"eval/downstream_soft_log/{upstream}_rc_5shot_soft_log"
        names[task, "bits per byte"] = olmo_ladder.bits_per_byte(upstream)
    return names


def _mmlu(line: Line, metric: str) -> float:
    forms = {"accuracy": "rc", "bits per byte": "bpb"}
    soft = {"probability": "soft", "log probability": "soft_log"}
    total = 0.0
    for group, weight in olmo_ladder.MMLU.items():
        if metric in forms:
            column = next(name for name in olmo_ladder.mmlu(forms[metric]) if f"mmlu_{group}_" in name)
        else:
            column = f"eval/downstream_{soft[metric]}/mmlu_{group}_test_rc_5shot_{soft[metric]}"
        total += float(weight) * float(line.number(column))
    return total


def read(folder: Path) -> Runs:
    """Read the twenty runs of a copy of allenai/OLMo-ladder; a column that is missing or not a number is refused by name."""
    names = _columns()
    run, ln_size, loss, last = [], [], [], []
    values: dict[tuple[str, str], list[float]] = {key: [] for key in [*names, *(("mmlu", metric) for metric in METRICS)]}
    for path in files(folder, f"{olmo_ladder.RUNS}/*.csv"):
        stem = path.removeprefix(f"{olmo_ladder.RUNS}/").removesuffix(".csv")
        size = SIZES.get(stem.split("-")[0])
        if size is None:
            continue
        every = table(folder, path, [olmo_ladder.STEP, LOSS, *names.values()], ".*")
        lines = [line for line in every if line.whole(olmo_ladder.STEP)]
        for i, line in enumerate(lines):
            run.append(stem)
            ln_size.append(np.log(size))
            loss.append(float(line.number(LOSS)))
            last.append(i == len(lines) - 1)
            for key, column in names.items():
                values[key].append(float(line.number(column)))
            for metric in METRICS:
                values["mmlu", metric].append(_mmlu(line, metric))
    if not run:
        raise RecordError(f"{folder}: found none of the ladder's runs, expected {olmo_ladder.RUNS}/190M-1xC.csv and others")
    arrays = {key: np.array(column) for key, column in values.items()}
    return Runs(np.array(run), np.array(ln_size), np.array(loss), np.array(last, dtype=bool), arrays)


def size_effects(runs: Runs) -> list[SizeEffect]:
    """Regress each metric of the finished runs on a cubic in loss and on ln size: one row a run, so rows are independent.

    Ordinary least squares, interval and p by Student's t with n - 5 degrees of freedom. Size and loss go together in a ladder: a
    curve that the cubic misses would show as an effect of size.
    """
    made = []
    loss = runs.loss[runs.last]
    z = (loss - loss.mean()) / loss.std()
    doublings = (runs.ln_size[runs.last] - runs.ln_size[runs.last].mean()) / np.log(2.0)
    design = np.column_stack([np.ones_like(z), *[z**k for k in range(1, CONTROLS + 1)], doublings])
    inverse = np.linalg.inv(design.T @ design)
    free = len(z) - design.shape[1]
    for (task, metric), column in sorted(runs.values.items()):
        y = column[runs.last]
        found = inverse @ design.T @ y
        error = float(np.sqrt(((y - design @ found) ** 2).sum() / free * inverse[-1, -1]))
        reach = float(student_t.ppf(0.975, free)) * error
        effect = float(found[-1])
        p = float(2.0 * student_t.sf(abs(effect) / error, free))
        made.append(SizeEffect(task, metric, effect, effect - reach, effect + reach, p, p))
    adjusted = holm([one.p for one in made])
    return [replace(one, adjusted=value) for one, value in zip(made, adjusted, strict=True)]


def _least(model: Callable[[Array, Array], Array], starts: list[list[float]], x: Array, y: Array) -> tuple[float, Array]:
    def residual(p: Array) -> Array:
        return model(p, x) - y

    found = [least_squares(residual, start, x_scale="jac", max_nfev=400) for start in starts]
    best = min(found, key=lambda one: float(one.cost))
    return 2.0 * float(best.cost), np.asarray(best.x)


def shapes(runs: Runs) -> list[Shape]:
    """Fit a hinge and a logistic in the loss to each metric of each task, four numbers both, and see which the rows prefer.

        hinge     y = base + slope max(corner - L, 0) / (1 + bend max(corner - L, 0))
        logistic  y = base + rise sigmoid((middle - L) / width)

    BIC counts the twenty runs, not their checkpoints: n ln(mean squared error) with n = 20.
    """
    made = []
    order = np.argsort(runs.loss)
    count = len(set(runs.run.tolist()))
    x = runs.loss[order]

    def hinge(p: Array, loss: Array) -> Array:
        below = 0.02 * np.logaddexp(0.0, (p[2] - loss) / 0.02)
        return np.asarray(p[0] + p[1] * below / (1.0 + abs(p[3]) * below))

    def logistic(p: Array, loss: Array) -> Array:
        return np.asarray(p[0] + p[1] * sigmoid((p[2] - loss) / np.exp(p[3])))

    for (task, metric), column in sorted(runs.values.items()):
        y = column[order]
        low, high = float(np.median(y[-20:])), float(np.median(y[:20]))
        corners = np.quantile(x, [0.3, 0.6, 0.9]).tolist()
        of_hinge, p = _least(hinge, [[low, high - low, at, 0.1] for at in corners], x, y)
        of_logistic, _ = _least(logistic, [[low, 2.0 * (high - low), at, -1.0] for at in (x[0], *corners)], x, y)
        edges = np.linspace(x[0], x[-1], 11)
        means = np.interp(edges, x, np.convolve(np.pad(y, 12, mode="edge"), np.ones(25) / 25.0, mode="valid"))
        steepest = float(np.abs(np.diff(means)).max() / max(abs(means[-1] - means[0]), 1e-12))
        made.append(Shape(task, metric, steepest, count * float(np.log(of_logistic / of_hinge)), float(p[2])))
    return made


LAWS = ("loss_threshold", "loss_hinge", "loss_logistic")  # on whose pages the section stands
CLEAR = 10.0  # of BIC: a difference that counts as clear


def section(found: Sequence[Shape], effects: Sequence[SizeEffect]) -> LawSection:
    """Say what the runs say about the corner and about size, with every figure it rests on."""
    corners = [one for one in found if one.corner > 0.0]
    smooth = sum(one.corner < -CLEAR for one in found)
    where = ", ".join(f"{one.metric} of {one.task}" for one in corners) or "none"
    ranges = []
    for metric in METRICS:
        shares = [one.steepest for one in found if one.metric == metric]
        ranges.append(f"{metric} {min(shares):.0%} to {max(shares):.0%}")
    left = [one for one in effects if one.adjusted < 0.05]
    named = ", ".join(f"{one.metric} of {one.task} ({one.per_doubling:+.4f} a doubling)" for one in left) or "none"
    bent = [one for one in corners if one.metric in ("accuracy", "probability")]
    verdict = (
        "neither accuracy nor the probability of the right choice shows the corner that Du et al. 2024 describe; both bend smoothly"
        if not bent
        else f"accuracy or the probability of the right choice shows one in {len(bent)} tasks"
    )
    said = (
        f"Is there a corner in the loss? Of {len(found)} pairs of task and metric on the {RUNS_READ} ladder runs a hinge with a "
        f"corner fits better than a smooth logistic of as many numbers in {len(corners)} by BIC ({where}), and worse by more than "
        f"{CLEAR:g} in {smooth}. In this format (ranked choice) {verdict}.",
        "Share of the whole change that falls in the steepest tenth of the losses, least to most by task: "
        f"{'; '.join(ranges)}. An even change would have a tenth there.",
        f"Same loss, same score whatever the size? On the finished runs, given a cubic in loss, {len(effects) - len(left)} of "
        f"{len(effects)} tests show no effect of size after Holm’s adjustment; those below 5 %: {named}. Loss and size go together "
        "in a ladder, so a curve that the cubic misses would look the same.",
        "Multiple choice, where accuracy does jump (the table of thresholds on this page), was logged for the 7B run alone and "
        "without probabilities: whether the probability jumps there cannot be seen in public data.",
    )
    by_key = {(one.task, one.metric): one for one in effects}
    rows = []
    for one in found:
        size = by_key[one.task, one.metric]
        shape = (one.steepest, one.corner, one.threshold)
        rows.append((one.task, one.metric, *shape, size.per_doubling, size.low, size.high, size.adjusted))
    header = (
        "task", "metric", "share in the steepest tenth", "BIC for a corner", "its corner, nats", "per doubling of size",
        "95 % from", "to", "p (Holm)",
    )  # fmt: skip
    caption = (
        "Each metric of each task against the loss on C4, and what a doubling of size adds at equal loss (OLMo ladder, 190M to 3B)"
    )
    table_of_all = StudyTable("metrics", caption, header, tuple(rows))
    return LawSection("continuous", "Accuracy beside continuous metrics", LAWS, said, (table_of_all,), "foresaid continuous FOLDER")
