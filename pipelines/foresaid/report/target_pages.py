"""One page a target, under an address that stays, every forecast a place of its own on it; and all of it as one data file.

A page a target and not a page a forecast: the forecasts of a target say the same of what is asked, and a number means little
without those of the other methods beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.evaluation import target_story
from foresaid.evaluation.target_story import Said
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.schema import JointPrediction
from foresaid.ledger.state import evidence, story
from foresaid.ledger.verify import page as report_check
from foresaid.report import ledger_page, target_charts, target_history, texts
from foresaid.report import target_words as words
from foresaid.report.inputs import Material
from foresaid.report.page import Page
from foresaid.report.targets import Forecast, Target, count_states
from foresaid.scoring.levels import LEVELS
from foresaid.text import DASH


def target_pages(material: Material) -> list[Page]:
    """The page of every target."""
    happened, scored = target_history.history(material.batches), ledger_page.versions(material)
    by_name = evidence.batches_by_name(material.ledger)
    return [
        Page(one.address, "target.html.j2", _values(material, one, happened.get((one.round, one.id), []), scored, by_name))
        for one in material.targets
    ]


def _values(
    material: Material,
    target: Target,
    happened: list[dict[str, str]],
    scored: Sequence[Mapping[str, Any]],
    by_name: Mapping[str, Batch],
) -> dict[str, Any]:
    root = "../"
    mine = {(one.account.author, one.account.id) for one in target.forecasts}
    last, best, stated = target.last, target.best, quantiles(target)
    benchmark = target.entry.benchmark if target.entry is not None else ""
    return {
        "title": words.title(material, target),
        "id": f"{target.round}/{target.id}",
        "round_name": target.round,
        "round_href": f"{root}rounds/{texts.slug(target.round)}.html",
        "benchmark_href": f"{root}{place}" if (place := material.benchmark_address(benchmark)) else "",
        "board": words.board(material, target),
        "states": count_states(one.account for one in target.forecasts),
        "void": target.void,
        "said": _said(material, target),
        "facts": _facts(material, target),
        "surprise": _surprise(target),
        "unit": words.unit(target),
        "last": words.past(last),
        "best": words.past(best),
        "asks_line": bool(target.lines),
        "charts": target_charts.charts(material, target),
        "day": str(target.day or ""),
        "observed": target.observed,
        "forecasts": [_row(material, one) for one in target.forecasts],
        "quantiles": stated
        and {
            "anchors": stated["anchors"],
            "rows": stated["rows"],
            "methods": [words.method(material, one) for one in stated["shown"]],
        },
        "months": [
            {"method": words.method(material, one), "anchor": one.anchor, "rows": by_day(one)}
            for one in target.forecasts
            if one.by_day
        ],
        "outcomes": [
            {
                "subject": subject,
                "value": found[0].value or "no outcome",
                "known_at": found[0].known_at,
                "released_on": found[0].released_on or DASH,
                "source": found[0].source,
                "entries": f"{len(found):,}",
            }
            for subject, found in sorted(target.outcomes.items())
        ],
        "history": happened,
        "versions": [row for row in scored if (row["author"], row["id"]) in mine],
        "proofs": target_history.proofs(material, target, by_name),
        "never": evidence.NEVER,
        "fitted": target_history.fitted(target),
        "cite": target_history.cite(material, target),
        "data": Path(target.address).with_suffix(".json").name,
        "moment": "proved" if material.ledger.policy.stamps else "claimed",
    }


def _said(material: Material, target: Target) -> str:
    """The answer of the primary forecast in one sentence."""
    one = target.primary
    if one is None:
        return "No primary forecast can be read: none was made, or it is sealed or redacted."
    if not one.values:
        return f"{words.method(material, one)} by {one.account.author} gives a curve, which answers for every model that binds."
    when = f", for a release on {target.day}" if isinstance(one.prediction, JointPrediction) else ""
    inner = f"80 % interval {words.interval(one, 0.1, 0.9)}" if one.at(0.1) is not None else "no 80 % interval"
    return f"{words.method(material, one)} by {one.account.author}: median {words.number(one.at(0.5))}, {inner}{when}."


def _facts(material: Material, target: Target) -> list[tuple[str, str]]:
    entry = target.entry
    if entry is None:
        return [("Target", "its line is not in the ledger any more")]
    named = {"what": "Asked", "by when": "By when", "rule": "Rule"}
    facts = [(named[name], f"{said[:1].upper()}{said[1:]}") for name, said in target_story.asked(entry)]
    source = next((one for one in material.sources if one.name == entry.resolver), None)
    if source is not None:
        facts.append(("Resolved by", f"{source.title}; licence: {source.licence}"))
    if entry.resolution is not None:
        facts.append(("Resolution", f"an outcome within {entry.resolution} of an interval is inside it"))
    if target.opened is not None:
        facts.append(
            (
                "Forecasts count until",
                f"{target.opened.deadline}; of several versions the {target.opened.revision.replace('-', ' ')}",
            )
        )
    if target.expected_by != target.last_day and not target.observed:
        facts.append(("Expected", f"a release on {target.day}, settled by {target.expected_by}"))
    return facts


def _surprise(target: Target) -> str:
    one = target.primary
    if one is None or target.entry is None or one.prediction is None:
        return ""
    day = target.day or date.fromisoformat(target.entry.opens)
    said = Said(one.account.author, one.method, one.account.primary, one.prediction)
    found = [line for line in target_story.lines(target.entry, [said], day) if line.startswith("surprise: ")]
    return found[0].removeprefix("surprise: ")


def answer(one: Forecast) -> dict[str, str]:
    """The median and the intervals of a forecast as its row prints them, in the order of the columns."""
    bands = {f"b{name[:2]}": words.interval(one, low, high) for low, high, name in words.BANDS}
    return {"median": words.number(one.at(0.5)), **bands}


def _row(material: Material, one: Forecast) -> dict[str, Any]:
    account = one.account
    return {
        **answer(one),
        "method": words.method(material, one),
        "anchor": one.anchor,
        "name": report_check.name(account.author, account.id),
        "id": account.id,
        "author": account.author,
        "author_href": f"../authors/{texts.page_name(account.author)}.html",
        "primary": "primary" if account.primary else "",
        "state": account.state,
        "reason": account.reason,
        "versions": f"{one.versions:,}",
        "frozen": f"{account.frozen:%Y-%m-%d %H:%M:%S} UTC" if account.frozen else DASH,
    }


def quantiles(target: Target) -> dict[str, Any] | None:
    """Every quantile of every forecast in the target's unit; None where no forecast states any."""
    shown = [one for one in target.forecasts if one.values]
    levels = sorted({level for one in shown for level in one.levels})
    rows = [
        {"level": f"{level:g}", "values": [DASH if (value := one.at(level)) is None else f"{value:.6g}" for one in shown]}
        for level in levels
    ]
    return {"shown": shown, "anchors": " ".join(one.anchor for one in shown), "rows": rows} if shown else None


