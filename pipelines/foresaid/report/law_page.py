"""One page for each law: what it says, what its numbers mean, how it fitted, how it did, and its limitations.

Every target has its status on the page, the failed ones too. Only the charts are capped, and a page says how many it left
out; the points and bands of all targets are in the downloads.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import polars as pl

from foresaid.evaluation.modes import TITLES, mode_of
from foresaid.fitting.data import Covariate, Target
from foresaid.fitting.fit import STATUSES
from foresaid.fitting.frozen_curve import CurveRecord
from foresaid.fitting.law import Law
from foresaid.report import texts
from foresaid.report.case_tables import HEADINGS, Case, by_quantity, cases, drawing
from foresaid.report.charts import fitted_curve
from foresaid.report.inputs import PLANE, Fitted, Material, parts
from foresaid.report.page import Page, PageSet
from foresaid.report.sections import (
    benchmark_space,
    emergence_experiment,
    held_out_families,
    hindcast_fits,
    interval_width,
    no_better,
    study_tables,
)
from foresaid.report.sections.compute_returns import HEADER, cells, statement
from foresaid.report.sections.simulation import shown
from foresaid.studies import compute_returns, preregistration
from foresaid.studies.law_sections import LawSection
from foresaid.text import DASH, bound, count, number, percent, unit_words

CHARTS = 8
FIRST = ("olmo_mmlu_mc",)  # the one public test of the loss threshold: its chart leads
THRESHOLDS = {"threshold": "", "midpoint": " (midpoint)"}  # where the rise begins, or where half of it is done
BESIDE = "olmo_mmlu_mc"
NOT_REAL = "no real data published for this law; validated on {on}"
NOISE = {"natural": "additive errors on the scale of the score", "log": "multiplicative errors (additive on the logarithm)"}


def not_real(law: Law) -> str:
    """What the pages say of a law that was fitted to no real data."""
    return NOT_REAL.format(on=law.validated_on.split(":")[0])


def law_list(material: Material) -> Page:
    """The list of laws: formula, evidence, and how many targets ended in each status."""
    listed = [{**_summary(item), "href": f"{texts.slug(name)}.html"} for name, item in material.fitted.items()]
    return Page("laws/index.html", "laws.html.j2", {"laws": listed})


def _summary(item: Fitted) -> dict[str, Any]:
    """What the list and the law's own page both say of a law."""
    law, targets = item.law, item.metrics["targets"]
    return {
        "title": law.title,
        "formula": law.formula,
        "validated": "fitted to real data" if law.validated_on == "real data" else not_real(law),
        "statuses": [
            {"name": status, "said": said, "n": f"{sum(entry['status'] == status for entry in targets):,}"}
            for status, said in STATUSES.items()
            if any(entry["status"] == status for entry in targets)
        ],
    }


def law_pages(material: Material) -> list[Page]:
    """The page of every law of params.yaml."""
    shared = _Shared(
        [case for evidence in texts.EVIDENCE for case in cases(material, evidence)],
        _sections(material),
        _threshold_laws(material),
        set(material.scores.select("law", "target_id").unique().iter_rows()),
    )
    return [_page(material, shared, name, item) for name, item in material.fitted.items()]


@dataclasses.dataclass(frozen=True)
class _Shared:
    """What the pages of all laws look into, made once."""

    cases: list[Case]
    sections: list[LawSection]
    thresholds: list[str]  # laws
    scored: set[tuple[str, str]]  # laws and targets


def _page(material: Material, shared: _Shared, name: str, item: Fitted) -> Page:
    law, targets = item.law, item.metrics["targets"]
    real = law.validated_on == "real data"
    charted = sorted(
        (entry for entry in targets if entry["target_id"] in item.curves),
        key=lambda entry: (entry["quantity_id"] not in FIRST, (name, entry["target_id"]) not in shared.scored),
    )[:CHARTS]
    values = {
        "name": name,
        **_summary(item),
        "reference": law.reference,
        "limitations": law.limitations,
        "real": real,
        "version": law.version,
        "noise": NOISE.get(law.noise, law.noise),
        "as_of": item.metrics["as_of"],
        "parameters": parameters(law, item),
        "targets": [_target(material, entry) for entry in targets],
        "charts": [_chart(material, item, entry) for entry in charted],
        "uncharted": len([entry for entry in targets if entry["target_id"] in item.curves]) - len(charted),
        "profiles": [hindcast_fits.drawn(entry) for entry in charted if entry.get("profile")],
        "behind": hindcast_fits.behind(material, name),
        "errors": _errors(material, shared.cases, name),
        "thresholds": thresholds(material) if name in shared.thresholds else None,
        "returns": _returns(material, item),
        "study": shown(item.metrics.get("study")),
        "experiment": emergence_experiment.shown(item.experiment),
        "plane": benchmark_space.shown(material.plane, material.quantity) if name == PLANE else None,
        "families": held_out_families.shown(material.boards) if name == PLANE else [],
        "released": _released(material) if name == preregistration.DEFAULT else [],
        "studies": study_tables.shown(shared.sections, name),
        "budget_header": HEADER,
        "key": f"law-{texts.slug(name)}",
    }
    return Page(f"laws/{texts.slug(name)}.html", "law.html.j2", values)


