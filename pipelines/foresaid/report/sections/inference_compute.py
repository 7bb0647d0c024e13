"""Inference compute on pages and in commands: coverage by difficulty, and the compute multiple for a gain of 0.10."""

from __future__ import annotations

from collections.abc import Mapping

from foresaid.studies.compute_returns import Reach
from foresaid.studies.inference_compute.problem_bootstrap import BINS, SHOWN, Counts, by_difficulty
from foresaid.studies.inference_compute.protocols import HeldOutBudgets
from foresaid.studies.inference_compute.series import FELL, Scored, shapes


def difficulty_lines(counts: Mapping[str, Counts]) -> list[str]:
    """Write coverage by difficulty as a table."""
    lines = [f"| fifth of the problems | {' | '.join(f'k = {k:,}' for k in SHOWN)} |", "| --- " * (1 + len(SHOWN)) + "|"]
    names = ["hardest", *[""] * (BINS - 2), "easiest"]
    for number, row in enumerate(by_difficulty(counts)):
        label = f"{number + 1} {names[number]}".strip()
        lines.append(f"| {label} | {' | '.join(f'{value:.3f}' for value in row)} |")
    return lines


def ten_point_lines(reaches: Mapping[str, Mapping[str, Reach]]) -> list[str]:
    """Write a table of series by law."""
    laws = list(reaches)
    lines = [f"| compute multiple for a gain of 0.10 | {' | '.join(laws)} |", "| --- " * (1 + len(laws)) + "|"]
    for series in sorted(set().union(*(set(found) for found in reaches.values()))):
        each = [reaches[law][series].said() if series in reaches[law] else "no fit" for law in laws]
        lines.append(f"| {series} | {' | '.join(each)} |")
    return lines


TITLES = {"ensemble_median": "ensemble (median)", "ensemble_stacked": "ensemble (stacked)"}


def markdown(methods: Mapping[str, Scored], log: bool) -> list[str]:
    """Write one table, the least WIS first."""
    error = "RMSE of ln" if log else "mean absolute error"
    lines = [
        f"| method | WIS | {error} | coverage 50 % | 80 % | 95 % | n | series |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    found = sorted(((name, scored.line(log)) for name, scored in methods.items()), key=lambda item: item[1]["wis"])
    for name, line in found:
        inside = " | ".join(f"{100 * line[level]:.0f} %" for level in ("50", "80", "95"))
        what = line["rmse"] if log else line["mae"]
        lines.append(f"| {TITLES.get(name, name)} | {line['wis']:.4f} | {what:.4f} | {inside} | {line['n']} | {line['series']} |")
    return lines


def held_out_budgets(found: HeldOutBudgets) -> list[str]:
    """Write what a protocol found: how the largest budgets compare with smaller ones, the methods, and the table of its kind."""
    ends = ", ".join(f"{count} {what}" for what, count in shapes(found.held).items())
    counted = f"{len(found.held)} series; the largest budget against the best smaller one (within {FELL:g}: level): {ends}."
    after = difficulty_lines(found.counts) if found.counts else ten_point_lines(found.reaches)
    return [counted, "", *markdown(found.methods, log=False), "", *after]
