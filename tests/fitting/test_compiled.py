"""The compiled engine's parts: the same numbers as NumPy's, on every processor, compiled once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT
from tests.fitting.test_least_squares import COMPILED
from tests.laws.test_every_law import CASES, made

from foresaid.arrays import Array, aligned
from foresaid.fitting import _compiled, _elementary, _jit, _lanes, least_squares
from foresaid.fitting.fit import problem_for, random_starts
from foresaid.fitting.law import Law
from foresaid.laws import _loader as laws

SHORT = """
import sys
import numpy as np
from foresaid.fitting import _jit
sys.path.insert(0, {folder!r})
import tiny
f, J = np.empty(8), np.empty((1, 8))
_jit.compiled(tiny.columns)(np.array([0.3]), np.empty(0), np.linspace(-3, 3, 8)[None].copy(), f, J)
print(f.tobytes().hex())
"""
TINY = """
from foresaid.fitting._elementary import exp, log

def columns(p, c, x, f, J):
    for i in range(f.size):
        f[i] = exp(p[0] * x[0, i]) * log(x[0, i] + 4.0)
        J[0, i] = f[i] * x[0, i]
"""


@given(st.floats(-700, 700))
def test_the_exponential_is_the_librarys_to_the_last_digits(x: float) -> None:
    # Two units in the last place, one of which may be the library's own.
    assert _elementary.exp(x) == pytest.approx(float(np.exp(x)), rel=5e-16)


@given(st.floats(1e-300, 1e300))
def test_the_logarithm_is_the_librarys_to_the_last_digits(x: float) -> None:
    assert _elementary.log(x) == pytest.approx(float(np.log(x)), rel=5e-16, abs=5e-16)


def test_outside_its_range_the_exponential_stays_finite() -> None:
    assert 0.0 < _elementary.exp(-1e9) < 1e-300
    assert 1e300 < _elementary.exp(1e9) < np.inf


def evaluated(law: Law, point: Array, x: Array) -> tuple[Array, Array]:
    """Return the compiled curve and Jacobian at one point."""
    f, J = np.empty(len(x)), np.empty((len(point), len(x)))
    _jit.compiled(law.kernel)(point, law.constants(), np.ascontiguousarray(x.T), f, J)
    return f, J.T


@COMPILED
def test_the_columns_say_the_curve_and_its_derivative(name: str) -> None:
    law, table = made(name)
    features = law.design(table.x, np.ones((1, table.n))).features
    x = features[0] if features.ndim == 3 else features
    parameters = law.parameters(table.target, law.features(table.x.shape[1]))
    rng = np.random.default_rng(6)
    for _ in range(20):
        point = np.array([one.starts[0] + (one.starts[1] - one.starts[0]) * rng.random() for one in parameters])
        f, J = evaluated(law, point, x)

        # The same arithmetic in another order: some ten rounding errors of the largest number in play.
        np.testing.assert_allclose(f, law.curve(point, x), rtol=1e-12, atol=1e-14)
        slope = law.jacobian(point, x)
        np.testing.assert_allclose(J, slope, rtol=1e-9, atol=1e-13 * max(1.0, float(np.abs(slope).max())))


def test_a_subclass_with_a_curve_of_its_own_does_not_inherit_another_curves_kernel() -> None:
    kind = laws.law_class("compute_sigmoid")
    other = type("Other", (kind,), {"curve": lambda self, parameters, x: parameters[..., :1] + 0.0 * x[..., 0]})

    assert kind(**CASES["compute_sigmoid"].settings).kernel is not None
    assert other(**CASES["compute_sigmoid"].settings).kernel is None


def test_the_four_lanes_of_a_sum_are_the_reference() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(3, 48)), rng.normal(size=(2, 48))
    vector = _jit.four_lanes()
    compiled = numba.njit(lambda a, i, b, j: vector(a, i, b, j))

    assert [compiled(a, i, b, j) for i in range(3) for j in range(2)] == [
        _lanes.dot(a, i, b, j) for i in range(3) for j in range(2)
    ]


@pytest.mark.parametrize("name", ["direct_power", "broken", "growth"])
@pytest.mark.parametrize("count", [7, 16, 17, 33])
def test_the_rows_that_fill_up_weigh_nothing(name: str, count: int) -> None:
    law, table = made(name)
    x, y = np.resize(table.x, (count, table.x.shape[1])), np.resize(table.y, count)
    parameters = law.parameters(table.target, law.features(x.shape[1]))
    problem = problem_for(law, law.design(x, np.ones((1, count))), y, parameters)
    weights = np.ones((1, count))

    found = _compiled.solve(problem, weights, random_starts(parameters, 5, np.random.default_rng(2)))

    p = found.parameters[0]
    centre = np.zeros(p.shape[1]) if problem.prior_centre is None else problem.prior_centre
    residual = least_squares._residuals(problem, p, problem.x)
    np.testing.assert_allclose(
        found.objective[0], least_squares._loss(problem, p, residual, weights, centre), rtol=1e-9, atol=1e-24
    )


@pytest.mark.parametrize("without", [[0, 1, 5], [37, 38, 39], [0, 39], list(range(39)), list(range(1, 40))])
def test_a_row_of_weight_zero_is_as_if_it_were_not_there(without: list[int]) -> None:
    law, table = made("loss_threshold", 0.01)
    parameters = law.parameters(table.target, 1)
    starts = random_starts(parameters, 5, np.random.default_rng(2))
    weights = np.ones((1, 40))
    weights[0, without] = 0.0
    left = np.flatnonzero(weights[0])

    found = _compiled.solve(problem_for(law, law.design(table.x, weights), table.y, parameters), weights, starts)

    short = problem_for(law, law.design(table.x[left], weights[:, left]), table.y[left], parameters)
    alone = _compiled.solve(short, weights[:, left], starts)
    np.testing.assert_array_equal(found.parameters, alone.parameters)
    np.testing.assert_array_equal(found.objective, alone.objective)


@pytest.mark.parametrize("count", [1, 17, 5000])
def test_room_begins_where_a_line_of_the_cache_begins(count: int) -> None:
    room = aligned(count)

    assert room.size == count
    assert room.ctypes.data % 64 == 0


def test_the_engine_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = laws.load("bleu_log", CASES["bleu_log"].settings).kernel
    assert least_squares.engine(kernel) == "numba"
    monkeypatch.setenv("FORESAID_ENGINE", "numpy")

    assert least_squares.engine(kernel) == least_squares.engine(None) == "numpy"


def test_without_numba_everything_is_done_by_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)  # what importing it then raises is ImportError

    assert not _jit.available()


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "tiny.py").write_text(TINY, encoding="utf-8")
    code = SHORT.format(folder=str(folder))
    settings = {**os.environ, "PYTHONPATH": str(ROOT / "pipelines"), "NUMBA_CACHE_DIR": str(folder / "cache"), **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=settings)


@pytest.mark.slow
def test_a_kernel_is_compiled_and_announced_once_and_says_the_same_on_every_processor(tmp_path: Path) -> None:
    first, again, plain = run(tmp_path), run(tmp_path), run(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")

    assert first.stderr == "foresaid: compiling tiny.columns, once\n"
    assert again.stderr == ""
    # "generic" has registers of two numbers, and no instruction that multiplies and adds at once.
    assert first.stdout == again.stdout == plain.stdout


def test_a_change_of_what_a_kernel_calls_is_a_new_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = laws.law_class("bleu_log").columns
    before: list[str] = []
    after: list[str] = []
    _jit._reached(columns, {}, before)
    monkeypatch.setattr(_elementary, "LN2_HIGH", 0.7)
    _jit._reached(columns, {}, after)

    assert before != after
