"""What a publisher forbids to copy is taken out of every kind of thing the pages are made from, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from polars.testing import assert_frame_equal

from foresaid.report import inputs
from foresaid.report.withheld import without

FORBIDDEN = frozenset({"arc", "cursor"})


def test_rows_of_a_frame_go_by_quantity_and_by_target() -> None:
    frame = pl.DataFrame({"quantity_id": ["arc", "arc_easy", None], "value": [1, 2, 3]})
    assert_frame_equal(without(frame, FORBIDDEN), frame[1:])
    targets = pl.DataFrame({"target_id": ["arc", "cursor/high", "gpqa/arc"], "value": [1, 2, 3]})
    assert without(targets, FORBIDDEN)["target_id"].to_list() == ["gpqa/arc"]
    assert_frame_equal(without(frame, frozenset()), frame)


def test_entries_of_lists_and_mappings_go_however_deep() -> None:
    tree = {"by_horizon": [{"quantity_id": "arc"}, {"quantity_id": "mmlu", "inner": {"arc/high": 1, "x": 2}}], "arc": 1, "n": 3}

    parameters = [{"name": "arc", "point": 1.0}, {"name": "mmlu", "point": 2.0, "at": "arc"}]  # one a benchmark, in some laws
    assert without(parameters, FORBIDDEN) == [{"name": "mmlu", "point": 2.0, "at": "arc"}]
    assert without(tree, FORBIDDEN) == {"by_horizon": [{"quantity_id": "mmlu", "inner": {"x": 2}}], "n": 3}


def test_a_law_as_fitted_loses_their_curves_targets_and_drawing() -> None:
    drawing = pl.DataFrame({"target_id": ["arc", "mmlu"], "x": [1.0, 2.0]})
    metrics = {"targets": [{"target_id": "arc"}, {"target_id": "mmlu"}]}
    fitted = inputs.Fitted(None, metrics, {"arc": None, "mmlu": None}, drawing, {"arc": [], "mmlu": []})  # type: ignore[arg-type,dict-item]
    kept = without(fitted, FORBIDDEN)

    assert list(kept.curves) == list(kept.budgets) == ["mmlu"]
    assert kept.metrics == {"targets": [{"target_id": "mmlu"}]}
    assert kept.drawing["target_id"].to_list() == ["mmlu"]


def test_what_is_no_material_is_left_alone() -> None:
    @dataclass(frozen=True)
    class Elsewhere:
        quantity_id: str

    assert without([Elsewhere("mmlu"), Elsewhere("arc")], FORBIDDEN) == [Elsewhere("mmlu")]
    assert without("arc", FORBIDDEN) == "arc"
