from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from scipy.special import ndtri
from tests.studies.capability.test_model import frame

from foresaid.canonical_json import LINE_BYTES, parse_line
from foresaid.errors import RecordError
from foresaid.evaluation.joint_forecasts import of_frozen, to_frozen
from foresaid.forecasting.complete import complete, quantiles, worth_measuring
from foresaid.laws._capability_frozen import Frozen, Sibling, freeze, from_json, months, to_json
from foresaid.laws._capability_kernel import Settings, prior
from foresaid.laws._capability_model import Model, condition_on, given, joint, joint_of_release, predictive, told
from foresaid.laws._capability_rows import Benchmarks, Systems, cells, years
from foresaid.ledger.entries.schema import ForecastEntry, Training, encode, parse

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


SIBLINGS = (
    Sibling("aa", "mini", "effort=low", "one"),
    Sibling("aa", "big", "", "one"),
    Sibling("aa", "big", "effort=high", "three"),
)


def test_siblings_change_nothing_until_they_are_known_and_then_what_the_law_itself_says(model: Model, frozen: Frozen) -> None:
    """Conditioning the frozen cells is conditioning the law's own joint of the same three systems of one launch."""
    wide = from_json(to_json(freeze(model, "aa", "mini", "AA", 4.0, DAYS, 1.1, SIBLINGS)))
    np.testing.assert_allclose(
        wide.quantiles(DAYS[0], LEVELS, {"one": 0.7}), frozen.quantiles(DAYS[0], LEVELS, {"one": 0.7}), atol=1e-9
    )
    known = {SIBLINGS[0]: 0.5, SIBLINGS[2]: 0.4}

    day = DAYS[1]
    launch = Systems(
        ("x", "y", "z", "w"), ("x/a", "x/a", "x/b", "x/b"), ("AA",) * 4, ("aa",) * 4, ("mini", "mini", "big", "big"), ("x",) * 4,
        np.full(4, years(day)), np.array([4.0, 2.0, np.nan, 4.0]),
    )  # fmt: skip
    s, q = np.array([0, 0, 0, 1, 3]), np.array([0, 1, 2, *(frozen.benchmarks.names.index(name) for name in ("one", "three"))])
    live = joint(model, launch, s, q)
    z = np.array([0, 0, 0, *(live.benchmarks.to_probit(q[i : i + 1], np.array([value]))[0] for i, value in ((3, 0.5), (4, 0.4)))])
    mean, covariance = given(live, np.array([False] * 3 + [True] * 2), z, live.benchmarks.item_variance(q, z))
    mean, sd = predictive(live, mean, np.diag(covariance))
    wanted = live.benchmarks.to_share(q, mean[:, None] + 1.1 * sd[:, None] * ndtri(np.array(LEVELS))[None, :])[:3]

    np.testing.assert_allclose(wide.quantiles(day, LEVELS, {}, known), wanted, atol=1e-9)
    assert abs(wide.quantiles(day, LEVELS, {}, known) - frozen.quantiles(day, LEVELS)).max() > 0.01
    with pytest.raises(RecordError, match="found the sibling"):
        frozen.quantiles(day, LEVELS, {}, known)


def test_a_forecast_of_forty_cells_on_fourteen_days_is_one_line_of_the_ledger(model: Model) -> None:
    """Thirty benchmarks and ten siblings, more than the record has: the numbers are random, their count is what is asked."""
    rng = np.random.default_rng(5)
    cells = 40
    root = rng.normal(size=(14, cells, cells))
    names = tuple(f"epoch_benchmark_with_a_long_name_{i}" for i in range(30))
    made = Frozen(
        "gpt", "pro", 4.0, months(date(2027, 1, 1), date(2028, 2, 1)),
        Benchmarks(names, np.full(30, 0.25), np.full(30, 198.0), np.full(30, 0.9)),
        rng.normal(size=(14, cells)), root @ root.transpose(0, 2, 1) / cells, np.full(30, 0.001), 1.1,
        tuple(Sibling("gpt", "pro", f"effort={i}", names[i]) for i in range(10)),
    )  # fmt: skip
    training = Training(as_of="2026-11-20", max_known_on="2026-11-18", rows=1, bytes=1, sha256="a" * 64)
    line = encode(ForecastEntry(id="r/t/m", target="t", method="m", primary=True, prediction=of_frozen(made, training)))

    again = to_frozen(parse(parse_line(line[:-1])).prediction)  # type: ignore[union-attr, arg-type]
    assert 64 * 1024 < len(line) < LINE_BYTES / 4
    np.testing.assert_allclose(again.covariance, made.covariance, rtol=1e-11)


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
        ({"ceiling": [0.0, 1.0, 1.0]}, "a ceiling is not above"),
        ({"ceiling": [1.0]}, "do not fit the benchmarks"),
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
    slope = (found.benchmarks.ceiling - found.benchmarks.chance) * np.exp(-0.5 * found.mean**2) / np.sqrt(2 * np.pi)
    sd = 100 * slope * np.sqrt(np.diag(after) + noise)
    assert candidate.sd == pytest.approx(sd[1:].mean(), rel=1e-9)
