"""Rules over several rows catch what they are for, in planted rows and on the real record, and raise no false alarm there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from foresaid.registry import formats
from foresaid.registry import load as ingest
from foresaid.registry.checks import cross_row
from foresaid.registry.checks.rows import Known
from foresaid.registry.formats import ModelRow, ObservationRow, QuantityRow, SubjectRow

REGISTRY = Path(__file__).parents[3] / "registry"
DAY = date(2024, 5, 31)


def quantity(name: str, kind: str = "benchmark", chance: float | None = 0.25) -> QuantityRow:
    unit, upper = ("fraction", 1.0) if kind == "benchmark" else ("nats_per_token", 20.0)
    return QuantityRow(name, name, kind, unit, 0.0, upper, chance, "higher", None, "", "", "s")


def model(name: str, released: date | None = None, active: float | None = None) -> ModelRow:
    return ModelRow(
        name, "f", "o", released, "day" if released else "", "x" if released else "", None, active, None, None, "base", ""
    )


KNOWN = Known(
    {name: model(name, date(2025, 1, 1) if name == "early" else None) for name in ("a", "b", "c", "early", "acme/null-model")},
    {
        **{f"q{number}": quantity(f"q{number}") for number in range(8)},
        "loss": quantity("loss", "loss", None),
        **{name: quantity(name, "size", None) for name in ("params_total", "training_tokens", "training_flops")},
    },
)


def row(subject: str, name: str, value: float, status: str = "reported") -> ObservationRow:
    return ObservationRow(subject, name, "", DAY, value, None, None, DAY, status, "")


def vector(subject: str, *values: float) -> list[ObservationRow]:
    return [row(subject, f"q{number}", value) for number, value in enumerate(values)]


def test_the_same_numbers_under_another_name_are_flagged_and_the_name_that_was_there_first_is_not() -> None:
    values = (0.31, 0.42, 0.53, 0.64, 0.75)
    rows = [*vector("a", *values), *vector("b", *values), *vector("c", 0.32, *values[1:4], 0.76)]
    both = {flag.subject_id for flag in cross_row.copies("s", rows, KNOWN, {}, set())}
    later = {flag.subject_id for flag in cross_row.copies("s", rows, KNOWN, {}, {"a"})}

    assert ({"a", "b"}, {"b"}) == (both, later)
    assert cross_row.copies("s", rows, KNOWN, {}, set(), {"b": "a"}) == []


@pytest.mark.parametrize("values", [(0.31, 0.42, 0.53, 0.64), (0.25, 0.25, 0.25, 0.25, 0.25), (1.0, 0.0, 1.0, 0.0, 1.0)])
def test_four_equal_values_and_levels_every_model_has_are_no_copy(values: tuple[float, ...]) -> None:
    assert cross_row.copies("s", [*vector("a", *values), *vector("b", *values)], KNOWN, {}, set()) == []


def test_compute_that_does_not_fit_the_sizes_is_flagged_with_its_factor() -> None:
    sizes = [row("a", "params_total", 1e9), row("a", "training_tokens", 1e12)]

    assert cross_row.compute("s", [*sizes, row("a", "training_flops", 6e21)], KNOWN) == []
    assert cross_row.compute("s", [*sizes, row("a", "training_flops", 3e22)], KNOWN) == []
    found = cross_row.compute("s", [*sizes, row("a", "training_flops", 6e24)], KNOWN)
    assert [flag.reason for flag in found] == ["6e+24 FLOPs are 1e+03 times 6 x 1e+09 parameters x 1e+12 tokens"]


def test_active_parameters_of_a_mixture_of_experts_count() -> None:
    known = Known({"a": model("a", active=1e9)}, KNOWN.quantities)
    rows = [row("a", "params_total", 4e10), row("a", "training_tokens", 1e12), row("a", "training_flops", 6e21)]

    assert cross_row.compute("s", rows, known) == []


SIZES = np.geomspace(1e8, 1e11, 10)
CURVES = {
    "power law with an offset": 1.69 + 400 * SIZES**-0.34,
    "power law": 80 * SIZES**-0.2,
    "line in the logarithm": 5.0 - 0.1 * np.log(SIZES),
    "logistic curve": 1 / (1 + np.exp(20 - 0.9 * np.log(SIZES))),
}


@pytest.mark.parametrize("law", CURVES)
def test_a_curve_without_noise_is_called_simulated_and_the_same_curve_with_a_little_is_not(law: str) -> None:
    subjects = {f"r/{number}": SubjectRow(f"r/{number}", "run", f"r/{number}", "r", "") for number in range(10)}

    def series(noise: float) -> list[cross_row.Flag]:
        losses = CURVES[law] + noise * np.random.default_rng(0).standard_normal(10)
        rows = [row(f"r/{number}", "training_tokens", size) for number, size in enumerate(SIZES)]
        rows += [row(f"r/{number}", "loss", loss) for number, loss in enumerate(losses.tolist())]
        return cross_row.simulated("s", rows, KNOWN, subjects)

    assert len(series(0.0)) == 10
    assert f"10 points lie on a {law} of training_tokens" in series(0.0)[0].reason
    assert series(1e-5 * float(np.ptp(CURVES[law]))) == []


def test_an_adversarial_system_is_flagged_by_its_name() -> None:
    assert [one.subject_id for one in cross_row.adversarial("s", vector("acme/null-model", 0.86))] == ["acme/null-model"]
    assert cross_row.adversarial("s", vector("nullmodelling/7b", 0.5)) == []


def test_chance_corrected_scores_among_raw_ones_are_flagged() -> None:
    raw = [row(f"m{number}", "q0", 0.25 + 0.01 * number) for number in range(20)]
    mixed = [*raw, *(row(f"n{number}", "q0", 0.02) for number in range(3))]

    assert cross_row.scale("s", raw, KNOWN) == []
    assert "3 of 23 values lie below 0.4 x chance (0.25)" in cross_row.scale("s", mixed, KNOWN)[0].reason


def test_a_score_before_the_release_is_flagged() -> None:
    found = cross_row.early("s", vector("early", 0.5), KNOWN.models)

    assert found[0].reason.startswith("released 2025-01-01 by models.csv, scored here already on 2024-05-31")


def test_new_rows_become_suspect_with_the_reason_and_rows_that_stand_are_left_alone() -> None:
    values = (0.31, 0.42, 0.53, 0.64, 0.75)
    marked = cross_row.suspect(vector("b", *values), vector("a", *values), KNOWN, {})
    again = cross_row.suspect(vector("b", *values), [*vector("a", *values), *vector("b", *values)], KNOWN, {})

    assert {(item.status, item.note) for item in marked} == {
        ("suspect", "the same 5 values to the digit as a: one of the two is mislabelled, or they are one model")
    }
    assert {item.status for item in again} == {"reported"}


def test_no_sure_rule_raises_a_false_alarm_on_the_embedded_record() -> None:
    catalogue, loaded = ingest.load(REGISTRY, ["obsscaling", "gadre", "pythia", "finetune-loss", "koehn-knowles"])
    found = [
        flag
        for item in loaded
        for flag in cross_row.raised(
            item.source.name, item.observations, catalogue.known, {run.subject_id: run for run in item.subjects}
        )
    ]

    assert [flag for flag in found if flag.rule in cross_row.SURE] == []


def test_the_btlm_slip_is_within_reach_of_the_size_rule_not_of_the_compute_rule() -> None:
    # 627 T tokens and 11286e21 FLOPs agree with each other: only the ceiling of tokens shows the slip.
    rows = [row("a", "params_total", 3e9), row("a", "training_tokens", 627e12), row("a", "training_flops", 11286e21)]

    assert cross_row.compute("s", rows, KNOWN) == []
    assert formats.number("627e12") > 1e14


def test_an_error_that_stays_while_its_value_moves_beyond_it_is_stale_unless_the_items_changed() -> None:
    first = ObservationRow("a", "q1", "", DAY, 0.50, 0.0125, 1500, DAY, "reported", "")
    later = first._replace(known_on=date(2024, 9, 1), value=0.58, status="revised")

    assert [flag.subject_id for flag in cross_row.stale_errors("s", [later, first])] == ["a"]
    for same in (
        later._replace(value=0.51),  # within the error: rounding can do that
        later._replace(stderr=0.0124),
        later._replace(stderr=None),
        later._replace(n=2000),
        later._replace(status="suspect"),
    ):
        assert cross_row.stale_errors("s", [first, same]) == []


def test_the_card_of_a_model_whose_compute_is_a_thousand_times_its_size_and_tokens_is_flagged() -> None:
    row = model("a")._replace(params_total=7e9, training_tokens=2e12, training_flops=8.4e22)

    assert cross_row.sizes([row]) == []
    assert "0.001 times" in cross_row.sizes([row._replace(training_flops=8.4e19)])[0].reason
    assert "1e+03 times" in cross_row.sizes([row._replace(training_tokens=2e9)])[0].reason
