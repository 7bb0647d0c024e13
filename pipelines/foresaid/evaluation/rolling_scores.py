"""The rolling origins, scored: tables by horizon, by distance and by origin, and the sum that has to come out.

A release is asked for at up to twelve origins and on many benchmarks; it is one independent observation, so every interval and test
goes by release.
Claims are those of claims.py: against the reference that was named before, rows without a forecast counted as the reference's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from foresaid.arrays import list_values
from foresaid.errors import RecordError
from foresaid.evaluation import means
from foresaid.evaluation.claims import against_reference, broken_down, judged
from foresaid.evaluation.rolling_recalibration import CENTRE, PLAIN, WIDTH
from foresaid.evaluation.schema import COVERAGES
from foresaid.evaluation.tables import measured, score_rows
from foresaid.fitting.data import Covariate
from foresaid.forecasting.methods import BASELINES, REFERENCES, reference, told
from foresaid.reproducible import generator
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score
from foresaid.scoring.significance import Comparison, compare, pairwise_relative_wis

DRAWS = 9_999  # replicates of a test: a page has a hundred claims, and Holm's factor times the least p must stay below LEVEL
SHARE = 0.75  # a baseline must have forecast this share of a table's rows to be its best one
EVERY_BOARD = "all boards"
DISTANCES = (0.0, 0.25, 0.5, 1.0)  # standard deviations beyond the training rows
ROW = ["origin", "target_id", "subject_id"]
CLAIM = {
    "reference": "reference", "n_claim": "n", "n_no_forecast": "n_no_forecast", "claim_releases": "n_releases",
    "claim_makers": "n_makers", "claim_wis": "wis", "reference_wis": "baseline_wis", "adjusted_p": "", "verdict": "",
    **{name: name for name in ("relative_wis", "skill", "lower_95", "upper_95", "maker_lower_95", "maker_upper_95")},
}  # fmt: skip
BRIEF = (
    "n", "n_releases", "wis", "bias", "coverage_80", "reference", "n_no_forecast", "n_claim", "claim_releases", "claim_makers",
    "relative_wis", "lower_95", "upper_95", "maker_lower_95", "maker_upper_95", "verdict", "best_baseline", "relative_wis_best",
)  # fmt: skip
RECALIBRATED = ("relative_wis", "lower_95", "upper_95", "bias_before", "bias", "coverage_80_before", "coverage_80")
OWN = ["mode", "origin", "board", "unit", "horizon", "recalibration", "trained_on", "latest", "public_on"]


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
    quantiles = list_values(made["quantiles"], len(LEVELS))
    logit = Covariate("share", "logit")
    on_logits = weighted_interval_score(logit.apply(quantiles), LEVELS, logit.apply(made["observed"].to_numpy())).wis
    revised = weighted_interval_score(quantiles, LEVELS, made["latest"].to_numpy().astype(float)).wis
    return scored.hstack(made.select(OWN)).with_columns(
        wis_logit=pl.when(pl.col("unit") == "fraction").then(pl.Series(on_logits)), wis_revised=pl.Series(revised).fill_nan(None)
    )


def accounts(learned: pl.DataFrame, scored: pl.DataFrame) -> list[dict[str, Any]]:
    """Per mode and method: asked = scored + no forecast, checked against the scored table; `reasons` are the fits' statuses.

    An ensemble is asked where at least two of its members forecast.
    """
    keys = ["mode", "law", "recalibration"]
    done = {tuple(row[:3]): row[3] for row in scored.group_by(keys).len().iter_rows()}
    rows = []
    for (mode, law, after), part in learned.group_by(keys, maintain_order=True):
        none = part.filter(pl.col("quantiles").is_null())
        reasons = dict(none.group_by("status").len().sort("status").iter_rows())
        count = done.get((mode, law, after), 0)
        if part.height != count + none.height:
            raise RecordError(
                f"rolling origins, {mode}, {law}: found {part.height} rows, expected {count} scored + {none.height} without one; "
                "run `foresaid hindcast` again and report this"
            )
        if after == PLAIN:
            row = {"mode": mode, "law": law, "asked": part.height, "scored": count, "no_forecast": none.height, "reasons": reasons}
            rows.append(row)
    return sorted(rows, key=lambda row: (str(row["mode"]), str(row["law"])))


def _groups(scored: pl.DataFrame, horizons: Sequence[int]) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """Every table: mode, unit, board (and all boards of fractions), recalibrated or not, and releases up to each horizon."""
    for (mode, unit), part in scored.group_by(["mode", "unit"], maintain_order=True):
        boards = sorted(set(part["board"]))
        # Points of one board are not points of another; shares of one are.
        for board in [EVERY_BOARD, *boards] if unit == "fraction" and len(boards) > 1 else boards:
            mine = part if board == EVERY_BOARD else part.filter(pl.col("board") == board)
            for after in (PLAIN, WIDTH, CENTRE):
                for horizon in horizons:
                    rows = mine.filter((pl.col("horizon") <= horizon) & (pl.col("recalibration") == after))
                    if rows.height:
                        yield {"mode": mode, "unit": unit, "board": board, "recalibration": after, "horizon": horizon}, rows


def numbered(scored: pl.DataFrame) -> pl.DataFrame:
    """Add the column `row`: a number for what was asked, in the order of its name; sums over rows follow it."""
    asked = scored.select(*ROW)
    named = asked.unique().with_columns(name=pl.concat_str(ROW, separator="/")).sort("name").drop("name").with_row_index("row")
    return scored.hstack(asked.join(named, on=ROW, how="left", maintain_order="left").select("row"))  # no copy of the rest


def best_baseline(rows: pl.DataFrame) -> tuple[str | None, dict[str, tuple[float, int]]]:
    """The baseline of one table with the least pairwise relative WIS, and everybody's pairwise relative WIS to the reference.

    `rows` are numbered (`numbered`).
    """
    scores = {
        str(law): dict(zip(part["row"].to_list(), part["wis"].to_list(), strict=True))
        for (law,), part in rows.select("law", "row", "wis").group_by(["law"], maintain_order=True)
    }
    asked = rows["row"].n_unique()
    fit = [name for name in BASELINES if len(scores.get(name, {})) >= SHARE * asked]
    named_before = REFERENCES["released"]
    scale = named_before if named_before in scores else fit[0] if fit else ""
    found = pairwise_relative_wis(scores, scale) if scale else {}
    return (min(fit, key=lambda name: (found[name][0], name)) if fit else None), found


def _answered(rows: pl.DataFrame, none: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table, each one without a forecast answered by its law's reference, so that all methods rank on all rows."""
    made = [rows]
    for law in sorted(set(none["law"]) & set(rows["law"])):
        theirs = rows.filter(pl.col("law") == reference("released", law))
        gone = none.filter(pl.col("law") == law).select(ROW).unique()
        made.append(theirs.join(gone, on=ROW, how="semi").with_columns(law=pl.lit(law)))
    return pl.concat(made) if len(made) > 1 else rows


