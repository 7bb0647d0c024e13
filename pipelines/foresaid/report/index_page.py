"""The first page: how good the forecasts have been, by kind of evidence and case.

A page is an address, a template and plain values: everything is counted, averaged and spelt here, and a template can only
place it. Tables that a page shows stand beside it as downloads, whole.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from foresaid import text
from foresaid.evaluation import modes, rolling_origin
from foresaid.ledger.verify.page import score_name
from foresaid.registry.view import SHARE
from foresaid.report import open_page, round_page, target_words, texts
from foresaid.report.case_tables import Case, adopted_block, block, cases, headline, law_means, leading, method_title, of_case
from foresaid.report.claim_lines import claims_of
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.report.targets import Target
from foresaid.text import count, number, percent

DUE = 9  # targets shown as next due, one a benchmark


def index(material: Material) -> Page:
    """The first page: how good have these forecasts been, by kind of evidence."""
    past = cases(material, "hindcast")
    first = headline(past)
    ahead, taken = cases(material, "prospective"), cases(material, "adopted")
    ledger = material.ledger.counts
    return Page(
        "index.html",
        "index.html.j2",
        {
            "evidence": texts.EVIDENCE,
            "prospective": {
                "blocks": [block(material, case) for case in ahead],
                "entries": count(ledger["forecasts"], "forecast"),
                "batches": count(ledger["batches"], "batch", "batches"),
                "scored": count(sum(case.rows.height for case in ahead), "scored forecast"),
                "none": not ahead,
                "claimed": claimed(material),
            },
            "adopted": [adopted_block(material, case) for case in taken],
            "headline": block(material, first, chart=True) if first else None,
            "rolling": [
                {
                    "title": modes.TITLES[mode].capitalize(),
                    "meaning": modes.MODES[mode],
                    "rows": claims_of(material, mode, first_page=True),
                    "calibration": calibration_of(material, mode),
                    "hindsight": mode != modes.KNOWN,
                }
                for mode in rolling_origin.MODES
            ],
            "answers": answers(material, ahead, taken, first),
            "others": [listed(case) for case in past if first is None or case.name != first.name],
            "open": waiting(material),
            "unvalidated": [
                {"title": item.law.title, "href": f"laws/{texts.slug(name)}.html", "on": item.law.validated_on.split(":")[0]}
                for name, item in material.fitted.items()
                if item.law.validated_on != "real data"
            ],
            "not_shown": not_shown(material, first),
        },
    )


def listed(case: Case) -> dict[str, str]:
    """A case as a line of a list: where its tables stand, its mode, and how many forecasts it scored."""
    mode = modes.mode_of(case.evidence, case.rows["split"][0])
    return {"key": case.key, "title": case.title, "mode": mode, "n": count(case.rows.height, "scored forecast")}


def waiting(material: Material) -> dict[str, Any]:
    """The open forecasts that are settled next, one a benchmark, and the latest freeze."""
    shown = open_page.open_targets(material)
    next_due: dict[str, Target] = {}
    for one in sorted(shown, key=lambda one: (one.last_day or date.max, one.id)):
        if one.entry is not None:
            next_due.setdefault(one.entry.benchmark, one)
    forecasts = sum(one.account.state == "pending" for target in shown for one in target.forecasts)
    frozen = [batch.header for batch in material.batches]
    return {
        "counted": f"{count(len(shown), 'target')} with {count(forecasts, 'forecast')}",
        "rows": [target_words.card(material, one, "") for one in list(next_due.values())[:DUE]],
        "latest": max((f"{one.frozen_at} (claimed) by {one.author}" for one in frozen), default=text.DASH),
        "rounds": [{"name": name, "href": round_page.address(name)} for name in round_page.by_round(material)],
    }


def calibration_of(material: Material, mode: str) -> list[dict[str, Any]]:
    """Coverage of the intervals of each claim of a mode at its longest horizon, in the order of the claims."""
    return [
        {
            "law": row["law"],
            "board": f"{row['board']}, {row['unit']}",
            "coverage": row["coverage"],
            "n": row["scored"],
            "releases": row["scored_releases"],
        }
        for row in claims_of(material, mode, first_page=True)
    ]


def answers(material: Material, ahead: list[Case], taken: list[Case], first: Case | None) -> list[dict[str, str]]:
    """One line for each kind of evidence: the screen's worth of answer."""
    frozen = material.ledger.counts["forecasts"]
    made = []
    if ahead:
        whole = material.tables["by_evidence"].filter(pl.col("evidence") == "prospective").row(0, named=True)
        said = f"Coverage of the 80 % intervals, {count(whole['n'], 'score')} of {count(frozen, 'frozen forecast')}. "
        said += f"Mean absolute errors are in the table below.{_claims(material)}"
        made.append({"kind": "prospective", "figure": percent(whole["coverage_80"]), "said": said})
    else:
        made.append(
            {
                "kind": "prospective",
                "figure": "none yet",
                "said": f"{count(frozen, 'forecast')} in the ledger, none of them with an outcome and a proof of its time so far."
                f"{_claims(material)}"
                if frozen
                else "The ledger is empty: no forecast has been frozen so far.",
            }
        )
    for kind, case in (("adopted", taken[0] if taken else None), ("hindcast", first)):
        if case is None:
            made.append({"kind": kind, "figure": "none", "said": "Nothing of this kind has been scored."})
            continue
        rows = case.rows.filter(pl.col("unit") == case.rows["unit"].min())
        means = law_means(material, case).row(0, named=True)
        where = f"{count(means['n'], 'score')} of {count(means['n_releases'], 'release')}"
        where += f" of {count(means['n_makers'], 'maker')}"
        mode = modes.mode_of(kind, rows["split"][0])
        in_points = "percentage points" if means["unit"] == SHARE else text.unit_words(rows["unit"])
        said = f"{mode.capitalize()}. Mean absolute error, {in_points}, on {where}: "
        said += f"{method_title(material, means['law'])}."
        later = of_case(material.tables["by_method_later"], case, means["unit"]).filter(pl.col("law") == means["law"])
        if kind == "adopted" and later.height:
            after = later.row(0, named=True)
            said += (
                f" On the {count(after['n'], 'score')} of models released after that day: {points(after['mae'], means['unit'])}."
            )
        said += f" {leading(material, case)}"
        if means["coverage_80"] is not None:
            said += f" Coverage of its 80 % intervals: {percent(means['coverage_80'])}."
        made.append({"kind": kind, "figure": points(means["mae"], means["unit"]), "said": said})
    return made


