"""What a person states becomes the target's own levels: exactly what was stated, normal stays normal, nothing leaves the scale."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.test_a_whole_life import asked, next_of

from foresaid.ledger.entries.forecasts import Quantiles
from foresaid.ledger.entries.target_rules import against
from foresaid.ledger.entries.targets import TargetEntry
from foresaid.ledger.submission.objections import ObjectionError
from foresaid.ledger.submission.stated import StatedNormal, StatedQuantiles, quantiles

RECORD = {"kind": "record_by", "by": "2027-03-31", "scope": "any", "top": 1, "record": "0.7"}


def target(rule: dict[str, Any] | None = None, **more: Any) -> TargetEntry:
    made = asked("2026-12", "x", "0" * 64, "2026-12-01", rule or next_of("acme"), **more)
    assert isinstance(made, TargetEntry)
    return made


def by_level(made: Quantiles) -> dict[str, float]:
    return {level: float(value) for level, value in zip(made.levels, made.values, strict=True)}


def test_a_normal_forecast_has_the_quantiles_of_a_normal_distribution() -> None:
    made, told = quantiles(StatedNormal("0.5", "0.1"), target(), "x")

    assert told == []
    for level, value in by_level(made).items():
        assert value == pytest.approx(NormalDist(0.5, 0.1).inv_cdf(float(level)), abs=1e-8)


def test_three_quantiles_of_a_normal_distribution_give_it_back() -> None:
    normal = NormalDist(0.5, 0.1)
    stated = StatedQuantiles({text: repr(normal.inv_cdf(float(text))) for text in ("0.1", "0.5", "0.9")})

    assert by_level(quantiles(stated, target(), "x")[0]) == pytest.approx(
        by_level(quantiles(StatedNormal("0.5", "0.1"), target(), "x")[0]), abs=1e-7
    )


values = st.lists(st.integers(0, 1000), min_size=2, max_size=9).map(sorted)


@given(values=values, seed=st.randoms(use_true_random=False))
def test_what_was_stated_stands_the_rest_rises_and_the_target_takes_it(values: list[int], seed: Any) -> None:
    one = target()
    chosen = sorted(seed.sample([level for level in one.levels if level != "0.5"], len(values)), key=float)
    if float(chosen[0]) > 0.5 or float(chosen[-1]) < 0.5:
        return
    stated = {level: f"{value / 1000}" for level, value in zip(chosen, values, strict=True)}
    made, _ = quantiles(StatedQuantiles(stated), one, "x")

    found = by_level(made)
    assert {level: found[level] for level in stated} == {level: float(value) for level, value in stated.items()}
    assert list(found.values()) == sorted(found.values())
    assert against(made, one) == []
    assert msgspec.convert(msgspec.to_builtins(made), Quantiles) == made


@given(mean=st.floats(0.7, 1.0), sd=st.floats(1e-6, 3.0))
def test_a_record_is_never_forecast_below_what_stands(mean: float, sd: float) -> None:
    one = target(RECORD)
    made, told = quantiles(StatedNormal(repr(mean), repr(sd)), one, "x")

    assert against(made, one) == []
    outside = [q for q in (NormalDist(mean, sd).inv_cdf(float(level)) for level in one.levels) if not 0.7 <= q <= 1.0]
    assert bool(told) == bool(outside)
    assert all(note.severity == "warning" for note in told)


def test_a_record_of_which_less_is_better_has_its_bound_above() -> None:
    one = target({**RECORD, "record": "0.3"}, direction="lower")
    made, _ = quantiles(StatedNormal("0.25", "0.1"), one, "x")

    assert max(map(float, made.values)) == 0.3
    with pytest.raises(ObjectionError, match="value_out_of_bounds"):
        quantiles(StatedNormal("0.4", "0.1"), one, "x")


@pytest.mark.parametrize(("text", "unit"), [("61", "percent"), ("61%", ""), (" 61 % ", ""), ("0.61", ""), ("0.61", "fraction")])
def test_per_cent_is_understood_where_it_is_said(text: str, unit: str) -> None:
    sd = "10" if unit == "percent" else "10%" if "%" in text else "0.1"
    made, _ = quantiles(StatedNormal(text, sd), target(), "x", unit)

    assert by_level(made)["0.5"] == 0.61
    assert by_level(made)["0.9"] == pytest.approx(0.61 + 0.1 * NormalDist().inv_cdf(0.9), abs=1e-8)


@pytest.mark.parametrize(
    ("stated", "unit", "code"),
    [
        (StatedNormal("high", "0.1"), "", "number_invalid"),
        (StatedNormal("nan", "0.1"), "", "number_invalid"),
        (StatedNormal("0.5", "inf"), "", "number_invalid"),
        (StatedNormal("1_0", "0.1"), "", "number_invalid"),
        (StatedNormal("", "0.1"), "", "number_invalid"),
        (StatedNormal("0.5", "0"), "", "number_invalid"),
        (StatedNormal("0.5", "-0.1"), "", "number_invalid"),
        (StatedNormal("1.5", "0.1"), "", "value_out_of_bounds"),
        (StatedNormal("61", "7"), "", "value_out_of_bounds"),
        (StatedNormal("0.5", "0.1"), "points", "unit_unknown"),
        (StatedQuantiles({}), "", "levels_one_sided"),
        (StatedQuantiles({"0.5": "0.5"}), "", "levels_one_sided"),
        (StatedQuantiles({"0.6": "0.5", "0.9": "0.6"}), "", "levels_one_sided"),
        (StatedQuantiles({"0.1": "0.6", "0.9": "0.5"}), "", "values_descend"),
        (StatedQuantiles({"10": "0.6", "90": "0.7"}), "", "level_invalid"),
        (StatedQuantiles({"0": "0.6", "0.9": "0.7"}), "", "level_invalid"),
        (StatedQuantiles({"low": "0.6", "0.9": "0.7"}), "", "level_invalid"),
        (StatedQuantiles({"0.1": "0.6", "0.10": "0.6", "0.9": "0.7"}), "", "level_invalid"),
        (StatedQuantiles({"0.1": "-0.01", "0.9": "0.7"}), "", "value_out_of_bounds"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_a_word(stated: Any, unit: str, code: str) -> None:
    with pytest.raises(ObjectionError) as caught:
        quantiles(stated, target(), "x", unit)

    assert caught.value.told.code == code
    assert caught.value.told.found
    assert caught.value.told.expected


def test_points_are_no_fraction_and_not_read_as_per_cent() -> None:
    rating = target(unit="points", min="0", max="3000", chance=None, resolution=None)

    assert by_level(quantiles(StatedNormal("1500", "50"), rating, "x")[0])["0.5"] == 1500
    with pytest.raises(ObjectionError, match="unit_unknown"):
        quantiles(StatedNormal("50%", "5%"), rating, "x")


def test_a_value_above_one_says_how_to_mean_per_cent() -> None:
    with pytest.raises(ObjectionError, match="--unit percent"):
        quantiles(StatedNormal("61", "7"), target(), "x")
