"""Pre-training or inference: the exchange rate, halves of samples, and the real samples of seven models of one family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT

from foresaid.errors import RecordError
from foresaid.sources import _loader
from foresaid.studies.inference_compute import compute_split as work
from foresaid.studies.inference_compute import protocols, series


@pytest.mark.parametrize("ratio", work.RATIOS)
@pytest.mark.parametrize("times", [1.0, 2.0, 14.0])
def test_both_sides_spend_the_same(times: float, ratio: float) -> None:
    size, trained = 1e9, 3e11
    k, asked = work.matched_samples(times, ratio), ratio * trained
    small = 6.0 * size * trained + k * 2.0 * size * asked
    large = 6.0 * times * size * trained + 2.0 * times * size * asked

    assert small == pytest.approx(large)


def test_halves_of_the_samples_are_disjoint_and_keep_the_rate() -> None:
    counts = np.full(2000, 1000.0), np.full(2000, 100.0)
    first, second = work.halves(counts, np.random.default_rng(1))

    assert (first[1] + second[1] == counts[1]).all()
    assert first[1].mean() / 500 == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 500 / 2000))


def test_a_small_model_as_good_as_a_large_one_is_chosen_and_a_hopeless_one_is_not() -> None:
    even = np.full(50, 10_000.0), np.linspace(10.0, 500.0, 50)
    nothing = np.full(50, 10_000.0), np.zeros(50)
    found = work.splits({work.PREFIX + "12b": even, work.PREFIX + "1b": even}, 1)
    hopeless = work.splits({work.PREFIX + "12b": even, work.PREFIX + "1b": nothing}, 1)

    assert {one.size for one in found} == {"1B"}
    assert all(one.low > 0.0 for one in found)
    assert {one.size for one in hopeless} == {"12B"}


def test_the_real_family_of_seven_is_split_by_difficulty(mirror: Path) -> None:
    counts = series.solved_counts(_loader.find("pass-at-k")(series.mirror_folder(mirror, ROOT / "registry", "pass-at-k")))
    found = work.splits(counts, 1)
    easiest = [one for one in found if one.fifth == 5]

    assert len(found) == 15
    assert [one.ratio for one in easiest] == list(work.RATIOS)
    samples = [one.samples for one in easiest]
    assert samples == sorted(samples, reverse=True)  # the more is asked, the fewer samples the same compute buys
    assert all(one.low <= one.coverage - one.largest <= one.high for one in found)
    assert easiest[0].low > 0.0  # with few questions, sampling pays
    (table,) = protocols.compute_split(mirror, ROOT / "registry", 1).tables
    assert [row[2] for row in table.rows if row[2] not in work.sizes(counts)] == []


def test_one_size_alone_cannot_be_split() -> None:
    with pytest.raises(RecordError, match="expected two sizes"):
        work.sizes({work.PREFIX + "12b": (np.ones(3), np.ones(3))})
