from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtr
from sklearn.linear_model import LinearRegression

from foresaid.forecasting import informed_baselines as baselines
from foresaid.forecasting.baseline_rows import rows_of
from foresaid.forecasting.informed_baselines import points
from foresaid.laws._capability_rows import SCHEMA, cells


def cell(system: str, line: str, tier: str, effort: float | None, day: str, benchmark: str, z: float) -> tuple[object, ...]:
    """One cell whose share has the probit `z`."""
    when = date.fromisoformat(day)
    return (
        system,
        system.split("_")[0],
        line.upper(),
        line,
        tier,
        effort,
        f"{line}@{day}",
        when,
        benchmark,
        float(ndtr(z)),
        0.0,
        None,
        when,
    )


def table(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


KNOWN = table(
    cell("old", "a", "mini", None, "2023-01-01", "x", -1.0),
    cell("mid_low", "a", "mini", 2.0, "2024-06-01", "x", -0.5),
    cell("mid_high", "a", "mini", 4.0, "2024-06-01", "x", 0.1),
    cell("mid_high", "a", "mini", 4.0, "2024-06-01", "y", 0.5),
    cell("plain", "a", "", None, "2023-03-01", "x", -0.2),
    cell("plain", "a", "", None, "2023-03-01", "y", 0.0),
    cell("other", "b", "mini", None, "2024-09-01", "x", 0.8),
    cell("other", "b", "mini", None, "2024-09-01", "y", 1.2),
    cell("third", "c", "", None, "2024-10-01", "x", 0.4),
    cell("third", "c", "", None, "2024-10-01", "y", 0.8),
)
ASKED = table(
    cell("new_high", "a", "mini", 5.0, "2025-01-01", "x", 0.6),
    cell("new_high", "a", "mini", 5.0, "2025-01-01", "y", 1.1),
    cell("plain2", "a", "", None, "2025-01-01", "x", 0.0),
    cell("plain2", "a", "", None, "2025-01-01", "y", 1.0),
)


def found() -> dict[tuple[str, str, str], float]:
    out = points(KNOWN, ASKED, ASKED, cells(KNOWN).benchmarks)
    return {(system, benchmark, method): value for system, benchmark, method, value, _ in out.iter_rows()}


def test_the_six_that_know_nothing_of_the_release() -> None:
    value = found()
    recent = np.mean([-1.0, -0.5, 0.1, -0.2, 0.8, 0.4])
    assert value["new_high", "x", "last of line and tier"] == pytest.approx(0.1)  # newest day, nearest effort
    assert value["new_high", "x", "last of maker"] == pytest.approx(0.1)
    assert value["new_high", "x", "recent mean"] == pytest.approx(recent)
    assert value["new_high", "x", "best so far"] == pytest.approx(0.8)
    days = np.array(
        [
            date.fromisoformat(day).toordinal()
            for day in ("2023-01-01", "2024-06-01", "2024-06-01", "2023-03-01", "2024-09-01", "2024-10-01")
        ]
    )
    line = LinearRegression().fit(days[:, None], np.array([-1.0, -0.5, 0.1, -0.2, 0.8, 0.4]))
    assert value["new_high", "x", "average trend"] == pytest.approx(line.predict([[date(2025, 1, 1).toordinal()]])[0])
    records = LinearRegression().fit(days[[0, 3, 2, 4]][:, None], np.array([-1.0, -0.2, 0.1, 0.8]))
    assert value["new_high", "x", "frontier trend"] == pytest.approx(records.predict([[date(2025, 1, 1).toordinal()]])[0])


def test_n1_moves_the_last_value_by_half_of_one_surprise() -> None:
    value = found()
    assert value["new_high", "x", "N1 shifted last"] == pytest.approx(0.1 + (1.1 - 0.5) / 2)
    assert value["new_high", "y", "N1 shifted last"] == pytest.approx(0.5 + (0.6 - 0.1) / 2)


def test_n1_with_a_limit_forgets_a_value_older_than_a_year() -> None:
    value = found()
    recent_x, recent_y = np.mean([-1.0, -0.5, 0.1, -0.2, 0.8, 0.4]), np.mean([0.5, 0.0, 1.2, 0.8])
    assert value["plain2", "x", "N1 shifted last"] == pytest.approx(-0.2 + (1.0 - 0.0) / 2)
    assert value["plain2", "x", "N1 shifted last, one year"] == pytest.approx(recent_x + (1.0 - recent_y) / 2)


def test_n2_takes_the_value_of_the_nearest_known_system() -> None:
    value = found()
    assert value["new_high", "x", "N2 nearest known model"] == pytest.approx(0.8)  # its y, 1.1, is nearest to 1.2
    assert value["plain2", "y", "N2 nearest known model"] == pytest.approx(0.5)  # its x, 0.0, is nearest to 0.1


def test_n3_is_a_ridge_with_penalty_one() -> None:
    """Closed form: slope = sum x z / (sum x^2 + 1) on the standardised input, through the means."""
    inputs, outputs = np.array([0.5, 0.0, 1.2, 0.8]), np.array([0.1, -0.2, 0.8, 0.4])
    x = (inputs - inputs.mean()) / inputs.std()
    slope = x @ (outputs - outputs.mean()) / (x @ x + 1.0)
    expected = outputs.mean() + slope * (1.1 - inputs.mean()) / inputs.std()
    assert found()["new_high", "x", "N3 ridge on others"] == pytest.approx(expected)


def test_n4_is_a_straight_line_in_the_other_benchmark() -> None:
    value = found()
    inputs, outputs = np.array([0.5, 0.0, 1.2, 0.8]), np.array([0.1, -0.2, 0.8, 0.4])
    line = LinearRegression().fit(inputs[:, None], outputs)
    assert value["new_high", "x", "N4 sigmoid of mean"] == pytest.approx(line.predict([[1.1]])[0])


def test_a_baseline_never_sees_the_asked_benchmark_of_the_release() -> None:
    """Change an outcome: no forecast of that benchmark in that release may move."""
    first = points(KNOWN, ASKED, ASKED, cells(KNOWN).benchmarks)
    moved = ASKED.with_columns(
        pl.when(pl.col("benchmark") == "x").then(pl.col("value") * 0.5).otherwise(pl.col("value")).alias("value")
    )
    second = points(KNOWN, moved, moved, cells(KNOWN).benchmarks)
    on_x = pl.col("benchmark") == "x"
    assert first.filter(on_x)["point"].to_list() == second.filter(on_x)["point"].to_list()
    informed = pl.col("method") == "N1 shifted last"
    assert first.filter(~on_x & informed)["point"].to_list() != second.filter(~on_x & informed)["point"].to_list()


def test_intervals_are_of_own_errors_and_pooled_below_a_dozen() -> None:
    errors = np.array([0.1] * 12 + [1.0] * 30)
    own = np.arange(42) < 12
    assert baselines.error_quantiles(errors, own, [0.05, 0.5, 0.95]).tolist() == pytest.approx([-0.1, 0.0, 0.1])
    wide = baselines.error_quantiles(errors, np.arange(42) < 11, [0.05, 0.5, 0.95])
    assert wide.tolist() == pytest.approx([-1.0, 0.0, 1.0])
    assert baselines.error_quantiles(np.empty(0), np.empty(0, dtype=bool), [0.5]).tolist() == [0.0]


def test_rows_of_nothing_is_nothing() -> None:
    assert rows_of(KNOWN.head(0), cells(KNOWN).benchmarks).n == 0
