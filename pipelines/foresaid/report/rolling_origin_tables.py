"""The tables of the rolling origins as a person reads them: in a terminal, on the page and in the documents, by one spelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from foresaid.evaluation.modes import TITLES
from foresaid.evaluation.rolling_recalibration import CENTRE, PLAIN, WIDTH
from foresaid.forecasting.methods import METHODS
from foresaid.text import DASH, columns, number, signed

HEAD = (
    "method", "mode", "told", "months", "n", "releases", "makers", "WIS", "bias", "coverage 50 %", "80 %", "95 %", "reference",
    "relative WIS to the reference (95 % by release)", "95 % by maker", "no forecast", "best baseline in hindsight",
    "WIS, width learned", "its coverage 80 %", "WIS, centre learned", "its coverage 80 %", "verdict",
)  # fmt: skip
LEFT = (0, 1, 2, HEAD.index("reference"), HEAD.index("best baseline in hindsight"), len(HEAD) - 1)


def tables(found: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The rows of by_horizon, board by board: what a table is about, and its rows by horizon and WIS.

    Each row carries, as `after`, the same method's rows with the widths and the centres that earlier origins taught.
    """
    keys = ("mode", "unit", "board")
    order: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    after: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in found["by_horizon"]:
        same = (*(row[key] for key in keys), row["horizon"], row["law"])
        after.setdefault(same, {})[row["recalibration"]] = row
    for row in found["by_horizon"]:
        if row["recalibration"] == PLAIN:
            about = tuple(row[key] for key in keys)
            order.setdefault(about, []).append({**row, "after": after[*about, row["horizon"], row["law"]]})
    for about, rows in order.items():
        yield dict(zip(keys, about, strict=True)), sorted(rows, key=_place)


def _place(row: dict[str, Any]) -> tuple[int, float, str]:
    return row["horizon"], float("inf") if row["pairwise_relative_wis"] is None else row["pairwise_relative_wis"], row["law"]


def caption(about: dict[str, Any]) -> str:
    """What a table is about, in one line; the mode comes first."""
    return f"{TITLES[about['mode']].capitalize()}: {about['board']}, {about['unit']}"


def share(value: float | None) -> str:
    """A coverage in whole per cent."""
    return DASH if value is None else f"{100 * value:.0f}"


def title(name: str | None) -> str:
    """What a method is called where no page can ask its law."""
    return DASH if name is None else METHODS[name].title if name in METHODS else name.replace("_", " ")


def _bounds(row: dict[str, Any], ends: str = "") -> str:
    lower, upper = row[f"{ends}lower_95"], row[f"{ends}upper_95"]
    return "" if lower is None else f"{lower:.2f} to " + ("any" if upper is None else f"{upper:.2f}")


def ratio(row: dict[str, Any]) -> str:
    """The claim: ratio to the reference on all rows asked, its 95 % interval by release, and the number of rows."""
    if row["relative_wis"] is None:
        return DASH
    bounds = _bounds(row)
    return f"{row['relative_wis']:.2f}{f' ({bounds})' if bounds else ''} on {row['n_claim']:,}"


def best(row: dict[str, Any]) -> str:
    """The baseline that turned out best on the table, and the ratio to it on common rows; it carries no test."""
    if row["relative_wis_best"] is None:
        return DASH
    return f"{title(row['best_baseline'])}: {row['relative_wis_best']:.2f} on {row['n_best']:,}"


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One row, spelt; the columns of HEAD."""
    counts = (f"{row['n']:,}", f"{row['n_releases']:,}", f"{row['n_makers']:,}")
    shares = (share(row[f"coverage_{level}"]) for level in (50, 80, 95))
    no_forecast = DASH if row["n_no_forecast"] is None else f"{row['n_no_forecast']:,}"
    claim = (title(row["reference"]), ratio(row), _bounds(row, "maker_") or DASH, no_forecast, best(row))
    none = {"wis": None, "coverage_80": None}
    after = [row["after"].get(how, none) for how in (WIDTH, CENTRE)]
    learned = [spelt for one in after for spelt in (number(one["wis"]), share(one["coverage_80"]))]
    about = (title(row["law"]), TITLES[row["mode"]], row["told"], str(row["horizon"]))
    return (*about, *counts, number(row["wis"]), signed(row["bias"]), *shares, *claim, *learned, row["verdict"] or DASH)


def sums(found: dict[str, Any]) -> list[str]:
    """For each mode and method the sum that has to come out: every forecast asked for was scored or made no forecast."""
    said = []
    for row in found["accounts"]:
        why = ", ".join(f"{count} {status}" for status, count in row["reasons"].items())
        counts = f"{row['asked']:,} forecasts = {row['scored']:,} scored + {row['no_forecast']:,} without a forecast"
        said.append(f"{TITLES[row['mode']]}, {row['law']}: {counts}" + (f" ({why})" if why else ""))
    return said


def lines(found: dict[str, Any]) -> list[str]:
    """All tables for a terminal, and the sums."""
    said: list[str] = []
    for about, rows in tables(found):
        said += [caption(about), *columns([HEAD, *map(cells, rows)], LEFT), ""]
    return said + sums(found)