def _sections(material: Material) -> list[LawSection]:
    """What studies add to the pages of laws, and where each law is no better than its reference."""
    splits = dict(material.scores.select(pl.concat_str("evidence", "case", separator="/"), "split").unique().iter_rows())
    by_target = [
        {**row, "mode": mode_of(row["evidence"], splits[f"{row['evidence']}/{row['case']}"])}
        for row in material.means["by_target"].to_dicts()
    ]
    rolled = [{**row, "mode": TITLES[row["mode"]]} for row in material.rolling["by_target"]]
    return [*material.sections, *no_better.sections(by_target, rolled, list(material.fitted), material.quantity)]


def _released(material: Material) -> list[dict[str, Any]]:
    """The default beside the registered forms and the baselines on models released later, task by task and pooled."""
    made = []
    for one in preregistration.from_frame(material.tables["preregistration"]):
        tables = [[_line(material, line) for line in lines] for lines in (one.beside_preset, one.beside_all) if lines]
        made.append({"title": one.title, "tables": tables})
    return made


def _line(material: Material, line: preregistration.Comparison) -> dict[str, str]:
    return {
        "task": "all tasks" if line.task == "all" else material.quantity(line.task),
        "forecaster": line.forecaster.replace("_", " "),
        "rows": f"{line.rows} ({line.releases})",
        "mae": number(line.mae),
        "wis": f"{number(line.wis)} ({number(line.low)} to {number(line.high)})",
        "coverage": DASH if math.isnan(line.coverage) else percent(line.coverage),
    }


def _as_target(record: CurveRecord) -> Target:
    offset, span, lower, upper = (float(text) for text in (record.offset, record.span, record.lower, record.upper))
    inputs = tuple(Covariate(item.quantity_id, item.transform) for item in record.covariates)
    return Target(
        target_id=record.target_id,
        title="",
        quantity_id=record.quantity_id,
        covariates=inputs,
        offset=offset,
        span=span,
        lower=lower,
        upper=upper,
        resolver=record.resolver,
        series=record.series or None,
    )


def parameters(law: Law, item: Fitted) -> list[dict[str, str]]:
    """Meaning, unit and bounds of what the law fits; where bounds differ between targets, the widest."""
    if item.curves:
        each = [law.parameters(_as_target(record), law.features(len(record.covariates))) for record in item.curves.values()]
        listed = tuple(
            dataclasses.replace(one, lower=min(same.lower for same in row), upper=max(same.upper for same in row))
            for one, row in zip(each[0], zip(*each, strict=True), strict=True)
        )
    elif law.validated_on != "real data":  # a law without data has no target; its parameters do not depend on one
        listed = law.parameters(Target("none", "", "none", (), 0.0, 1.0, 0.0, 1.0, ""), 1)
    else:
        return []
    return [
        {
            "name": one.name,
            "meaning": one.meaning,
            "unit": one.unit,
            "bounds": f"{bound(one.lower)} to {bound(one.upper)}",
            "natural": "a bound where the law becomes a simpler law" if one.natural else "",
        }
        for one in listed
    ]


def _own_reason(entry: dict[str, Any]) -> str:
    # What a status means stands above the table; a row repeats only what is its own.
    return "" if entry["reason"] == STATUSES.get(entry["status"]) else str(entry["reason"])


def _target(material: Material, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": entry["title"],
        "quantity": material.quantity(entry["quantity_id"]),
        "series": entry["series"],
        "status": entry["status"],
        "reason": _own_reason(entry),
        "rows": f"{entry['rows']:,}",
        "excluded_rows": "; ".join(f"{one['rows']} excluded: {one['reason']}" for one in entry["excluded_rows"]),
        "clusters": f"{entry['clusters']:,}",
        "residual": number(entry["residual_scale"]),
        "restarts_at_best": percent(entry["restarts_at_best"]),
        "unconverged": f"{entry['unconverged']:,}",
        "width": interval_width.said(entry),
        "parameters": [
            {
                "name": one["name"],
                "point": number(one["point"], 4),
                "range": f"{number(one['lower_90'])} to {number(one['upper_90'])}",
            }
            for one in entry["parameters"]
        ],
    }


def _returns(material: Material, item: Fitted) -> list[dict[str, Any]]:
    titles = {entry["target_id"]: entry["title"] for entry in item.metrics["targets"]}
    return [
        {
            "title": titles[target_id],
            "said": statement(found, unit_words([material.unit(item.curves[target_id].quantity_id)])),
            "rows": [cells(one) for one in found],
        }
        for target_id, found in item.budgets.items()
    ]


def _axis(material: Material, law: Law, record: CurveRecord) -> str:
    if len(record.covariates) > 1:
        return law.axis_title
    quantity = record.covariates[0].quantity_id
    unit = material.unit(quantity)
    title = material.quantity(quantity)
    return title if unit in ("unknown", title.lower()) else f"{title} ({unit_words([unit])})"


