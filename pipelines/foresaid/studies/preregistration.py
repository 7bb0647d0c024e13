"""The released models of the pre-registration: our default beside the paper's own form and the compute and size baselines.

Rows are those that the stage `score` scores, pooled on one scale and resampled by release, since the models of one launch are one
draw. What the preset lacks, it lacks: the authors gave no interval, so its WIS is its absolute error. The stage
keeps the tables (`as_frame`), which a command and the page of the law print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.forecasting.published import FORM
from foresaid.params import Hindcast
from foresaid.reproducible import generator

PRESET = "printed form"
DEFAULT, BASELINES = "observational", ("compute_sigmoid", "size_sigmoid")
REPLICATES = 2000
BESIDE = {"preset": "beside_preset", "baselines": "beside_all"}  # what the rows of a frame stand beside
COLUMNS = ["law", "quantity_id", "subject_id", "release", "observed", "point", "wis", "covered_80"]


@dataclass(frozen=True)
class Comparison:
    """One forecaster on one task (or all of them): rows, releases, MAE, WIS with a 90 % range over releases, 80 % coverage."""

    task: str
    forecaster: str
    rows: int
    releases: int
    mae: float
    wis: float
    low: float
    high: float
    coverage: float


@dataclass(frozen=True)
class Compared:
    """One hindcast: the default beside the printed form, and beside the baselines too on the rows that have compute and size."""

    case: str
    title: str
    beside_preset: list[Comparison]
    beside_all: list[Comparison]


def compare(scores: pl.DataFrame, hindcasts: Mapping[str, Hindcast], seed: int) -> list[Compared]:
    """Compare in every hindcast of releases that the default and the printed form both answered; `scores` as `score` writes them.

    Draws of releases come from streams named by case and table, so a case added leaves the others as they are.
    """
    adopted = scores.filter((pl.col("evidence") == "adopted") & (pl.col("law") == FORM)).with_columns(law=pl.lit(PRESET))
    made = []
    for name, case in hindcasts.items():
        past = scores.filter((pl.col("evidence") == "hindcast") & (pl.col("case") == name))
        if case.split == "larger" or DEFAULT not in past["law"]:
            continue
        rows = pl.concat([past.select(COLUMNS), adopted.select(COLUMNS)], how="vertical_relaxed")
        lines = table(rows, [DEFAULT, PRESET], generator(seed, "released", name, "preset"))
        if lines:
            several = table(rows, [DEFAULT, PRESET, *BASELINES], generator(seed, "released", name, "baselines"))
            made.append(Compared(name, case.title, lines, several))
    return made


FRAME = {
    **dict.fromkeys(("case", "title", "beside", "task", "forecaster"), pl.String()),
    **dict.fromkeys(("rows", "releases"), pl.Int64()),
    **dict.fromkeys(("mae", "wis", "low", "high", "coverage"), pl.Float64()),
}


def as_frame(compared: Sequence[Compared]) -> pl.DataFrame:
    """Write comparisons as one frame, a row a line; a forecaster without intervals has no coverage."""
    rows = [
        {"case": one.case, "title": one.title, "beside": beside, **asdict(line)}
        for one in compared
        for beside, name in BESIDE.items()
        for line in getattr(one, name)
    ]
    return pl.DataFrame(rows, schema=FRAME).with_columns(pl.col("coverage").fill_nan(None))


def from_frame(frame: pl.DataFrame) -> list[Compared]:
    """Read what `as_frame` wrote, in its order."""
    found: dict[tuple[str, str], dict[str, list[Comparison]]] = {}
    for row in frame.with_columns(pl.col("coverage").fill_null(float("nan"))).iter_rows(named=True):
        lines = found.setdefault((row.pop("case"), row.pop("title")), {beside: [] for beside in BESIDE})
        lines[row.pop("beside")].append(Comparison(**row))
    return [Compared(case, title, lines["preset"], lines["baselines"]) for (case, title), lines in found.items()]


def table(rows: pl.DataFrame, forecasters: Sequence[str], rng: np.random.Generator) -> list[Comparison]:
    """Average scored rows by forecaster on what all of them answered, task by task and pooled.

    `rows` has law, quantity_id, subject_id, release, observed, point, wis and covered_80 (null without interval). Returns nothing
    for a task without a common row. Scores are in the unit of the quantities, which must share one scale.
    """
    rows = rows.filter(pl.col("law").is_in(list(forecasters)))
    common = rows.group_by("quantity_id", "subject_id").agg(pl.col("law").n_unique()).filter(pl.col("law") == len(forecasters))
    rows = rows.join(common.select("quantity_id", "subject_id"), on=["quantity_id", "subject_id"])
    rows = rows.sort("quantity_id", "subject_id", "law")
    made = []
    for task in [*sorted(set(rows["quantity_id"])), "all"]:
        part = rows if task == "all" else rows.filter(pl.col("quantity_id") == task)
        made += [_line(task, name, part.filter(pl.col("law") == name), rng) for name in forecasters if part.height]
    return made


def _line(task: str, name: str, part: pl.DataFrame, rng: np.random.Generator) -> Comparison:
    wis = part["wis"].to_numpy().astype(float)
    low, high = clustered(wis, list(part["release"]), rng)
    mae = float(np.abs(part["point"].to_numpy() - part["observed"].to_numpy()).mean())
    held = part["covered_80"].cast(pl.Float64).drop_nulls().to_numpy()
    inside = float(held.mean()) if held.size else float("nan")
    return Comparison(task, name, part.height, part["release"].n_unique(), mae, float(wis.mean()), low, high, inside)


def clustered(values: Array, clusters: Sequence[str], rng: np.random.Generator) -> tuple[float, float]:
    """Return the 90 % range of a mean (n,) when whole clusters are drawn again.

    >>> clustered(np.array([1.0, 1.0, 1.0]), ["a", "a", "b"], np.random.default_rng(0))
    (1.0, 1.0)
    """
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    total = np.bincount(member, weights=values)
    count = np.bincount(member)
    drawn = rng.integers(0, len(names), (REPLICATES, len(names)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return float(np.quantile(means, 0.05)), float(np.quantile(means, 0.95))
