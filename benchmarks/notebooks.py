"""What a user would write in a notebook instead, with pandas, SciPy, scikit-learn and statsmodels: short, plain, and timed.

Each function is one cell of such a notebook. None of them knows of vintages, intervals or settings that the program has; what they
leave out is said where their time is shown. A package that is not installed raises MissingError by name.
"""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from benchmarks.measure import module
from foresaid.arrays import Array

EDGE = 0.004
Mask = NDArray[np.bool_]


def _columns(frame: pl.DataFrame) -> tuple[Array, Array]:
    """Day in years beside one column for each board, line and model; scores on the probit scale."""
    day = np.array([(one - date(2025, 1, 1)).days / 365.25 for one in frame["released_on"]])
    marks = frame.select("benchmark", "line", "model_id").to_dummies().to_numpy().astype(float)
    return np.column_stack([day, marks]), ndtri(np.clip(frame["value"].to_numpy(), EDGE, 1.0 - EDGE))


def gaussian_process(frame: pl.DataFrame, hidden: Mask) -> Array:
    """Fit scikit-learn's Gaussian process to the cells that are not hidden; return shares of those that are."""
    process, kernels = module("sklearn.gaussian_process"), module("sklearn.gaussian_process.kernels")
    x, z = _columns(frame)
    kernel = kernels.ConstantKernel() * kernels.RBF() + kernels.ConstantKernel() * kernels.DotProduct() + kernels.WhiteKernel()
    model = process.GaussianProcessRegressor(kernel, normalize_y=True).fit(x[~hidden], z[~hidden])
    return np.asarray(ndtr(model.predict(x[hidden])))


def mixed_model(frame: pl.DataFrame, hidden: Mask) -> Array:
    """Fit a mixed model of statsmodels (day and board fixed, model random) to the cells that are not hidden; return the others."""
    pd, formula = module("pandas"), module("statsmodels.formula.api")
    x, z = _columns(frame)
    rows = pd.DataFrame({"z": z, "day": x[:, 0], "board": frame["benchmark"].to_list(), "model": frame["model_id"].to_list()})
    fitted = formula.mixedlm("z ~ day + C(board)", rows[~hidden], groups="model").fit()
    random = rows[hidden]["model"].map({name: float(effect.iloc[0]) for name, effect in fitted.random_effects.items()})
    return np.asarray(ndtr((fitted.predict(rows[hidden]) + random.fillna(0.0)).to_numpy()))


def wide(frame: pl.DataFrame, hidden: Mask) -> tuple[Array, tuple[Any, Any]]:
    """The table of models by boards with the hidden cells empty, and where those stand in it."""
    rows, columns = (frame[name].to_physical().rank("dense").to_numpy().astype(int) - 1 for name in ("model_id", "benchmark"))
    table = np.full((rows.max() + 1, columns.max() + 1), np.nan)
    table[rows[~hidden], columns[~hidden]] = frame["value"].to_numpy()[~hidden]
    return table, (rows[hidden], columns[hidden])


def iterative_imputer(table: Array) -> Array:
    """scikit-learn's IterativeImputer as it comes, which ends after ten rounds whether it has settled or not."""
    module("sklearn.experimental.enable_iterative_imputer")
    with warnings.catch_warnings(action="ignore"):
        return np.asarray(module("sklearn.impute").IterativeImputer(max_iter=10, keep_empty_features=True).fit_transform(table))


def nearest_imputer(table: Array) -> Array:
    """scikit-learn's KNNImputer as it comes."""
    return np.asarray(module("sklearn.impute").KNNImputer(keep_empty_features=True).fit_transform(table))


def quantile_regressions(distance: Array, error: Array, levels: Array) -> Array:
    """One linear quantile regression of statsmodels for each level: intercept and slope (L, 2), which may cross."""
    api = module("statsmodels.api")
    x = api.add_constant(distance)
    return np.array([api.QuantReg(error, x).fit(q=float(level)).params for level in levels])


def values_by_day(registry: Path) -> Any:
    """Read every file of observations into one pandas frame, days as days."""
    pd = module("pandas")
    files = sorted(registry.glob("sources/*/observations.csv"))
    whole = pd.concat([pd.read_csv(path, dtype={"setting": str}).assign(source=path.parent.name) for path in files])
    return whole.assign(known_on=pd.to_datetime(whole["known_on"]))


def known_by(whole: Any, day: date) -> Any:
    """The last value of each key known by a day, in pandas."""
    pd = module("pandas")
    keys = ["subject_id", "quantity_id", "setting", "source"]
    return whole[whole["known_on"] <= pd.Timestamp(day)].sort_values("known_on", kind="stable").drop_duplicates(keys, keep="last")


def line_through_the_record(day: Array, value: Array, ahead: float, draws: int, rng: np.random.Generator) -> Array:
    """Quantiles of the record `ahead` days on: a straight line through resampled record-setters, a thousand draws of it."""
    best = np.maximum.accumulate(value)
    set_on = np.flatnonzero(np.diff(np.concatenate([[-np.inf], best])) > 0)
    x, y = day[set_on], best[set_on]
    found = []
    for _ in range(draws):
        picked = rng.integers(0, len(x), len(x))
        slope, base = np.polyfit(x[picked], y[picked], 1) if np.ptp(x[picked]) > 0 else (0.0, y[picked].mean())
        found.append(min(max(base + slope * (day[-1] + ahead), y[-1]), 1.0))
    return np.asarray(np.quantile(found, [0.05, 0.25, 0.5, 0.75, 0.95]))


def mean_pinball(long: Any) -> Any:
    """Twice the mean pinball loss by forecast, as a pandas expression over a long frame."""
    gap = long["outcome"] - long["quantile"]
    return (2.0 * gap * (long["level"] - (gap < 0))).groupby(long["forecast"], sort=False).mean()
