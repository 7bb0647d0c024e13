from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from tests.studies.capability.test_model import frame

from foresaid.errors import RecordError
from foresaid.forecasting.complete import complete, quantiles, worth_measuring
from foresaid.laws._capability_frozen import Frozen, freeze, from_json, months, to_json
from foresaid.laws._capability_kernel import Settings, prior
from foresaid.laws._capability_model import Model, condition_on, given, joint_of_release, told
from foresaid.laws._capability_rows import cells

LEVELS = (0.05, 0.5, 0.95)
DAYS = months(date(2025, 6, 1), date(2025, 9, 1))


@pytest.fixture(scope="module")
def model() -> Model:
    return condition_on(cells(frame()), Settings(), prior(Settings(), 3)[0])


@pytest.fixture(scope="module")
def frozen(model: Model) -> Frozen:
    return freeze(model, "aa", "mini", "AA", 4.0, DAYS, 1.1)


@pytest.mark.parametrize("known", [{}, {"one": 0.7}, {"one": 0.7, "three": 0.0}])
def test_frozen_forecast_equals_the_model_on_the_grid(model: Model, frozen: Frozen, known: dict[str, float]) -> None:
    """The file alone, read back, gives what the law with all its training rows gives."""
    again = from_json(to_json(frozen))
    for day in DAYS:
        live = quantiles(joint_of_release(model, "aa", "mini", "AA", 4.0, day), known, LEVELS, 1.1)
        np.testing.assert_allclose(again.quantiles(day, LEVELS, known), live, atol=1e-9)


def test_between_months_lies_between(model: Model, frozen: Frozen) -> None:
    live = joint_of_release(model, "aa", "mini", "AA", 4.0, date(2025, 7, 16))
    np.testing.assert_allclose(frozen.at(date(2025, 7, 16)).mean, live.mean, atol=5e-3)


def test_writing_twice_gives_the_same_bytes(frozen: Frozen) -> None:
    assert to_json(from_json(to_json(frozen))) == to_json(frozen)


def test_a_covariance_stays_positive(frozen: Frozen) -> None:
    for matrix in frozen.covariance:
        assert np.linalg.eigvalsh(matrix).min() > -1e-10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "capability/0"}, "found format 'capability/0'"),
        ({"mean": [[0.0]]}, "sizes of days"),
        ({"days": ["2025-13-01"]}, "expected JSON of format"),
        ({"noise_variance": [0.1]}, "noise_variance does not fit"),
    ],
)
def test_a_broken_file_is_refused(frozen: Frozen, change: dict[str, object], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        from_json(json.dumps(json.loads(to_json(frozen)) | change))
    with pytest.raises(RecordError, match="expected JSON"):
        from_json("{")


def test_wrong_questions_are_refused(frozen: Frozen) -> None:
    with pytest.raises(RecordError, match="found release day 2026-01-01, expected 2025-06-01 to 2025-09-01"):
        frozen.at(date(2026, 1, 1))
    with pytest.raises(RecordError, match="found benchmark four"):
        frozen.quantiles(DAYS[0], LEVELS, {"four": 0.5})
    with pytest.raises(RecordError, match=r"found 70\.0 for one"):
        frozen.quantiles(DAYS[0], LEVELS, {"one": 70.0})


def test_completion_marks_what_is_known_and_is_surer_with_more(model: Model) -> None:
    found = joint_of_release(model, "aa", "mini", "AA", 4.0, DAYS[0])
    width = []
    for known in ({}, {"one": 0.6}, {"one": 0.6, "two": 0.7}):
        table = complete(found, known, LEVELS)
        assert [row.known for row in table] == [known.get(row.benchmark) for row in table]
        z = np.array([found.benchmarks.to_probit(np.array([2]), np.array([value]))[0] for value in table[2].quantiles])
        width.append(z[2] - z[0])
    assert width[0] > width[1] > width[2]


def test_information_is_the_fall_of_entropy(model: Model) -> None:
    """Half the log ratio of the targets' covariance determinants before and after a noisy measurement, computed the long way."""
    found = joint_of_release(model, "aa", "mini", "AA", 4.0, DAYS[0])
    known = {"one": 0.6}
    mean, covariance = told(found, known)
    noise = found.noise + found.benchmarks.item_variance(found.q, mean)
    names = found.benchmarks.names
    for candidate in worth_measuring(found, known):
        j = names.index(candidate.benchmark)
        others = [i for i, name in enumerate(names) if name not in ("one", candidate.benchmark)]
        before = covariance[np.ix_(others, others)]
        after = before - np.outer(covariance[others, j], covariance[others, j]) / (covariance[j, j] + noise[j])
        fall = 0.5 * (np.linalg.slogdet(before)[1] - np.linalg.slogdet(after)[1])
        assert candidate.information == pytest.approx(fall, rel=1e-8)


def test_what_is_measured_next_is_ranked_and_priced(model: Model) -> None:
    found = joint_of_release(model, "aa", "mini", "AA", 4.0, DAYS[0])
    ranked = worth_measuring(found, {}, targets=["three"], cost={"one": 2.0, "two": 4.0})
    assert {candidate.benchmark for candidate in ranked} == {"one", "two"}
    assert ranked[0].information >= ranked[1].information > 0
    for candidate in ranked:
        assert candidate.per_cost == candidate.information / {"one": 2.0, "two": 4.0}[candidate.benchmark]
    with pytest.raises(RecordError, match="targets: found four"):
        worth_measuring(found, {}, targets=["four"])


def test_sd_after_measuring_is_that_of_the_conditioned_joint(model: Model) -> None:
    found = joint_of_release(model, "aa", "mini", "AA", 4.0, DAYS[0])
    candidate = next(one for one in worth_measuring(found, {}) if one.benchmark == "one")
    _, after = given(found, np.array([True, False, False]), found.mean, found.benchmarks.item_variance(found.q, found.mean))
    noise = found.noise + found.benchmarks.item_variance(found.q, found.mean)
    slope = (1 - found.benchmarks.chance) * np.exp(-0.5 * found.mean**2) / np.sqrt(2 * np.pi)
    sd = 100 * slope * np.sqrt(np.diag(after) + noise)
    assert candidate.sd == pytest.approx(sd[1:].mean(), rel=1e-9)
