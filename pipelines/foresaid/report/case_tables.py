"""A case as a table: one kind of evidence, one split, one unit, every method beside every baseline.

The numbers are those that the stage `score` left; here they are chosen, ordered and spelt, and templates only place them. Units
never share a mean, so a case that forecasts losses and accuracies gives one table for each. Kinds of evidence never share a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from foresaid import text
from foresaid.evaluation.modes import mode_of
from foresaid.forecasting.methods import METHODS, reference, told
from foresaid.forecasting.published import RECORD, Adopted
from foresaid.registry.systems import models_of
from foresaid.report import texts
from foresaid.report.charts import forecast_against_outcome
from foresaid.report.drawing import Drawing
from foresaid.report.inputs import Material, parts
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.row_scores import SHOWN
from foresaid.text import count, number, percent, signed

HEADINGS = [one.heading for one in SHOWN]
RATES = ("coverage_50", "coverage_80", "coverage_95")


@dataclass(frozen=True)
class Case:
    """The scored rows of one kind of evidence and one question, with the words that say what was asked."""

    evidence: str
    name: str
    title: str
    note: str
    rows: pl.DataFrame

    @property
    def key(self) -> str:
        """Name of the downloads."""
        return case_key({"evidence": self.evidence, "case": self.name})

    @cached_property
    def by_law(self) -> dict[str, pl.DataFrame]:
        """The rows of every law and baseline."""
        return parts(self.rows, "law")

    @cached_property
    def by_quantity(self) -> dict[str, pl.DataFrame]:
        """The rows of every quantity."""
        return parts(self.rows, "quantity_id")

    @cached_property
    def by_model(self) -> dict[str, pl.DataFrame]:
        """The rows of every model, whatever system of it was measured."""
        named = self.rows.with_columns(model=models_of("subject_id"))
        return {name: rows.drop("model") for name, rows in parts(named, "model").items()}


def case_key(row: Mapping[str, Any]) -> str:
    """Name of a case in downloads and pages, from its kind of evidence and its own name."""
    return f"{row['evidence']}-{texts.slug(row['case'])}"


def cases(material: Material, evidence: str) -> list[Case]:
    """The cases of one kind of evidence: hindcasts in the order of params.yaml, the others by name."""
    found = sorted(name for kind, name in material.by_case if kind == evidence)
    order = [name for name in material.params.hindcast if name in found] if evidence == "hindcast" else []
    made = []
    for name in [*order, *(name for name in found if name not in order)]:
        title, note = name, ""
        if evidence == "hindcast" and name in material.params.hindcast:
            title, note = material.params.hindcast[name].title, material.params.hindcast[name].note
        for record in material.adopted:
            if evidence == "adopted" and record.name == name:
                title, note = record.title, record.evidence
        made.append(Case(evidence, name, title, note, material.by_case[evidence, name]))
    return made


def headline(found: Sequence[Case]) -> Case | None:
    """The case the index leads with: the first in which the models were held out by release date."""
    return next((case for case in found if "released" in case.rows["split"]), None)


def method_title(material: Material, name: str) -> str:
    """What a law or baseline is called in tables: a law's title, without its brackets where no other law needs them."""
    if name in material.fitted:
        title = material.fitted[name].law.title
        short = title.split(" (")[0]
        alike = [item for item in material.fitted.values() if item.law.title.split(" (")[0] == short]
        return short if len(alike) == 1 else title
    return METHODS[name].title if name in METHODS else name.replace("_", " ")


def block(material: Material, case: Case, root: str = "", chart: bool = False) -> dict[str, Any]:
    """Everything a page shows of a case."""
    rows = case.rows
    first = rows.row(0, named=True)
    asked = material.params.hindcast.get(case.name) if case.evidence == "hindcast" else None
    silent = of_case(material.tables["no_forecast"], case)
    return {
        "key": case.key,
        "title": case.title,
        "note": " ".join(case.note.split()),
        "split": texts.SPLITS[first["split"]],
        "as_of": str(first["as_of"]),
        "until": str(asked.until) if asked else "",
        "larger": first["split"] == "larger",
        "n": count(rows.height, "scored forecast"),
        "tables": [
            _table(material, case, rows.filter(pl.col("unit") == unit), silent, root) for unit in rows["unit"].unique().sort()
        ],
        "verdict": leading(material, case),
        "verdict_key": "/".join((case.key, str(case.rows["unit"].min()), str(best_law(material, case)))),
        "mode": mode_of(case.evidence, first["split"]),
        "parts": _parts(material, case),
        "no_forecast": [
            {"method": method_title(material, row["law"]), "status": row["status"], "n": count(row["n"], "forecast")}
            for row in silent.group_by("law", "status").agg(pl.col("n").sum()).sort("law", "status").iter_rows(named=True)
        ],
        "chart": drawing(material, case) if chart else None,
    }