def by_day(one: Forecast) -> list[dict[str, Any]]:
    """Some quantiles of a joint forecast by day of release, for the target's own board, the lowest first."""
    return [
        {"day": str(day), "values": [words.number(values[LEVELS.index(level)]) for level in (0.025, 0.1, 0.5, 0.9, 0.975)]}
        for day, values in one.by_day
    ]


def data_files(material: Material) -> dict[Path, bytes]:
    """One data file a target beside its page: what was asked, every forecast and score, the outcome, and what is proven.

    Matrices of joints are named by their SHA-256 and not copied; `foresaid ledger show ID --json` prints them.
    """
    read, by_name = story.read(material.batches, material.clock), evidence.batches_by_name(material.ledger)
    scores = [material.accounting.get(name, []) for name in ("versions", "crossings")]
    place = {(one.author, one.id): i for i, one in enumerate(material.accounts)}
    made = {}
    for target in material.targets:
        in_log = sorted(target.forecasts, key=lambda one: place[one.account.author, one.account.id])
        told = [story.whole(read, material.ledger, one.account, by_name, *scores) for one in in_log]
        whole = story.of_target(story.asked(read, (target.round, target.id)), told)
        body = json.dumps(whole, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        made[Path(target.address).with_suffix(".json")] = f"{body}\n".encode()
    return made


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """Every quantile of every forecast, in the unit of its target; of joints for the day they are read for."""
    rows = [
        {
            "author": one.account.author,
            "id": one.account.id,
            "round": target.round,
            "target": target.id,
            "method": one.method,
            "primary": one.account.primary,
            "state": one.account.state,
            "unit": target.entry.unit if target.entry is not None else "",
            "released_on": target.day,
            **{f"q{level:g}": one.at(level) for level in LEVELS},
        }
        for target in material.targets
        for one in target.forecasts
    ]
    text = dict.fromkeys(("author", "id", "round", "target", "method"), pl.String())
    rest = {"primary": pl.Boolean(), "state": pl.String(), "unit": pl.String(), "released_on": pl.Date()}
    numbers = dict.fromkeys((f"q{level:g}" for level in LEVELS), pl.Float64())
    return {"forecasts": pl.DataFrame(rows, schema={**text, **rest, **numbers})}
