from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from foresaid.errors import RecordError
from foresaid.laws._capability_lines import Lineage, propose_lineage, propose_lines
from foresaid.laws._capability_rows import EDGE, SCHEMA, Benchmarks, cells

ROW = {
    **{"system_id": "m_high", "model_id": "m", "maker": "M", "line": "m", "tier": "", "effort": 4.0, "release": "m@2025-01-01"},
    **{"released_on": date(2025, 1, 1), "benchmark": "b", "value": 0.5, "chance": 0.25, "items": 100, "known_on": date(2025, 2, 1)},
}


def one(**changes: object) -> pl.DataFrame:
    return pl.DataFrame([ROW | changes], schema=SCHEMA)


def test_probit_of_a_share_above_chance() -> None:
    found = cells(one())
    assert found.z[0] == pytest.approx(norm.ppf((0.5 - 0.25) / 0.75))
    spread = np.sqrt(0.5 * 0.5 / 100) / (0.75 * norm.pdf(found.z[0]))
    assert found.item_variance[0] == pytest.approx(spread**2)


@pytest.mark.parametrize(("value", "items", "edge"), [(0.0, 100, 0.005), (0.0, 10_000, EDGE), (0.25, None, EDGE), (0.0, 10, 0.05)])
def test_a_share_at_or_below_chance_stands_on_the_edge(value: float, items: int | None, edge: float) -> None:
    assert cells(one(value=value, items=items)).z[0] == pytest.approx(norm.ppf(edge))
    assert cells(one(value=1.0, items=items)).z[0] == pytest.approx(norm.ppf(1 - edge))


@given(st.floats(0.03, 0.97), st.floats(0.0, 0.6), st.floats(0.61, 1.0))
@settings(max_examples=50)
def test_to_share_undoes_to_probit(share: float, chance: float, ceiling: float) -> None:
    board = Benchmarks(("b",), np.array([chance]), np.array([np.nan]), np.array([ceiling]))
    value = np.array([chance + (ceiling - chance) * share])
    code = np.zeros(1, dtype=np.intp)
    assert board.to_share(code, board.to_probit(code, value))[0] == pytest.approx(value[0], abs=1e-12)


@pytest.mark.parametrize("ceiling", [1.0, 0.75])
def test_item_variance_is_that_of_binomial_draws(ceiling: float) -> None:
    """The delta method against the exact binomial distribution, in the middle of the scale where it is meant to hold.

    Below a ceiling of .75 a quarter of the 400 items is wrong: 300 vary, and a flawless system scores .75 every time."""
    board = Benchmarks(("b",), np.array([0.2]), np.array([400.0]), np.array([ceiling]))
    code = np.zeros(1, dtype=np.intp)
    z = np.array([0.3])
    solvable = round(400 * ceiling)
    probability = float(board.to_share(code, z)[0]) / ceiling
    counts = np.arange(solvable + 1)
    weight = binom.pmf(counts, solvable, probability)
    scores = board.to_probit(np.zeros(solvable + 1, dtype=np.intp), counts / 400)
    mean = float(weight @ scores)
    assert float(weight @ (scores - mean) ** 2) == pytest.approx(board.item_variance(code, z)[0], rel=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": 43.0}, "column value: found 43.0, expected a share within"),
        ({"value": float("nan")}, "column value: found"),
        ({"line": None}, "column line: found nothing"),
        ({"released_on": None}, "column released_on: found nothing"),
        ({"chance": 1.0}, "column chance: found 1.0"),
        ({"items": 0}, "column items: found 0"),
        ({"effort": float("inf")}, "column effort: found inf"),
    ],
)
def test_a_wrong_cell_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        cells(one(**changes))


def test_a_ceiling_that_is_stated_is_where_a_flawless_system_stands() -> None:
    """A column a frame may have: .6 of 50 items can be solved, .3 is half of the way, and no quantile lies above .6."""
    stated = cells(one(value=0.3, items=50, chance=0.0).with_columns(ceiling=0.6))
    code = np.zeros(1, dtype=np.intp)

    assert stated.z[0] == pytest.approx(0.0)
    assert stated.benchmarks.edge[0] == pytest.approx(0.5 / 30)
    assert stated.benchmarks.to_share(code, np.array([[-40.0, 0.0, 40.0]]))[0].tolist() == pytest.approx([0.0, 0.3, 0.6])
    assert cells(one()).benchmarks.ceiling.tolist() == [1.0]
    for bad in (0.0, 1.1, float("nan")):
        with pytest.raises(RecordError, match="column ceiling: found"):
            cells(one().with_columns(ceiling=bad))
    with pytest.raises(RecordError, match="two values for benchmark b"):
        cells(pl.concat([one().with_columns(ceiling=0.9), one(system_id="n").with_columns(ceiling=0.8)]))


def test_wrong_frames_are_refused() -> None:
    with pytest.raises(RecordError, match="column chance is missing"):
        cells(one().drop("chance"))
    with pytest.raises(RecordError, match="found no row"):
        cells(one().head(0))
    with pytest.raises(RecordError, match="2 rows of m_high on b"):
        cells(pl.concat([one(), one(value=0.6)]))
    with pytest.raises(RecordError, match="two values for system_id m_high"):
        cells(pl.concat([one(), one(benchmark="c", tier="mini")]))
    with pytest.raises(RecordError, match="two values for benchmark b"):
        cells(pl.concat([one(), one(system_id="n", chance=0.2)]))
    with pytest.raises(RecordError, match="found benchmark c, expected one the fit knows"):
        cells(one(benchmark="c"), cells(one()).benchmarks)
    with pytest.raises(RecordError, match="expected the types"):
        cells(one().with_columns(pl.lit("high").alias("effort")))


@pytest.mark.parametrize(
    ("name", "line", "tier"),
    [
        ("claude-opus-4-6", "claude", "opus"),
        ("claude-3-7-sonnet-20250219", "claude", "sonnet"),
        ("gemini-2.5-flash-lite-preview-06-17", "gemini", "lite flash"),
        ("gemini-3-deep-think-preview", "gemini", "deep"),
        ("gpt-5.1-codex-mini", "gpt", "mini codex"),
        ("chatgpt-4o-03-27-2025", "gpt", ""),
        ("codex-mini-2025-05-16", "gpt", "mini codex"),
        ("gpt-oss-120b", "gpt-oss", "48to130b"),
        ("o3-pro-2025-06-10", "o", "pro"),
        ("DeepSeek-V3.2-Exp", "deepseek", ""),
        ("DeepSeek-R1-0528", "deepseek-r", ""),
        ("amazon.nova-lite-v1:0", "nova", "lite"),
        ("Mixtral-8x22B-v0.1", "mixtral", "over130b"),
        ("Qwen3-235B-A22B-Thinking-2507", "qwen", "over130b"),
        ("Meta-Llama-3-8B-Instruct", "llama", "5to16b"),
        ("c4ai-command-r-plus-08-2024", "command", "plus"),
    ],
)
def test_line_and_tier_are_read_from_the_name(name: str, line: str, tier: str) -> None:
    assert propose_lineage(name) == Lineage(line, tier)


def test_a_name_without_a_word_takes_its_maker() -> None:
    assert propose_lines({"4.1": "Acme"}) == {"4.1": Lineage("acme", "")}
