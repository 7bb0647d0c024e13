"""Goals 20, 21, 24 and 25: the capability law, what it says of a release, and records by simulated releases: cost against size."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from benchmarks import machine, made_up, notebooks
from benchmarks.measure import Finding, MissingError, Timed, clock, growth, seconds, verdict
from foresaid.arrays import Array
from foresaid.forecasting.matrix_completion import complete_matrix
from foresaid.laws import _frontier_releases as simulated
from foresaid.laws._capability_forecast import forecast_release
from foresaid.laws._capability_frozen import freeze, months
from foresaid.laws._capability_kernel import Settings, prior
from foresaid.laws._capability_likelihood import likelihood
from foresaid.laws._capability_model import Model, condition_on, fit, joint
from foresaid.laws._capability_rows import Cells, cells
from foresaid.laws._frontier_rows import Question

HUB = (547, 49, 5)  # systems, boards, boards of a system: the size of Epoch's hub of May 2026
BOARDS = 12
TENFOLD = (
    "many boards by few systems: as it is. Ten times the systems: their cube, so sizes and loadings from a random part of them and "
    "one exact conditioning on all (docs/results-capability.md, section 5: what that costs in loss)"
)


def _least_operations(found: Cells) -> float:
    """Multiplications and additions of one factorisation and inverse of every block: boards by their cells, and the systems."""
    return 2.0 * (float((np.bincount(found.q).astype(float) ** 3).sum()) + float(found.systems.n) ** 3) / 2.0


def _evaluation(found: Cells) -> Callable[[], object]:
    at = prior(Settings(), len(found.benchmarks.names))[0]
    return lambda: likelihood(found, Settings(), at, with_information=False)


def _errors(frame: pl.DataFrame, hidden: notebooks.Mask, shares: Array) -> str:
    return f"{100.0 * float(np.abs(shares - frame['value'].to_numpy()[hidden]).mean()):.2f}"


def _ours(frame: pl.DataFrame, hidden: notebooks.Mask) -> Array:
    """Fit the law to the cells that are not hidden; return the middle share of those that are."""
    whole = cells(frame.filter(~hidden))
    asked = cells(frame.filter(hidden), whole.benchmarks)
    found = joint(fit(whole), asked.systems, asked.s, asked.q)
    at = whole.benchmarks.to_share(asked.q, found.mean)
    names = [(asked.systems.ids[s], whole.benchmarks.names[q]) for s, q in zip(asked.s, asked.q, strict=True)]
    place = {name: float(value) for name, value in zip(names, at, strict=True)}
    return np.array([place[key] for key in frame.filter(hidden).select("system_id", "benchmark").iter_rows()])


def _tried(work: Callable[[], Array], repeats: int) -> tuple[Timed, Array] | str:
    try:
        return clock(work, repeats)
    except MissingError as reason:
        return str(reason)


def goal_20(quick: bool) -> Finding:
    """The capability law: a whole fit, and one evaluation against the number of systems."""
    sizes = [60, 120, 240, 480] if quick else [60, 120, 240, 480, 960]
    frames = {size: cells(made_up.capability_cells(size, BOARDS, BOARDS // 2)) for size in sizes}
    grown = growth(lambda size: _evaluation(frames[size]), sizes)
    least = _least_operations(frames[sizes[-1]]) / machine.rates().flops
    whole = cells(made_up.capability_cells(*HUB))
    timed, made = clock(lambda: fit(whole), 1 if quick else 5)
    small = made_up.capability_cells(60, BOARDS, BOARDS // 2)
    hidden = np.random.default_rng(20).random(small.height) < 0.1
    mine, ours = clock(lambda: _ours(small, hidden), 1 if quick else 5)
    said, quality, numbers = [], [f"ours {_errors(small, hidden, ours)}"], {}
    for label, method in (
        ("scikit-learn's Gaussian process", notebooks.gaussian_process),
        ("statsmodels' mixed model", notebooks.mixed_model),
    ):
        found = _tried(lambda method=method: method(small, hidden), 1 if quick else 5)  # type: ignore[misc]  # bound now
        if isinstance(found, str):
            said.append(f"{label}: not run, {found}")
        else:
            said.append(f"{label} {seconds(found[0].cpu)} cpu on {small.height} cells, ours {seconds(mine.cpu)}")
            quality.append(f"{label} {_errors(small, hidden, found[1])}")
            numbers[label] = found[0]
    return Finding(
        20,
        f"capability law, fit of {whole.n:,} cells of {whole.systems.n} systems on {HUB[1]} boards (made up, the size of a hub)",
        "<= 30 s cpu; slope in systems <= 3.1",
        "5 s",
        f"{seconds(timed.cpu)} cpu, {made.evaluations} evaluations",
        verdict(made.slope < 1e-3, timed.cpu <= 30 and grown.slope <= 3.1, timed.cpu <= 5),
        f"greatest slope left {made.slope:.0e}; mean error in points on a tenth of {small.height} cells, hidden: "
        + ", ".join(quality),
        "; ".join(said),
        {
            "ours": timed, "small": mine, **numbers, "sizes": grown.sizes, "of": f"systems on {BOARDS} boards, one evaluation",
            "cpu": grown.cpu, "slope": grown.slope, "floor": least, "floor_of": "one factorisation and inverse of each block",
            "tenfold": TENFOLD,
        },
    )  # fmt: skip


def _trained(systems: int, boards: int = BOARDS) -> tuple[Model, Cells]:
    """The law at its prior's centre on all but the newest model, and the cells of that model on every board."""
    frame = made_up.capability_cells(systems, boards, boards // 2)
    last = made_up.capability_cells(systems, boards, boards).filter(pl.col("released_on") == frame["released_on"].max())
    before = cells(frame.filter(pl.col("released_on") < frame["released_on"].max()))
    return condition_on(before, Settings(), prior(Settings(), boards)[0]), cells(last, before.benchmarks)


def goal_21(quick: bool) -> Finding:
    """What the law says of a release: nothing told, its other boards told, its siblings told."""
    sizes = [60, 120, 240, 480] if quick else [60, 120, 240, 480, 960]
    made = {size: _trained(size) for size in sizes}
    grown = growth(lambda size: lambda: forecast_release(*made[size]), sizes)
    model, release = made[sizes[-1]]
    trained, asked = model.cells.n, release.n
    # Cross-covariances are filled once and multiplied by the parts of the inverse: boards by their cells, and the systems once.
    operations = 2.0 * asked * (float((np.bincount(model.cells.q).astype(float) ** 2).sum()) + float(model.cells.systems.n) ** 2)
    frame = made_up.capability_cells(240, BOARDS, BOARDS // 2)
    hidden = np.random.default_rng(21).random(frame.height) < 0.1
    table, place = notebooks.wide(frame, hidden)
    ours = _ours(frame, hidden)
    said, quality = [], [f"the law {_errors(frame, hidden, ours)}"]
    methods: list[tuple[str, Callable[[], Array]]] = [
        ("BenchPress's completion as described", lambda: complete_matrix(table, np.random.default_rng(0))),
        ("IterativeImputer", lambda: notebooks.iterative_imputer(table)),
        ("KNNImputer", lambda: notebooks.nearest_imputer(table)),
    ]
    for label, work in methods:
        found = _tried(work, 1 if quick else 5)
        if isinstance(found, str):
            said.append(f"{label}: not run, {found}")
        else:
            said.append(f"{label} {seconds(found[0].cpu)}")
            quality.append(f"{label} {_errors(frame, hidden, found[1][place])}")
    return Finding(
        21,
        f"forecast of a release on {asked} boards, three ways, from {trained:,} cells (made up)",
        "<= 50 ms cpu",
        "10 ms",
        f"{seconds(grown.cpu[-1])} cpu",
        verdict(True, grown.cpu[-1] <= 0.05, grown.cpu[-1] <= 0.01),
        f"mean error in points on a tenth of {frame.height} cells, hidden, law fitted: " + ", ".join(quality),
        f"a whole table of {table.shape[0]} x {table.shape[1]} completed anew for each release: " + ", ".join(said) + " cpu",
        {
            "sizes": [made[size][0].cells.n for size in sizes], "of": "training cells", "cpu": grown.cpu, "slope": grown.slope,
            "floor": operations / machine.rates().flops, "floor_of": "cross-covariances times the inverse in parts",
            "tenfold": "the same: it reads the parts of one inverse, and the fit costs more by far",
        },
    )  # fmt: skip


def goal_24(quick: bool) -> Finding:
    """A next release: the law's joint for the first of every month on which it may come."""
    del quick
    model, _ = _trained(240)
    line, maker = model.cells.systems.lines[0], model.cells.systems.makers[0]

    def frozen(count: int) -> Callable[[], Any]:
        last = date(2026 + (5 + count) // 12, (5 + count) % 12 + 1, 1)
        days = months(date(2026, 6, 1), last)
        return lambda: freeze(model, line, "", maker, None, days, 1.1, ())

    sizes = [6, 12, 24, 48]
    grown = growth(frozen, sizes)
    asked = sizes[-1] * BOARDS
    operations = 2.0 * asked * (float((np.bincount(model.cells.q).astype(float) ** 2).sum()) + float(model.cells.systems.n) ** 2)
    return Finding(
        24,
        f"next release: joint of {BOARDS} boards for each of {sizes[-1]} months, from {model.cells.n:,} cells (made up)",
        "slope in months <= 2",
        "1.1",
        f"{seconds(grown.cpu[-1])} cpu",
        verdict(True, grown.slope <= 2.0, grown.slope <= 1.1),
        "the frozen joint is held to the live law to 1e-9 by a test",
        "none: no package forecasts a model that has a line, a tier and a day and no scores",
        {
            "sizes": sizes, "of": "months", "cpu": grown.cpu, "slope": grown.slope, "floor": operations / machine.rates().flops,
            "floor_of": "cross-covariances times the inverse in parts", "tenfold": "months of one target do not grow",
        },
    )  # fmt: skip


def goal_25(quick: bool) -> Finding:
    """Records in a year by simulated releases: schedules of launches, each with its draws."""
    frame = made_up.capability_cells(240, BOARDS, BOARDS // 2)
    boards = made_up.frontier_boards(frame)
    origin = float(max(one.day[-1] for one in boards))
    questions = [Question(one.name, 1, 12) for one in boards]
    fixed = clock(lambda: fit(cells(frame)), 1 if quick else 5)[0].cpu

    def forecast(schedules: int) -> Callable[[], Any]:
        settings = simulated.Settings(schedules=schedules)
        return lambda: simulated.forecast(boards, origin, questions, frame, np.random.default_rng(25), settings)

    sizes = [10, 20, 40] if quick else [10, 20, 40, 80]
    grown = growth(forecast, sizes, 1 if quick else 5)
    models = 240 * 365 / 1200 / 2  # of a year, on one board
    draws = sizes[-1] * simulated.Settings().draws * models * BOARDS
    one = boards[0]
    theirs, _ = clock(lambda: notebooks.line_through_the_record(one.day, one.value, 365.25, 1000, np.random.default_rng(25)))
    return Finding(
        25,
        f"records of {BOARDS} boards in a year by {sizes[-1]} simulated schedules of {simulated.Settings().draws} draws (made up)",
        "slope in schedules <= 1.05",
        "",
        f"{seconds(grown.cpu[-1])} cpu, of it {seconds(fixed)} the fit of the law",
        verdict(True, grown.slope <= 1.05, None),
        "how such forecasts scored: docs/results-frontier.md, section 2",
        f"a straight line through resampled record-setters in NumPy, 1,000 draws a board: {seconds(theirs.cpu * BOARDS)} cpu; "
        "it knows no releases",
        {
            "sizes": sizes, "of": "schedules", "cpu": grown.cpu, "slope": grown.slope, "peer": theirs,
            "floor": draws * 2.0 / machine.rates().exponentials,
            "floor_of": "a normal draw and a normal probability for each score, each at the price of an exponential",
            "tenfold": "boards by boards: schedules are shared, and each board conditions on its own models",
        },
    )  # fmt: skip