def _means(row: dict[str, Any], intervals: bool) -> dict[str, Any]:
    """Spell the means and counts of one row of `summarise`; a bare point has no WIS worth a number."""
    return {
        "wis": number(row["wis"]) if intervals else text.DASH,
        "scores": [text.DASH if one.interval_only and not intervals else number(row[one.mean]) for one in SHOWN],
        "bias": signed(row["bias"]),
        "coverage": [percent(row[name]) for name in RATES],
        "n": f"{row['n']:,}",
        "releases": f"{row['n_releases']:,}",
        "makers": f"{row['n_makers']:,}",
    }


def _parts(material: Material, case: Case) -> list[dict[str, Any]]:
    """The case's best law by target and by period of release: what a pooled mean hides."""
    law, made = best_law(material, case), []
    for name, title in (("by_target", "By target"), ("by_period", "By half-year of release")):
        frame = material.means.get(name)
        if law is None or frame is None or not frame.height:
            continue
        keys = {"evidence": case.evidence, "case": case.name, "unit": case.rows["unit"].min(), "law": law}
        rows = frame.filter(*(pl.col(key) == value for key, value in keys.items())).sort("group")
        if rows.height > 1:
            shown = [
                {
                    **_means({**dict.fromkeys(one.mean for one in SHOWN), **row}, intervals=True),
                    "group": material.quantity(row["group"]) if name == "by_target" else row["group"],
                    "ratio": text.DASH if row["relative_wis"] is None else f"{row['relative_wis']:.2f}",
                }
                for row in rows.iter_rows(named=True)
            ]
            about = rows.row(0, named=True)
            reference = method_title(material, about["reference"])
            made.append(
                {"title": title, "law": method_title(material, law), "told": about["told"], "reference": reference, "rows": shown}
            )
    return made


def _table(material: Material, case: Case, part: pl.DataFrame, silent: pl.DataFrame, root: str) -> dict[str, Any]:
    unit = part["unit"][0]
    means = placed(material, case, of_case(material.means["summary"], case, unit), unit)
    means = means.with_columns(second=pl.col("role") == "baseline").sort("second", "place", "law")
    ratios = {(row["law"], row["baseline"]): row for row in of_case(material.means["skill"], case, unit).iter_rows(named=True)}
    # Beside each mean stand the references that were named before; every other baseline is in the download.
    named = {reference(part["split"][0], law) for law in part.filter(pl.col("role") == "law")["law"].unique()}
    against = [name for name in dict.fromkeys(means["law"]) if name in named and any(b == name for _, b in ratios)]
    quantities = silent.filter(pl.col("quantity_id").is_in(part["quantity_id"].unique().to_list()))
    missing = dict(quantities.group_by("law").agg(pl.col("n").sum()).iter_rows())
    intervals = part["lower_80"].is_not_null().any()
    return {
        "unit": text.unit_words(part["unit"]),
        "scores": HEADINGS,
        "any_no_forecast": any(missing.values()),
        "quantities": [material.quantity(name) for name in part["quantity_id"].unique().sort()],
        "meanings": [
            f"{METHODS[name].title}: {METHODS[name].sentence}"
            for name in sorted(set(means["law"]))
            if name in METHODS and name not in material.fitted
        ],
        "baselines": [{"name": name, "title": method_title(material, name)} for name in against],
        "rows": [
            {
                "title": method_title(material, row["law"]),
                "href": f"{root}laws/{texts.slug(row['law'])}.html" if row["law"] in material.fitted else "",
                "role": row["role"],
                "mode": mode_of(row["evidence"], part["split"][0]),
                "told": told(row["law"]),
                **_means(row, intervals),
                "no_forecast": f"{missing.get(row['law'], 0):,}",
                "skill": [_ratio(ratios.get((row["law"], name))) for name in against],
            }
            for row in means.iter_rows(named=True)
        ],
        "verdicts": _verdicts(material, part),
    }


