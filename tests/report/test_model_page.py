"""A model's page shows the forecasts of all its systems, not of the one whose name is the model's."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import polars as pl

from foresaid.report import model_page


def material() -> Any:
    scores = pl.DataFrame({"subject_id": ["acme/big[effort=high;tools=search]", "acme/big[effort=low]", "acme/run-7"]})
    models = pl.DataFrame({"model_id": ["acme/big", "acme/small"], "released_on": [date(2026, 1, 1)] * 2})
    return cast(Any, SimpleNamespace(scores=scores, models=models, quantity=str.upper))


def test_a_model_scored_in_two_of_its_systems_has_one_page_with_both() -> None:
    assert model_page.scored_models(material()) == ["acme/big"]
    assert [frame.height for name, frame in model_page.downloads(material()).items() if name != "models"] == [2]


def test_a_line_says_which_system_was_measured() -> None:
    names = [{"subject_id": name, "quantity_id": "quiz"} for name in ("acme/big", "acme/big[effort=high;tools=search]")]

    assert [model_page._measured(material(), row) for row in names] == ["QUIZ", "QUIZ (effort=high, tools=search)"]
