"""The figures that docs/results-evaluation.md repeats from reports/metrics: `python -m tests.documented_figures` writes them anew.

Between a pair of marks the document holds what this module makes of the metrics files and nothing else; a test fails where the two
differ. After the stages have run anew one call brings the document to the present. What stood there before a change of the
judging is typed, since no file holds it any more. A figure that an older metrics file does not have is UNKNOWN: it is not compared,
and nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from foresaid.evaluation.modes import KNOWN, RELEASED
from foresaid.forecasting.methods import METHODS, told
from foresaid.text import number, signed

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results-evaluation.md"
YEAR, SHARES, UNKNOWN = "12 months", "all boards, fraction", "?"
Cell = Mapping[str, Any]


def metrics(name: str, root: Path) -> Any:
    """One metrics file, read."""
    return json.loads((root / "reports" / "metrics" / f"{name}.json").read_text(encoding="utf-8"))


def _title(name: str) -> str:
    """A method as the document calls it, within a sentence."""
    words = METHODS[name].title
    return words[0].lower() + words[1:]


def _two(value: float | None) -> str:
    """A ratio as the document spells it: two decimals, no zero before the point.

    >>> _two(0.4), _two(1.171), _two(None)
    ('.40', '1.17', '?')
    """
    return UNKNOWN if value is None else f"{value:.2f}".removeprefix("0")


def _interval(cell: Cell, ends: str = "") -> str:
    lower, upper = cell.get(f"{ends}lower_95"), cell.get(f"{ends}upper_95")
    return "" if lower is None else f"{_two(lower)} to " + ("any" if upper is None else _two(upper))


def _ratio(cell: Cell) -> str:
    """Ratio, with its interval by release and by maker where there are releases enough."""
    said = _two(cell["relative_wis"])
    if "claim_releases" not in cell:
        return f"{said}{UNKNOWN}"
    return f"{said} ({_interval(cell)}; {_interval(cell, 'maker_') or 'too few makers'})" if _interval(cell) else said


def _best(cell: Cell, law: str) -> str:
    if cell["best_baseline"] == law:
        return "itself"
    return f"{_title(cell['best_baseline'])}: {_two(cell.get('relative_wis_best'))}"


def _told(law: str) -> str:
    return told(law)


def year(mode: str, root: Path) -> str:
    """The table of one mode at twelve months: a row a board, unit and law that has a verdict, all boards first."""
    lines = [
        "| board, unit | law | told | reference | n | releases, makers | relative WIS (95 % by release; by maker) | "
        "best baseline in hindsight | bias | 80 % hold | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for board, laws in sorted(metrics("rolling", root)[mode].items(), key=lambda item: (not item[0].startswith("all"), item[0])):
        for law, horizons in sorted(laws.items()):
            cell = horizons.get(YEAR, {})
            if "verdict" in cell:
                none = f", {cell['n_no_forecast']:,} declined" if cell["n_no_forecast"] else ""
                rests = f"{cell.get('claim_releases', UNKNOWN)}, {cell.get('claim_makers', UNKNOWN)}"
                bias = signed(cell["bias"], 2) if "bias" in cell else UNKNOWN
                row = (
                    board, _title(law), _told(law), _title(cell["reference"]), f"{cell.get('n_claim', UNKNOWN)}{none}", rests,
                    _ratio(cell), _best(cell, law), bias, f"{100 * cell['coverage_80']:.0f}", cell["verdict"],
                )  # fmt: skip
                lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def recalibrations(root: Path) -> str:
    """What widths and centres learned from earlier origins did, on all rows of a board."""
    lines = [
        "| mode, board, unit | method | width: relative WIS, 80 % hold | centre: relative WIS, bias before and after, 80 % hold |",
        "| --- | --- | --- | --- |",
    ]
    for mode, words in ((KNOWN, "known on the day"), (RELEASED, "by release date")):
        for board, laws in sorted(metrics("rolling", root)[mode].items()):
            for law, horizons in sorted(laws.items()):
                found = horizons.get("recalibrated", {})
                if set(found) == {"width", "centre"} and found["width"]["lower_95"] is not None:
                    said = []
                    for how in ("width", "centre"):
                        one = found[how]
                        moved = f", {signed(one['bias_before'], 2)} to {signed(one['bias'], 2)}" if how == "centre" else ""
                        hold = f"{100 * one['coverage_80_before']:.0f} to {100 * one['coverage_80']:.0f}"
                        said.append(f"{_two(one['relative_wis'])} ({_interval(one)}){moved}, {hold}")
                    lines.append(f"| {words}, {board} | {_title(law)} | {said[0]} | {said[1]} |")
    return "\n".join(lines if len(lines) > 2 else [UNKNOWN])


def _claim(root: Path, mode: str, board: str, law: str) -> str:
    """One claim of the rolling origins in words: ratio, reference, interval by release, verdict, what it rests on."""
    cell = metrics("rolling", root)[mode][board][law][YEAR]
    known = "claim_releases" in cell
    interval = (f" ({_interval(cell)})" if _interval(cell) else "") if known else UNKNOWN
    rests = f"{cell['claim_releases']} releases of {cell['claim_makers']} makers" if known else UNKNOWN
    return f"{_two(cell['relative_wis'])} of {_title(cell['reference'])}{interval}, {cell['verdict']}, {rests}"


def _beside(root: Path, mode: str, board: str, law: str) -> str:
    cell = metrics("rolling", root)[mode][board][law][YEAR]
    return f"{_two(cell.get('relative_wis_best'))} of {_title(cell['best_baseline'])}, best in hindsight"


def _case(root: Path, law: str, case: str) -> Cell:
    """One claim of a case, with its calibration."""
    tables = metrics("score", root)
    one, held = (
        next(row for row in tables[name] if (row["case"], row["law"]) == (case, law) and row["evidence"] == "hindcast")
        for name in ("claims", "calibrated")
    )
    return {**one, "held": held}


def _case_claim(root: Path, law: str, case: str) -> str:
    cell = _case(root, law, case)
    interval = f" ({_interval(cell)})" if _interval(cell) else ""
    rests = f"{cell['n_releases']} releases of {cell['n_makers']} makers"
    return f"{_two(cell['relative_wis'])} of {_title(cell['reference'])}{interval}, {cell['verdict']}, {rests}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def headlines(root: Path) -> str:
    """Every headline number that changed: what it was, typed, and what it is now, with the reason."""
    first, listed, cutoff = "obsscaling-2024-05", "obsscaling-2024-05-listed", "obsscaling-2024-05-cutoff"
    observed = _case(root, "observational", first)
    verdicts = [row["verdict"] for row in metrics("score", root)["claims"]]
    counted = "; ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts)))
    mean = next(
        row
        for row in metrics("score", root)["summary"]
        if (row["case"], row["law"], row["evidence"]) == (first, "observational", "hindcast")
    )

    def claim(mode: str, board: str, law: str) -> str:
        return _claim(root, mode, board, law)

    rows = [
        ("known on the day, shares: observational law", ".34 of growth (.17 to .44), \"better\", 13 releases",
         claim(KNOWN, SHARES, "observational"), "told the same scores; sizes of one launch are one release"),
        ("known on the day, shares: median ensemble", ".58 of growth (.37 to .71), \"better\"",
         claim(KNOWN, SHARES, "ensemble_median"), "reference of what its laws are told"),
        ("known on the day, shares: growth in time", "was the best baseline itself",
         claim(KNOWN, SHARES, "growth"), "reference named before"),
        ("known on the day, shares: ability law", ".67 of growth on 26 rows, 4 releases",
         f"{claim(KNOWN, SHARES, 'ability')}; {_beside(root, KNOWN, 'epoch-hub, fraction', 'ability')} on the hub",
         "six downloads of the hub, every month"),
        ("known on the day, index of Epoch's hub: growth in time", ".44 of best so far (.25 to .90), no difference shown",
         claim(KNOWN, "epoch-hub, points", "growth"), "intervals changed (results-intervals.md)"),
        ("known on the day, LMArena: growth in time", "1.17 of best so far (1.10 to 1.26), worse",
         claim(KNOWN, "lmarena, points", "growth"), "same reference, every month in the pipeline too"),
        ("by release date, shares: observational law", ".40 of growth (.36 to .47)",
         f"{claim(RELEASED, SHARES, 'observational')}; {_beside(root, RELEASED, SHARES, 'observational')}",
         "told the same; intervals changed (results-intervals.md)"),
        ("by release date, shares: ability law", ".86 of growth (.79 to .94)",
         f"{claim(RELEASED, SHARES, 'ability')}; {_beside(root, RELEASED, SHARES, 'ability')}", "told the same"),
        ("by release date, shares: stacked ensemble", ".53 of growth (.49 to .58)",
         f"{claim(RELEASED, SHARES, 'ensemble_stacked')}; {_beside(root, RELEASED, SHARES, 'ensemble_stacked')}", "reference"),
        ("by release date, shares: size sigmoid", "1.27 of growth, \"worse\"",
         claim(RELEASED, SHARES, "size_sigmoid"), "reference"),
        ("2024 test, observational law: mean absolute error", ".0338 on 98 scores of 13 models",
         f"{number(mean['mae'])} on {mean['n']} scores of {mean['n_releases']} releases", "all sizes of a launch are one release"),
        ("2024 test, observational law: WIS", ".22 of best so far, \"better, p < .001\"",
         _case_claim(root, "observational", first), "told the same scores; releases counted"),
        ("2024 test, observational law: coverage of the 80 % intervals", "79.6 %",
         _share(observed["held"]["coverage_80"]), "hits at the resolution gave 85.7 %; then intervals changed"),
        ("the same, 95 %", "86.7 %", _share(observed["held"]["coverage_95"]), "the same"),
        ("calibration of the observational law, 2024 test", "\"forecasts too low\"",
         f"{observed['held']['verdict']} ({observed['held']['n_releases']} releases)", "releases counted"),
        ("the same with compute cut-offs", ".20 of best so far",
         f"{_case_claim(root, 'observational', cutoff)}; {_two(_case(root, 'observational', cutoff)['relative_wis_best'])} of "
         f"{_title(_case(root, 'observational', cutoff)['best_baseline'])}, best in hindsight", "extrapolation is the law's merit"),
        ("the listed models, observational law", "\"better\" (20 models)",
         _case_claim(root, "observational", listed), "releases and makers counted"),
        ("the listed models, coverage of the 80 % intervals", "90.5 %",
         _share(_case(root, "observational", listed)["held"]["coverage_80"]), "binomial floor"),
        ("vote of five samples, uplift law", ".10 of best so far, too few",
         _case_claim(root, "uplift", "obsscaling-2024-05-vote"), "it is told a score of the very model"),
        ("verdicts of the cases", "29 better, 3 worse, 4 none shown, 46 too few", counted,
         "one verdict a law against its reference"),
    ]  # fmt: skip
    lines = ["| number | before | now | why |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


BLOCKS: dict[str, Callable[[Path], str]] = {
    "known on the day": lambda root: year(KNOWN, root),
    "by release date": lambda root: year(RELEASED, root),
    "recalibrations": recalibrations,
    "headline numbers": headlines,
}


def marks(name: str) -> tuple[str, str]:
    """The comments between which a block of the document stands."""
    return f"<!-- figures: {name} -->\n", f"\n<!-- end of figures: {name} -->"


def written(page: str, name: str) -> str:
    """What the document says between the marks of a block."""
    begin, end = marks(name)
    return page.split(begin)[1].split(end)[0]


def main() -> None:
    """Write every block of the document from the metrics files."""
    page = PAGE.read_text(encoding="utf-8")
    for name, make in BLOCKS.items():
        made = make(ROOT)
        if UNKNOWN in made:
            raise SystemExit(
                f'reports/metrics: found no intervals or biases for "{name}", expected those of `foresaid hindcast` now; run it'
            )
        begin, end = marks(name)
        page = begin.join([page.split(begin)[0], made + end + page.split(end)[1]])
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