def claim(material: Material, case: Case, law: str | None) -> dict[str, Any] | None:
    """The claim of a law in the case's first unit, None where there is none."""
    keys = {"evidence": case.evidence, "case": case.name, "unit": case.rows["unit"].min(), "law": law}
    found = material.claims.filter(*(pl.col(key) == value for key, value in keys.items()))
    return found.row(0, named=True) if found.height else None


def leading(material: Material, case: Case) -> str:
    """The verdict on the law with the lowest WIS of the case, in the one sentence that every page uses."""
    law = best_law(material, case)
    found = claim(material, case, law)
    titles = [method_title(material, name) for name in (law or "", found["reference"] if found else "")]
    return texts.verdict(found, *titles)


def bounds(row: Mapping[str, Any], ends: str) -> str:
    """The 95 % interval of a claim by release (`ends` empty) or by maker (`maker_`); a missing upper end lies beyond all ratios."""
    lower, upper = row[f"{ends}lower_95"], row[f"{ends}upper_95"]
    return text.DASH if lower is None else f"{lower:.2f} " + ("or more" if upper is None else f"to {upper:.2f}")


def claim_cells(material: Material, row: Mapping[str, Any]) -> dict[str, str]:
    """What every table of verdicts says of a claim: reference, counts, ratio with its intervals, p, verdict, best in hindsight."""
    best = text.DASH
    if row["best_baseline"] is not None:
        beside = text.DASH if row["relative_wis_best"] is None else f"{row['relative_wis_best']:.2f}"
        best = f"{method_title(material, row['best_baseline'])}: {beside} on {row['n_best']:,}"
    return {
        "told": row["told"],
        "reference": method_title(material, row["reference"]),
        "n": f"{row['n']:,}" + (f", {row['n_no_forecast']:,} without a forecast" if row["n_no_forecast"] else ""),
        "releases": f"{row['n_releases']:,}",
        "makers": f"{row['n_makers']:,}",
        "ratio": text.DASH if row["relative_wis"] is None else f"{row['relative_wis']:.2f}",
        "bounds": bounds(row, ""),
        "maker_bounds": bounds(row, "maker_"),
        "p": text.probability(row["adjusted_p"]),
        "verdict": row["verdict"],
        "best": best,
    }


def _verdicts(material: Material, part: pl.DataFrame) -> list[dict[str, str]]:
    """For each law its claim, as `score` made it, the baseline that was best in hindsight, and whether its intervals hold."""
    first = part.select("evidence", "case", "unit").row(0, named=True)
    rows = material.claims.filter(*(pl.col(key) == value for key, value in first.items()))
    held_of = material.means["calibrated"]
    same = [pl.col(key) == value for key, value in first.items() if key in held_of.columns]
    believed = {row["law"]: row for row in held_of.filter(*same).iter_rows(named=True)} if held_of.height else {}
    made = []
    for row in rows.iter_rows(named=True):
        held = believed.get(row["law"])
        share = text.DASH
        if held is not None:
            share = f"{percent(held['coverage_80'])} ({percent(held['coverage_80_lower'])} to {percent(held['coverage_80_upper'])})"
        made.append(
            {
                "key": "/".join((case_key(row), row["unit"], row["law"])),
                "title": method_title(material, row["law"]),
                "mode": row["mode"],
                **claim_cells(material, row),
                "covered": share,
                "calibration": held["verdict"] if held is not None else "no intervals",
            }
        )
    return made


def _ratio(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"value": text.DASH, "n": "", "better": False}
    value = row["relative_wis"]
    known = value is not None
    return {"value": f"{value:.2f}" if known else text.DASH, "n": f"{row['n']:,}", "better": known and value < 1.0}


def of_case(table: pl.DataFrame, case: Case, unit: str | None = None) -> pl.DataFrame:
    """The rows of a table of `score` that are about a case, and about one of its units where one is named."""
    if not table.height:
        return table
    rows = table.filter((pl.col("evidence") == case.evidence) & (pl.col("case") == case.name))
    return rows if unit is None else rows.filter(pl.col("unit") == unit)


