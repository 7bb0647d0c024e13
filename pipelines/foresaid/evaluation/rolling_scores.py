"""The rolling origins, scored: tables by horizon, by distance and by origin, and the sum that has to come out.

A release is asked for at up to twelve origins and on many benchmarks; it is one draw, so every interval and test goes by release.
The best baseline of a table is chosen after the fact, on the same rows, which favours the baseline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from foresaid.errors import RecordError
from foresaid.evaluation.tables import score_rows
from foresaid.fitting.data import Covariate
from foresaid.forecasting.methods import BASELINES
from foresaid.reproducible import generator
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score
from foresaid.scoring.significance import compare, holm, pairwise_relative_wis, verdict

SHARE = 0.75  # a baseline must have forecast this share of a table's rows to be its best one
EVERY_BOARD = "all boards"
DISTANCES = (0.0, 0.25, 0.5, 1.0)  # standard deviations beyond the training rows
ROW = ["origin", "target_id", "subject_id"]
OWN = ["mode", "origin", "board", "unit", "horizon", "recalibrated", "trained_on", "latest", "public_on"]


def score(learned: pl.DataFrame) -> pl.DataFrame:
    """Score every forecast made: the columns of evaluate.score_rows, those of OWN, and WIS on two other footings.

    `wis_logit` is on the logit scale, for fractions only (shares within a hundredth of 0 or 1 count as that), `wis_revised`
    against the value as it stands now in place of the first one published.
    """
    made = learned.filter(pl.col("quantiles").is_not_null())
    named = made.with_columns(
        evidence=pl.lit("hindcast"), case=pl.col("mode"), split=pl.lit("released"), series=pl.lit(""), as_of=pl.col("origin")
    )
    scored = score_rows(named)
    if not made.height:
        return scored.with_columns(**{name: pl.Series([], dtype=learned.schema[name]) for name in OWN})
    quantiles = np.array(made["quantiles"].to_list(), dtype=float)
    logit = Covariate("share", "logit")
    on_logits = weighted_interval_score(logit.apply(quantiles), LEVELS, logit.apply(made["value"].to_numpy())).wis
    revised = weighted_interval_score(quantiles, LEVELS, made["latest"].to_numpy().astype(float)).wis
    return scored.hstack(made.select(OWN)).with_columns(
        wis_logit=pl.when(pl.col("unit") == "fraction").then(pl.Series(on_logits)), wis_revised=pl.Series(revised).fill_nan(None)
    )


def accounts(learned: pl.DataFrame, scored: pl.DataFrame) -> list[dict[str, Any]]:
    """Per mode and method: asked = scored + declined, checked against the scored table; `reasons` are the fits' statuses.

    An ensemble is asked where at least two of its members forecast.
    """
    keys = ["mode", "law", "recalibrated"]
    done = {tuple(row[:3]): row[3] for row in scored.group_by(keys).len().iter_rows()}
    rows = []
    for (mode, law, after), part in learned.group_by(keys, maintain_order=True):
        none = part.filter(pl.col("quantiles").is_null())
        reasons = dict(none.group_by("status").len().sort("status").iter_rows())
        count = done.get((mode, law, after), 0)
        if part.height != count + none.height:
            raise RecordError(
                f"rolling origins, {mode}, {law}: found {part.height} forecasts, expected {count} scored + {none.height} declined; "
                "run `foresaid hindcast` again and report this"
            )
        if not after:
            row = {"mode": mode, "law": law, "asked": part.height, "scored": count, "declined": none.height, "reasons": reasons}
            rows.append(row)
    return sorted(rows, key=lambda row: (str(row["mode"]), str(row["law"])))


def _groups(scored: pl.DataFrame, horizons: Sequence[int]) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """Every table: mode, unit, board (and all boards of fractions), recalibrated or not, and releases up to each horizon."""
    for (mode, unit), part in scored.group_by(["mode", "unit"], maintain_order=True):
        boards = sorted(set(part["board"]))
        # Points of one board are not points of another; shares of one are.
        for board in [EVERY_BOARD, *boards] if unit == "fraction" and len(boards) > 1 else boards:
            mine = part if board == EVERY_BOARD else part.filter(pl.col("board") == board)
            for after in (False, True):
                for horizon in horizons:
                    rows = mine.filter((pl.col("horizon") <= horizon) & (pl.col("recalibrated") == after))
                    if rows.height:
                        yield {"mode": mode, "unit": unit, "board": board, "recalibrated": after, "horizon": horizon}, rows


def best_baseline(rows: pl.DataFrame) -> tuple[str | None, dict[str, tuple[float, int]]]:
    """The baseline of one table with the least pairwise relative WIS, and everybody's pairwise relative WIS against it."""
    named = rows.with_columns(row=pl.concat_str(ROW, separator="/"))
    scores = {
        str(law): dict(part.select("row", "wis").iter_rows()) for (law,), part in named.group_by(["law"], maintain_order=True)
    }
    asked = named["row"].n_unique()
    fit = [name for name in BASELINES if len(scores.get(name, {})) >= SHARE * asked]
    if not fit:
        return None, {}
    skill = pairwise_relative_wis(scores, fit[0])
    best = min(fit, key=lambda name: (skill[name][0], name))
    return best, pairwise_relative_wis(scores, best)


