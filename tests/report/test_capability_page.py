"""The page of the capability law shows what its stage left, escapes it, and prints the kept protocol as it was measured."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import polars as pl
import pytest
from tests.conftest import ROOT

from foresaid.errors import UnreadableError
from foresaid.report import capability_page, downloads
from foresaid.report.environment import environment
from foresaid.report.inputs import Capability, Material
from foresaid.studies.capability import protocol_record

HOSTILE = "<b>system</b>"


def capability(name: str = HOSTILE) -> Capability:
    index = pl.DataFrame(
        {
            "system_id": [name, "older"], "model_id": [name, "older"], "maker": ["M", "M"], "line": ["m", "m"], "tier": ["t", "t"],
            "effort": [4.0, None], "release": ["r", "s"], "cells": [3, 1], "released_on": [date(2026, 1, 2), date(2025, 1, 2)],
            "index": [0.5, -0.25], "index_error": [0.1, 0.3], "rank": [1.1, 1.9], "rank_error": [0.3, 0.3],
        }
    )  # fmt: skip
    loadings = pl.DataFrame(
        {"benchmark": ["a", "b"], "cells": [2, 2], "chance": [0.0, 0.25], "items": [None, 198],
         "loading": [1.0, 0.6], "loading_error": [0.2, 0.1]}
    )  # fmt: skip
    pairs = pl.DataFrame({"first": ["a"], "second": ["b"], "systems": [12], "correlation": [-0.4]})
    adds = pl.DataFrame({"place": [1], "benchmark": ["a"], "alone": [0.9], "next": [0.9], "sd": [8.0]})
    metrics = {"cells": 4, "systems": 2, "releases": 2, "benchmarks": 2, "as_of": "2026-11-21", "sizes": {"noise": 0.17}}
    kept = protocol_record.read(ROOT / "registry")
    return Capability(metrics, index, loadings, pairs, adds, kept, protocol_record.costs(ROOT / "registry"))


def html(found: Capability | None) -> str:
    material = cast(Material, SimpleNamespace(capability=found, quantity=lambda name: f"title of {name}"))
    made = capability_page.page(material)
    tables = capability_page.downloads(material)
    env = environment(Path("none"), downloads.offers(tables, downloads.contents(tables)))
    names = ("version", "code", "commit", "as_of", "vintage", "repository", "origin", "ledger_size", "ledger_root")
    footer = dict.fromkeys(names, "")
    return env.get_template(made.template).render(**made.values, root="", here=made.path, navigation=[], footer=footer)


def test_what_the_stage_left_is_shown_and_escaped() -> None:
    page = html(capability())

    assert HOSTILE not in page
    assert "&lt;b&gt;system&lt;/b&gt;" in page
    assert "4 scores of 2 systems (2 releases) on 2 benchmarks, as known on 2026-11-21" in page
    assert "<svg" in page
    assert '<th scope="row">title of b</th><td class="n">2</td><td class="n">198</td>' in page
    for word in ("title of a", "data/capability-index.csv", "data/capability-correlations.csv", "noise: 0.170"):
        assert word in page


def test_every_kept_score_is_printed_with_the_day_it_was_measured() -> None:
    kept, page = protocol_record.read(ROOT / "registry"), html(capability())

    assert len(kept) == 16
    scores = page.split('id="cost"')[0]
    assert scores.count("<td>2026-11-29</td></tr>") == len(kept)
    assert "Chosen with results seen" in page


def test_costs_are_drawn_on_log_axes_and_listed() -> None:
    kept, page = protocol_record.costs(ROOT / "registry"), html(capability())
    drawn = capability_page._cost_chart(capability())

    assert drawn is not None
    assert page.count("<td>parts</td>") + page.count("<td>dense</td>") == len(kept)
    assert {row["axis"] for row in kept} == set(capability_page.VARIED)
    assert page.count("<svg") == 2


def test_the_kept_scores_are_those_of_the_results_page() -> None:
    text = (ROOT / "docs" / "results-capability.md").read_text(encoding="utf-8").replace("**", "")
    for row in protocol_record.read(ROOT / "registry"):
        assert row["wis"] in text
        if row["reference"]:
            assert f"+{float(row['skill']):.2f}".replace("+0", "+") in text


def test_without_the_law_the_page_says_so_and_offers_nothing() -> None:
    assert "was not asked for" in html(None)
    assert capability_page.downloads(cast(Material, SimpleNamespace(capability=None))) == {}


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", ",".join(protocol_record.COLUMNS) + "\n1,2\n"])
def test_a_damaged_protocol_is_told(tmp_path: Path, text: str) -> None:
    assert protocol_record.read(tmp_path) == []
    (tmp_path / "protocols").mkdir()
    (tmp_path / protocol_record.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableError, match="expected the columns measured_on"):
        protocol_record.read(tmp_path)


def test_the_number_of_questions_is_printed_and_no_method_of_a_row() -> None:
    page = html(capability())

    assert '<td class="n">198</td>' in page
    assert "built-in method" not in page