def placed(material: Material, case: Case, means: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Add to means by law the WIS that decides their order, `place`: a row without a forecast counts as the reference's.

    Nobody leads a table by leaving out what is hard. What has no claim (a baseline, a bare point) has its own mean.
    """
    claimed = of_case(material.claims, case, unit)
    known = claimed.select("law", place="wis") if claimed.height else pl.DataFrame(schema={"law": pl.String, "place": pl.Float64})
    return means.join(known, on="law", how="left", maintain_order="left").with_columns(place=pl.coalesce("place", "wis"))


def law_means(material: Material, case: Case) -> pl.DataFrame:
    """The means of the laws of a case in its first unit, the lowest WIS first (`placed`)."""
    unit = str(case.rows["unit"].min())
    rows = of_case(material.means["summary"], case, unit)
    return placed(material, case, rows.filter(pl.col("role") == "law"), unit).sort("place", "law") if rows.height else rows


def best_law(material: Material, case: Case) -> str | None:
    """The law with the lowest mean WIS in the case's first unit."""
    means = law_means(material, case)
    return means["law"][0] if means.height else None


def drawing(material: Material, case: Case, law: str | None = None) -> Drawing | None:
    """Forecast against outcome of one law (the one with the lowest WIS) in the case's first unit."""
    name = law or best_law(material, case)
    if name is None:
        return None
    rows = case.by_law.get(name, case.rows.clear()).filter(pl.col("unit") == case.rows["unit"].min())
    what = f"{method_title(material, name)}: {count(rows.height, 'forecast')}"
    return forecast_against_outcome(rows.to_dicts(), what, text.unit_words(rows["unit"]))


def adopted_block(material: Material, case: Case) -> dict[str, Any]:
    """A published record: its errors on all models it lists, and on those released after its date; or its records by day."""
    record = next((item for item in material.adopted if item.name == case.name), None)
    return {
        **block(material, case),
        "records": _records(material, case, record) if record else [],
        "published_on": str(record.published_on) if record else "",
        "forms": count(len(record.forms), "printed form") if record else "",
        "listed": count(len(record.models), "listed model") if record else "",
        "unscored": sorted({form.quantity_id for form in record.forms} - set(case.rows["quantity_id"])) if record else [],
        "groups": [
            {"title": words, "rows": _plain_errors(material, of_case(material.tables[name], case))}
            for words, name in (
                ("all listed models with an outcome", "by_quantity"),
                ("only those released after that day", "by_quantity_later"),
            )
        ],
    }


def _records(material: Material, case: Case, record: Adopted) -> list[dict[str, str]]:
    """Every forecast of a record that was published, with its outcome or without one yet."""
    scored = {row["target_id"]: row for row in case.rows.filter(pl.col("law") == RECORD).iter_rows(named=True)}
    made = []
    for one in record.records:
        row = scored.get(f"{one.quantity_id}/record-{one.by}")
        low, middle, high = (one.quantiles[LEVELS.index(level)] for level in (0.1, 0.5, 0.9))
        made.append(
            {
                "quantity": material.quantity(one.quantity_id),
                "by": str(one.by),
                "point": number(one.point),
                "median": number(middle),
                "interval": f"{number(low)} to {number(high)}",
                "observed": number(row["observed"]) if row else text.DASH,
                "whose": row["subject_id"] if row else "no outcome in this record yet",
                "point_error": number(abs(one.point - row["observed"])) if row else text.DASH,
                "error": number(row["absolute_error"]) if row else text.DASH,
                "wis": number(row["wis"]) if row else text.DASH,
            }
        )
    return made


def _plain_errors(material: Material, means: pl.DataFrame) -> list[dict[str, str]]:
    made = []
    for row in means.iter_rows(named=True):
        made.append(
            {
                "quantity": material.quantity(row["quantity_id"]),
                "unit": text.unit_words([row["unit"]]),
                "mae": number(row["mae"]),
                "mse": number(row["mse"]),
                "bias": signed(row["bias"]),
                "n": f"{row['n']:,}",
                "releases": f"{row['n_releases']:,}",
                "makers": f"{row['n_makers']:,}",
            }
        )
    return made


def by_quantity(material: Material, case: Case, law: str) -> list[dict[str, Any]]:
    """Errors of one method in one case, quantity by quantity."""
    return [
        {
            "quantity": material.quantity(row["quantity_id"]),
            "unit": text.unit_words([row["unit"]]),
            **_means(row, row["coverage_80"] is not None),
        }
        for row in of_case(material.tables["by_quantity"], case).filter(pl.col("law") == law).iter_rows(named=True)
    ]
