"""Splits: what is held out is held out, by scale and by release."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foresaid.errors import LeakError
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.forecasting.splits import Split, check, first_published, split_by_release, split_by_scale
from foresaid.registry.view import View


def table(x: list[float], progress: int = 1, **other: Any) -> TrainingTable:
    n = len(x)
    target = Target("t", "T", "q", (Covariate("c"),), 0.25, 0.75, 0.0, 1.0, "s", progress=progress)
    rows = {
        "subjects": tuple(f"m{i}" for i in range(n)),
        "clusters": tuple(f"f{i}" for i in range(n)),
        "released_on": tuple([date(2024, 1, 1)] * n),
        "known_on": tuple([date(2024, 2, 1)] * n),
        **other,
    }
    return TrainingTable(target, x=np.array(x)[:, None], y=np.linspace(0, 1, n), **rows)


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=20, unique=True), st.sampled_from([1, -1]), st.floats(0.05, 0.6))
def test_every_held_out_run_lies_beyond_every_training_run(x: list[float], progress: int, share: float) -> None:
    split = split_by_scale(rows := table(x, progress), progress * rows.x[:, 0], share)

    assert split.train.n + split.test.n == len(x)
    assert split.test.n == max(1, int(share * len(x)))
    assert (progress * split.test.x).min() >= (progress * split.train.x).max()
    assert (split.distance >= 0).all()


def test_a_wanted_subject_never_trains_whatever_its_place() -> None:
    rows = table([1.0, 2.0, 3.0])

    split = split_by_release(rows, rows, frozenset({"m0"}))

    assert (split.train.subjects, split.test.subjects) == (("m1", "m2"), ("m0",))


AS_OF = date(2024, 5, 31)


def test_a_training_row_known_later_is_refused_by_name() -> None:
    train = table([1.0, 2.0], known_on=(date(2024, 2, 1), date(2024, 6, 1)))
    test = table([3.0], subjects=("new",), released_on=(date(2024, 7, 1),))

    with pytest.raises(LeakError, match=r"m1.*known on 2024-06-01"):
        check(Split(train, test, np.zeros(1)), AS_OF, by_date=True)


def test_a_target_released_before_the_day_is_refused_by_name() -> None:
    test = table([3.0], subjects=("old",), released_on=(date(2024, 5, 1),))

    with pytest.raises(LeakError, match=r"old.*released on 2024-05-01"):
        check(Split(table([1.0]), test, np.zeros(1)), AS_OF, by_date=True)


def test_the_outcome_is_the_first_value_published() -> None:
    published = View(
        date(2024, 10, 1),
        pl.DataFrame(
            {
                "subject_id": ["m0"],
                "quantity_id": ["q"],
                "setting": [""],
                "source_id": ["s"],
                "value": [0.4],
                "known_on": [date(2024, 9, 1)],
            }
        ),
        {},
    )

    rows = first_published(table([1.0, 2.0]), published)

    assert rows.subjects == ("m0",)
    np.testing.assert_allclose(rows.target.offset + rows.target.span * rows.y, [0.4])