def _chart(material: Material, item: Fitted, entry: dict[str, Any]) -> dict[str, Any]:
    record = item.curves[entry["target_id"]]
    rows = item.by_target.get(entry["target_id"], item.drawing.clear()).drop_nulls(["x", "median"])
    points = rows.filter((pl.col("kind") == "point") & pl.col("observed").is_not_null()).sort("x", "subject_id")
    y_title = f"score ({unit_words([material.unit(entry['quantity_id'])])})"
    where = f", {entry['series']}" if entry["series"] else ""
    drawn = fitted_curve(
        points.to_dicts(),
        rows.filter(pl.col("kind") == "grid").sort("x").to_dicts(),
        f"{entry['title']}{where}" if entry["series"] not in entry["title"] else entry["title"],
        _axis(material, item.law, record),
        y_title,
        log=len(record.covariates) == 1 and record.covariates[0].transform != "identity",
    )
    groups = count(points["cluster"].n_unique(), "cluster")
    return {
        "drawing": drawn,
        "caption": f"{count(points.height, 'row')}, {groups}. Status {entry['status']}: {entry['reason']}.",
    }


def _errors(material: Material, every: list[Case], name: str) -> list[dict[str, Any]]:
    return [
        {
            "evidence": case.evidence,
            "about": texts.EVIDENCE[case.evidence],
            "title": case.title,
            "as_of": str(rows["as_of"][0]),
            "larger": rows["split"][0] == "larger",
            "mode": mode_of(case.evidence, rows["split"][0]),
            "scores": HEADINGS,
            "rows": by_quantity(material, case, name),
            "key": case.key,
            "chart": drawing(material, case, name) if rows["lower_80"].is_not_null().any() else None,
        }
        for case in every
        if (rows := case.by_law.get(name)) is not None
    ]


def _threshold_laws(material: Material) -> list[str]:
    """Laws that forecast the one public test of a threshold from a loss."""
    return [
        name
        for name, item in material.fitted.items()
        if any(
            record.quantity_id == BESIDE and material.unit(record.covariates[0].quantity_id) == "nats_per_token"
            for record in item.curves.values()
        )
    ]


def thresholds(material: Material) -> dict[str, Any]:
    """The forms of the loss threshold side by side on the one public test, and the series that show none."""
    beside, absent = [], []
    for name in _threshold_laws(material):
        item = material.fitted[name]
        for entry in item.metrics["targets"]:
            if entry["quantity_id"] == BESIDE:
                found = next((one for one in entry["parameters"] if one["name"] in THRESHOLDS), None)
                beside.append(
                    {
                        "law": item.law.title,
                        "target": entry["title"],
                        "threshold": number(found["point"], 4) + THRESHOLDS[found["name"]] if found else "none",
                        "range": f"{number(found['lower_90'], 4)} to {number(found['upper_90'], 4)}" if found else DASH,
                        "residual": number(entry["residual_scale"]),
                        "rows": f"{entry['rows']:,}",
                        "status": entry["status"],
                        "reason": _own_reason(entry),
                    }
                )
            elif entry["status"] == "no_threshold":
                absent.append({"law": item.law.title, "target": entry["title"], "rows": f"{entry['rows']:,}"})
    return {"beside": beside, "absent": absent, "quantity": material.quantity(BESIDE)}


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """For each law: its targets with status, its parameters, and the points and bands of its charts."""
    made = hindcast_fits.downloads(material) | study_tables.downloads(_sections(material))
    scored = parts(material.scores, "law")
    for name, item in material.fitted.items():
        key = f"law-{texts.slug(name)}"
        entries = item.metrics["targets"]
        flat = [{k: v for k, v in entry.items() if k not in ("parameters", "profile", "excluded_rows")} for entry in entries]
        made[f"{key}-targets"] = pl.DataFrame(flat, infer_schema_length=None)
        values = [{"target_id": entry["target_id"], **one} for entry in entries for one in entry["parameters"]]
        made[f"{key}-parameters"] = pl.DataFrame(values, infer_schema_length=None)
        made[f"{key}-fit"] = item.drawing.with_columns(pl.col(pl.Float64).round_sig_figs(5))  # a pixel shows no more
        if item.budgets:
            made[f"{key}-returns"] = compute_returns.as_frame(item.budgets)
        made[f"{key}-errors"] = scored.get(name, material.scores.clear())
        if name == PLANE and material.plane:
            made |= {f"{key}-{part}": frame for part, frame in benchmark_space.downloads(material.plane).items()}
        if name == PLANE and material.boards:
            made[f"{key}-families-held-out"] = held_out_families.downloads(material.boards)
        if item.experiment:
            made |= {f"{key}-experiment-{part}": frame for part, frame in emergence_experiment.downloads(item.experiment).items()}
    return made


PAGES = PageSet("laws/index.html", "Laws", 20, lambda material: [law_list(material), *law_pages(material)], downloads)