def points(value: float | None, unit: str) -> str:
    """An error as the first page says it: of a share in percentage points, else in its unit.

    >>> points(0.0338, "fraction"), points(0.0338, "nats_per_token")
    ('3.4 points', '0.0338')
    """
    return f"{100 * value:.1f} points" if unit == SHARE and value is not None else number(value)


def _claims(material: Material) -> str:
    number_of = material.accounting.get("ledger", {}).get("claimed", 0)
    return f" {count(number_of, 'forecast')} with an outcome rest on the claim of their author alone." if number_of else ""


def claimed(material: Material) -> list[dict[str, str]]:
    """The mean scores of forecasts whose time nobody proved, by method: no evidence of foresight, and in no table above."""
    return [
        {
            "name": score_name(row),
            "id": row["id"],
            "author": row["author"],
            "n": f"{row['n']:,}",
            "no_forecast": f"{row['no_forecast']:,}",
            "wis": number(row["wis"]),
            "mae": number(row["absolute_error"]),
            "coverage": percent(row["coverage_80"]),
        }
        for row in material.accounting.get("versions", [])
        if row["standing"] == "claimed"
    ]


def not_shown(material: Material, first: Case | None) -> list[str]:
    """What a reader must not conclude, in plain words, with the counts of the case the index leads with."""
    said = list(texts.LIMITS)
    if first is not None:
        models, releases = (first.rows[name].n_unique() for name in ("subject_id", "release"))
        sentence = f"The leading table rests on {count(models, 'released model')} of {count(releases, 'release')}."
        said.insert(0, f"{sentence} {leading(material, first)}")
        dated = material.models.filter(pl.col("model_id").is_in(first.rows["subject_id"].unique().to_list()))
        stated = texts.not_reread(dated["release_source"])
        said.insert(1, f"For {stated} of these models the release date is stated from general knowledge, with no document at hand.")
    return said


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The tables of these pages: means and comparisons as `score` computed them, every scored row by case."""
    made = {**material.means, "claims": material.claims}
    for evidence in texts.EVIDENCE:
        for case in cases(material, evidence):
            made[case.key] = case.rows
    return made


PAGES = PageSet("index.html", "Results", 10, lambda material: [index(material)], downloads)