def by_horizon(scored: pl.DataFrame, no_forecast: pl.DataFrame, horizons: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """One row a method and table: counts, mean scores, coverage, and for laws and ensembles the claim against their reference.

    The reference was named before (forecasting/methods.py); a row of `no_forecast` (columns of `scored` that name a row, and `law`)
    counts as its forecast. `relative_wis` with its 95 % interval, p (adjusted over all tables, which stand on one page) and verdict
    are that claim's; `n_claim` its rows. `best_baseline` is hindsight's choice, with `relative_wis_best` on the `n_best` rows both
    forecast, and carries no test. `pairwise_relative_wis` (significance.pairwise_relative_wis) is 1 for the best score
    so far; it orders the table, with rows without a forecast answered by the reference.
    """
    made: list[dict[str, Any]] = []
    claims: list[tuple[dict[str, Any], Comparison]] = []
    for about, rows in _groups(numbered(scored), horizons):
        none = no_forecast.filter(
            *(pl.col(key) == about[key] for key in ("mode", "unit")), pl.col("horizon") <= about["horizon"],
            pl.lit(about["board"] == EVERY_BOARD) | (pl.col("board") == about["board"]),
        )  # fmt: skip
        best, relative = best_baseline(_answered(rows, none))
        base = rows.filter(pl.col("law").is_in([best] if best else [])).select(*ROW, base="wis")
        for (law,), part in rows.group_by(["law"], maintain_order=True):
            pairs = part.join(base, on=ROW, how="inner")
            theirs = float(pairs["base"].mean() or 0.0)  # type: ignore[arg-type]  # the mean of floats
            row = {
                **about,
                "law": str(law),
                "role": part["role"][0],
                "told": told(str(law)),
                **_means(part),
                "pairwise_relative_wis": relative[str(law)][0] if law in relative else None,
                "best_baseline": best,
                "relative_wis_best": float(pairs["wis"].mean()) / theirs if theirs > 0.0 and law != best else None,  # type: ignore[arg-type]
                "n_best": pairs.height,
                **dict.fromkeys(CLAIM),
            }
            made.append(row)
            if part["role"][0] != "baseline" and about["recalibration"] == PLAIN:
                rng = generator(seed, "rolling", *(str(value) for value in about.values()), str(law))
                found = against_reference(rows, none.filter(pl.col("law") == law), str(law), "released", ROW, rng, DRAWS)
                if found is not None:
                    said, compared = found
                    row |= {key: said[name] for key, name in CLAIM.items() if name in said}
                    claims.append((row, compared))
    for (row, _), said in zip(claims, judged(claims), strict=True):
        row |= {key: said[key] for key in ("adjusted_p", "verdict")}
    return [_without_nan(row) for row in made]


def recalibrations(scored: pl.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Each method with learned widths, and with learned centres, against itself as it was: by mode, unit and board, on all rows.

    `relative_wis` below 1 says that the recalibration made it better. p is adjusted over all rows of this table.
    """
    found: list[tuple[dict[str, Any], Comparison]] = []
    keys = ["mode", "unit", "board", "law"]
    for names, part in scored.group_by(keys, maintain_order=True):
        base = part.filter(pl.col("recalibration") == PLAIN)
        for how in (WIDTH, CENTRE):
            mine = part.filter(pl.col("recalibration") == how)
            pairs = mine.join(base.select(*ROW, base="wis"), on=ROW, how="inner").sort(ROW)
            if not pairs.height:
                continue
            rng = generator(seed, "recalibrations", *map(str, names), how)
            ours, theirs = pairs["wis"].to_numpy(), pairs["base"].to_numpy()
            said = compare(ours, theirs, pairs["release"].to_list(), rng, DRAWS, makers=pairs["maker"].to_list())
            about = dict(zip(keys, map(str, names), strict=True))
            plain = _means(base)
            row = {
                **about, "role": part["role"][0], "recalibration": how, **measured(said, float(ours.mean()), float(theirs.mean())),
                "bias": _means(mine)["bias"], "bias_before": plain["bias"], "coverage_80": _means(mine)["coverage_80"],
                "coverage_80_before": plain["coverage_80"],
            }  # fmt: skip
            found.append((row, said))
    return [_without_nan(row) for row in judged(found)]


def parts(scored: pl.DataFrame, by: pl.Expr) -> list[dict[str, Any]]:
    """Each law's means by target or by period of release beside its reference's, by mode, unit and board; bias with them."""
    plain = scored.filter(pl.col("recalibration") == PLAIN)
    found = []
    for (mode, unit, board), part in plain.group_by(["mode", "unit", "board"], maintain_order=True):
        for row in broken_down(part, by, ROW).drop("evidence", "case").iter_rows(named=True):
            found.append(_without_nan({"mode": mode, **row, "unit": unit, "board": board}))
    return sorted(found, key=lambda row: tuple(str(row[key]) for key in ("mode", "unit", "board", "law", "group")))


def _means(part: pl.DataFrame) -> dict[str, Any]:
    found = part.select(
        **means.counts(),
        n_origins=pl.col("origin").n_unique(),
        n_targets=pl.col("target_id").n_unique(),
        **{name: pl.col(name).mean() for name in ("wis", "dispersion", "overprediction", "underprediction")},
        wis_logit=pl.col("wis_logit").mean(),
        wis_revised=pl.col("wis_revised").mean(),
        mae=pl.col("absolute_error").mean(),
        bias=means.bias(),
        **means.coverage(COVERAGES),
    )
    return dict(found.row(0, named=True))


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in row.items()}


def by_distance(scored: pl.DataFrame) -> list[dict[str, Any]]:
    """Scores of each law by how far beyond its training rows it was asked, on its own axis, in standard deviations."""
    labels = ["within", *(f"up to {edge:g}" for edge in DISTANCES[1:]), f"beyond {DISTANCES[-1]:g}"]
    far = scored.filter(pl.col("distance").is_not_null() & (pl.col("recalibration") == PLAIN))
    if not far.height:
        return []
    place = np.searchsorted(np.array(DISTANCES), far["distance"].to_numpy(), side="left")
    keys = ["mode", "unit", "board", "law", "bin"]
    found = (
        far.with_columns(bin=pl.Series(place))
        .group_by(keys)
        .agg(
            **means.counts(("release",)),
            wis=pl.col("wis").mean(),
            mae=pl.col("absolute_error").mean(),
            bias=means.bias(),
            **means.coverage((0.8,)),
        )
        .sort(keys)
    )
    return [{**row, "bin": labels[row["bin"]]} for row in found.iter_rows(named=True)]


def by_origin(scored: pl.DataFrame) -> list[dict[str, Any]]:
    """Scores of each method at each origin, and how much it had: what a chart over time is drawn from."""
    keys = ["mode", "unit", "board", "recalibration", "law", "role", "origin"]
    found = (
        scored.group_by(keys)
        .agg(
            **means.counts(("release",)),
            n_targets=pl.col("target_id").n_unique(),
            trained_on=pl.col("trained_on").median(),
            wis=pl.col("wis").mean(),
            **means.coverage((0.8,)),
        )
        .sort(keys)
    )
    return [{**row, "origin": row["origin"].isoformat()} for row in found.iter_rows(named=True)]


def brief(tables: dict[str, Any]) -> dict[str, Any]:
    """What a review looks at, and all that docs/results-evaluation.md repeats.

    For each mode, board, method and horizon: counts, WIS, bias, coverage and the claim with both its intervals. Beside the horizons
    of a method stands what the recalibrations did to it.
    """
    made: dict[str, Any] = {}
    for row in tables.get("by_horizon", []):
        board = made.setdefault(row["mode"], {}).setdefault(f"{row['board']}, {row['unit']}", {})
        cell = board.setdefault(row["law"], {}).setdefault(f"{row['horizon']} months", {})
        if row["recalibration"] != PLAIN:
            cell |= {f"{key}_{row['recalibration']}": row[key] for key in ("wis", "coverage_80")}
        else:
            cell |= {key: row[key] for key in BRIEF if row[key] is not None}
    for row in tables.get("recalibrations", []):
        law = made[row["mode"]][f"{row['board']}, {row['unit']}"][row["law"]]
        law.setdefault("recalibrated", {})[row["recalibration"]] = {key: row[key] for key in RECALIBRATED}
    return made
