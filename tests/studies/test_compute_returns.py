"""What more compute buys: splits against the closed form, ranges, laws without a best split, and gains out of reach."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.laws.test_every_law import CASES, DAY, SEED, made

from foresaid.fitting.fit import fit
from foresaid.fitting.frozen_curve import Curve, freeze_curve, thaw_record
from foresaid.fitting.law import Law
from foresaid.laws import _loader as laws
from foresaid.laws.chinchilla import allocation
from foresaid.report.sections.compute_returns import statement
from foresaid.studies import compute_returns
from foresaid.text import number

SIZES = ("params_total", "training_tokens")


def frozen(name: str, draws: int = 12) -> tuple[Law, Curve]:
    law, table = made(name, CASES[name].noise)
    target = replace(table.target, covariates=tuple(replace(one, transform="ln") for one in table.target.covariates))
    return law, freeze_curve(law, fit(law, replace(table, target=target), SEED, draws), CASES[name].settings, DAY, SEED)


@pytest.mark.parametrize("flops", [1e18, 1e21, 1e24])
def test_the_best_split_is_that_of_the_closed_form(flops: float) -> None:
    law, curve = frozen("chinchilla")
    expected = allocation(curve.point, np.array([flops]))[0][0]
    ln_n, loss, inner = compute_returns.best_split(law, curve.point[None], flops)

    assert inner[0]
    assert np.exp(ln_n[0]) == pytest.approx(expected, rel=1e-3)  # the parabola through steps of a tenth
    beside = law.curve(curve.point, np.array([[ln_n[0] + step, np.log(flops / 6.0) - ln_n[0] - step] for step in (-0.2, 0.2)]))
    assert loss[0] <= beside.min()


def test_each_tenfold_takes_off_less_and_its_range_holds_the_fit() -> None:
    law, curve = frozen("chinchilla")
    found = compute_returns.budgets(law, curve, 1e21)
    gains = [one.gain for one in found]

    assert len(found) == 5
    assert gains == sorted(gains, reverse=True)
    assert all(one.gain_low <= one.gain <= one.gain_high for one in found)
    assert [one.loss - one.gain for one in found[:-1]] == pytest.approx([one.loss for one in found[1:]])
    assert all(6.0 * one.parameters * one.tokens == pytest.approx(one.flops) for one in found)


@pytest.mark.parametrize("name", ["product_loss", "compute_loss"])
def test_a_law_that_falls_to_one_end_of_the_line_has_no_best_split(name: str) -> None:
    law, curve = frozen(name)
    found = compute_returns.budgets(law, curve, 1e21)

    assert not any(one.inner for one in found)
    assert all(one.tokens / one.parameters == pytest.approx(20.0) for one in found)
    assert "no best split" in statement(found, "nats per token")


def test_the_statement_names_the_gain_before_at_and_after_the_largest_run() -> None:
    law, curve = frozen("over_training")
    found = compute_returns.budgets(law, curve, 1e21)
    said = statement(found, "nats per token")

    assert all(number(one.gain, 2) in said for one in found[1:4])
    assert "90 % range" in said


def test_ten_points_are_found_where_the_curve_gets_them() -> None:
    law, curve = frozen("token_line")
    largest = float(CASES["token_line"].x.min())
    reach = compute_returns.compute_for(law, curve, largest, 0.1)
    slope = curve.point[1] / np.log(10.0)  # its gain is for a tenfold

    assert np.log(reach.times) == pytest.approx(0.1 / slope, abs=np.log(compute_returns.FARTHEST) / (compute_returns.RUNGS - 1))
    assert reach.earliest <= reach.times <= reach.surely


def test_ten_points_above_a_ceiling_are_not_reachable() -> None:
    law, curve = frozen("token_logit")
    high = float(CASES["token_logit"].planted[0]) + 6.0
    reach = compute_returns.compute_for(law, curve, high, 0.1)

    assert not np.isfinite(reach.times)
    assert reach.said().startswith("not reachable")


def test_only_losses_in_both_sizes_are_surfaces() -> None:
    law = laws.law_class("chinchilla")
    _, curve = frozen("coverage")

    assert law.noise == "log"
    assert not compute_returns.is_surface(curve)


def test_a_surface_has_every_budget_and_other_laws_none() -> None:
    law, curve = frozen("chinchilla")
    sizes = [item.quantity_id for item in curve.covariates]
    rows = pl.DataFrame({"target_id": [curve.record.target_id] * 2, "kind": ["point", "point"], "x": [20.0, 21.0]})
    named = [msgspec.structs.replace(item, quantity_id=name) for item, name in zip(curve.record.covariates, SIZES, strict=True)]
    surface = msgspec.structs.replace(curve.record, covariates=named)

    assert sizes != list(SIZES)
    found = compute_returns.by_target(law, [thaw_record(surface)], rows)

    assert len(found[surface.target_id]) == 5
    assert compute_returns.by_target(law, [curve], rows) == {}