def by_horizon(scored: pl.DataFrame, horizons: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """One row a method and table: counts, mean scores, coverage, and the comparison with the best baseline on common rows.

    `pairwise_relative_wis` is pairwise (significance.pairwise_relative_wis); `relative_wis` with its 95 % interval, p (adjusted
    within the table) and verdict is on the rows both forecast, by release, and its interval by maker beside it.
    """
    made: list[dict[str, Any]] = []
    for about, rows in _groups(scored, horizons):
        best, skill = best_baseline(rows)
        base = rows.filter(pl.col("law").is_in([best] if best else [])).select(*ROW, base="wis")
        table = []
        for (law,), part in rows.group_by(["law"], maintain_order=True):
            pairs = part.join(base, on=ROW, how="inner").sort(ROW)
            found = None
            if pairs.height and law != best:
                rng = generator(seed, "rolling", *(str(value) for value in about.values()), str(law))
                ours, theirs = pairs["wis"].to_numpy(), pairs["base"].to_numpy()
                found = compare(ours, theirs, pairs["release"].to_list(), rng, makers=pairs["maker"].to_list())
            table.append((str(law), part, found))
        adjusted = holm([float("nan") if found is None else found.p for *_, found in table])
        for (law, part, found), p in zip(table, adjusted, strict=True):
            made.append(
                {
                    **about,
                    "law": law,
                    "role": part["role"][0],
                    **_means(part),
                    "baseline": best,
                    "pairwise_relative_wis": skill[law][0] if law in skill else None,
                    "n_common": None if found is None else found.n,
                    "relative_wis": None if found is None else found.ratio,
                    "lower_95": None if found is None else found.lower,
                    "upper_95": None if found is None else found.upper,
                    "maker_lower_95": None if found is None else found.maker_lower,
                    "maker_upper_95": None if found is None else found.maker_upper,
                    "adjusted_p": None if found is None else p,
                    "verdict": None if found is None else verdict(found, p),
                }
            )
    return [_without_nan(row) for row in made]


def _means(part: pl.DataFrame) -> dict[str, Any]:
    found = part.select(
        n=pl.len(),
        n_origins=pl.col("origin").n_unique(),
        n_targets=pl.col("target_id").n_unique(),
        n_releases=pl.col("release").n_unique(),
        n_makers=pl.col("maker").n_unique(),
        **{name: pl.col(name).mean() for name in ("wis", "dispersion", "overprediction", "underprediction")},
        wis_logit=pl.col("wis_logit").mean(),
        wis_revised=pl.col("wis_revised").mean(),
        mae=pl.col("ae_median").mean(),
        bias=(pl.col("median") - pl.col("value")).mean(),
        **{f"coverage_{level}": pl.col(f"covered_{level}").mean() for level in (50, 80, 90, 95)},
    )
    return dict(found.row(0, named=True))


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in row.items()}


def by_distance(scored: pl.DataFrame) -> list[dict[str, Any]]:
    """Scores of each law by how far beyond its training rows it was asked, on its own axis, in standard deviations."""
    labels = ["within", *(f"up to {edge:g}" for edge in DISTANCES[1:]), f"beyond {DISTANCES[-1]:g}"]
    far = scored.filter(pl.col("distance").is_not_null() & ~pl.col("recalibrated"))
    if not far.height:
        return []
    place = np.searchsorted(np.array(DISTANCES), far["distance"].to_numpy(), side="left")
    keys = ["mode", "unit", "board", "law", "bin"]
    found = (
        far.with_columns(bin=pl.Series(place))
        .group_by(keys)
        .agg(
            n=pl.len(),
            n_releases=pl.col("release").n_unique(),
            wis=pl.col("wis").mean(),
            mae=pl.col("ae_median").mean(),
            bias=(pl.col("median") - pl.col("value")).mean(),
            coverage_80=pl.col("covered_80").mean(),
        )
        .sort(keys)
    )
    return [{**row, "bin": labels[row["bin"]]} for row in found.iter_rows(named=True)]


def by_origin(scored: pl.DataFrame) -> list[dict[str, Any]]:
    """Scores of each method at each origin, and how much it had: what a chart over time is drawn from."""
    keys = ["mode", "unit", "board", "recalibrated", "law", "role", "origin"]
    found = (
        scored.group_by(keys)
        .agg(
            n=pl.len(),
            n_targets=pl.col("target_id").n_unique(),
            n_releases=pl.col("release").n_unique(),
            trained_on=pl.col("trained_on").median(),
            wis=pl.col("wis").mean(),
            coverage_80=pl.col("covered_80").mean(),
        )
        .sort(keys)
    )
    return [{**row, "origin": row["origin"].isoformat()} for row in found.iter_rows(named=True)]


def brief(tables: dict[str, Any]) -> dict[str, Any]:
    """The few numbers a review looks at: for each mode, board, method and horizon counts, WIS and coverage before and after."""
    made: dict[str, Any] = {}
    for row in tables.get("by_horizon", []):
        board = made.setdefault(row["mode"], {}).setdefault(f"{row['board']}, {row['unit']}", {})
        cell = board.setdefault(row["law"], {}).setdefault(f"{row['horizon']} months", {})
        if row["recalibrated"]:
            cell |= {"wis_after": row["wis"], "coverage_80_after": row["coverage_80"]}
        else:
            cell |= {key: row[key] for key in ("n", "n_releases", "wis", "coverage_80", "pairwise_relative_wis")}
    return made
