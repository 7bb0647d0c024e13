"""What must hold for every drawing: the same bytes, nothing but drawing, text that stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from altair import SCHEMA_URL, TopLevelSpec

from foresaid.errors import ForesaidError
from foresaid.report import charts, forecast_charts, specification, svg
from foresaid.report.drawing import Drawing, drawn, kept_in

PAYLOAD = "</text></svg><script>alert(1)</script>\"'&"
ROWS: list[dict[str, Any]] = [
    {"x": 10.0**k, "observed": 0.1 * k, "median": 0.1 * k + 0.02, "lower_80": 0.1 * k - 0.05, "upper_80": 0.1 * k + 0.06}
    for k in range(1, 8)
]


def forecast(title: str) -> Drawing:
    return charts.forecast_against_outcome(ROWS, title, "fraction of one")


def one_covariate(title: str) -> Drawing:
    return charts.fitted_curve(ROWS, ROWS, title, "training tokens", title, log=True)


def many_covariates(title: str) -> Drawing:
    return charts.fitted_curve(ROWS, [], title, "logit", title)


def profiled(title: str) -> Drawing:
    values = [0.5, 1.0, 2.0, 4.0, 8.0]
    return charts.profile(values, [0.4, 0.2, 0.1, 0.2, 0.4], values, [False, True, True, False, False], title, "beta")


def of_model(title: str) -> Drawing:
    rows = [{**row, "quantity": f"{title} {i}", "law": law} for i, row in enumerate(ROWS[:2]) for law in ("a", title)]
    return charts.intervals(rows, title, "fraction of one")


def simulated(title: str) -> Drawing:
    rows = [{"size": size, "loss": row["observed"], "score": row["median"]} for size in ("few-shot", title) for row in ROWS]
    return charts.example(rows, rows, title, "loss")


KINDS = [simulated, forecast, one_covariate, many_covariates, profiled, of_model]


@pytest.mark.parametrize("draw", KINDS)
def test_the_same_rows_give_the_same_bytes_however_many_charts_came_before(draw: Callable[[str], Drawing]) -> None:
    first = draw("one").svg
    forecast("another")

    assert draw("one").svg == first


@pytest.mark.parametrize("draw", KINDS)
def test_a_title_from_data_stays_text(draw: Callable[[str], Drawing]) -> None:
    plain = [node.tag for node in ElementTree.fromstring(draw("Name").svg).iter()]

    nasty = ElementTree.fromstring(draw(PAYLOAD).svg)

    assert [node.tag for node in nasty.iter()] == plain
    assert str(nasty.get("aria-label")).startswith(PAYLOAD)


@pytest.mark.parametrize("draw", KINDS)
def test_a_drawing_loads_nothing_and_runs_nothing(draw: Callable[[str], Drawing]) -> None:
    names = {key for node in ElementTree.fromstring(draw("Name").svg).iter() for key in node.attrib}

    assert not [name for name in names if name.startswith("on") or "href" in name or name in ("style", "class")]


@pytest.mark.parametrize("bad", ["<script/>", "<image/>", "<foreignObject/>", '<path onclick="x"/>', '<a href="x"/>'])
def test_what_does_not_draw_is_refused(bad: str) -> None:
    with pytest.raises(ForesaidError, match="drawing"):
        svg.clean(f'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1">{bad}</svg>', "x")


def test_two_drawings_in_a_page_share_no_id() -> None:
    pages = forecast("one").in_page() + one_covariate("two").in_page() + profiled("three").in_page()
    ids = re.findall(r' id="([^"]+)"', pages)

    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", pages)) <= set(ids)


def test_a_point_without_an_interval_is_drawn_and_not_called_inside() -> None:
    bare = {**ROWS[0], "lower_80": None, "upper_80": None}

    assert "<svg" in charts.forecast_against_outcome([bare], "bare", "BLEU").svg


def test_every_point_says_what_it_is_and_the_chart_what_its_axes_are() -> None:
    rows = [{**row, "subject_id": f"acme/m{i}", "quantity_id": "task"} for i, row in enumerate(ROWS)]
    root = ElementTree.fromstring(charts.forecast_against_outcome(rows, "Forecasts", "fraction").svg)
    titles = [node.text for node in root.iter(f"{svg.SVG}title")]

    assert len(titles) == len(rows)
    assert titles[1] == "task, acme/m1: observed 0.2, median 0.22, 80 % interval 0.15 to 0.26"
    label = str(root.get("aria-label"))
    assert label == "Forecasts. Axes: observed (fraction), forecast, with 80 % interval (fraction). 7 points"


def test_marks_that_look_alike_are_said_in_fewer_bytes_and_each_name_survives() -> None:
    dot = "M2,0A2,2,0,1,1,-2,0A2,2,0,1,1,2,0"
    lines = "".join(f'<line transform="translate({x},0)" x2="0" y2="-5" stroke="#888" opacity="0.5"/>' for x in (1, 2, 3))
    dots = "".join(
        f'<path aria-label="{name}" aria-roledescription="symbol mark" transform="translate(1.26,4)" d="{dot}" fill="#00f"/>'
        for name in "ab"
    )
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g>{lines}</g><g>{dots}</g></svg>'

    made = svg.clean(drawing, "x")

    assert '><path stroke="#888" stroke-opacity="0.5" d="M1,0l0,-5M2,0l0,-5M3,0l0,-5"/><g ' in made
    assert '<g fill="#00f"><circle cx="1.3" cy="4" r="2"><title>a</title></circle>' in made


def test_a_title_is_text_of_the_page_however_long_and_the_chart_stays_narrow() -> None:
    made = forecast(f"A <long> title of a chart {'and more ' * 20}")

    assert made.in_page().startswith('<p class="title">A &lt;long&gt; title of a chart and more')
    assert float(str(ElementTree.fromstring(made.svg).get("viewBox")).split()[2]) < specification.WIDTH + 120


def test_points_outside_their_interval_are_hollow() -> None:
    hit = charts.forecast_against_outcome([ROWS[3]], "t", "u").svg
    miss = charts.forecast_against_outcome([{**ROWS[3], "observed": 0.9}], "t", "u").svg

    assert hit.count('fill="#ffffff"') < miss.count('fill="#ffffff"')


def test_a_chart_whose_data_did_not_change_is_read_and_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept_in(tmp_path):
        first = forecast("one")
    monkeypatch.setattr("vl_convert.vegalite_to_svg", lambda *_, **__: pytest.fail("made again"))
    with kept_in(tmp_path):
        again = forecast("one")
    with pytest.raises(pytest.fail.Exception, match="made again"), kept_in(tmp_path):
        charts.forecast_against_outcome([{**ROWS[0], "observed": 0.7}], "one", "fraction of one")

    assert again.svg == first.svg


def test_charts_no_page_asks_for_any_more_are_removed(tmp_path: Path) -> None:
    with kept_in(tmp_path):
        forecast("one")
        forecast("two")
    with kept_in(tmp_path):
        forecast("two")

    assert len(list(tmp_path.iterdir())) == 1


def test_what_was_changed_on_the_disk_does_not_reach_a_page(tmp_path: Path) -> None:
    with kept_in(tmp_path):
        first = forecast("one").in_page()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b"</svg>", b"<script>alert(1)</script></svg>"))
    with kept_in(tmp_path):
        again = forecast("one").in_page()

    assert again == first
    assert b"<script>" not in path.read_bytes()


def test_a_chart_that_no_page_printed_is_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept_in(tmp_path):
        forecast("one")
    monkeypatch.setattr("vl_convert.vegalite_to_svg", lambda *_, **__: pytest.fail("made again"))
    for _ in range(2):
        with kept_in(tmp_path):
            made = forecast("one")

    assert made.in_page()


def test_another_process_draws_what_this_one_draws(tmp_path: Path) -> None:
    with kept_in(tmp_path, workers=1):
        beside = [draw("one") for draw in KINDS]
    kept = sorted(path.name for path in tmp_path.iterdir())

    assert [one.svg for one in beside] == [draw("one").svg for draw in KINDS]
    assert len(kept) == len(KINDS)  # those that no page printed are kept as well


def kinds_of_specifications() -> list[dict[str, Any]]:
    """One of every kind of chart, and of those that look otherwise on some rows, both kinds."""
    bare = [{**ROWS[0], "lower_80": None, "upper_80": None}]
    levels = [0.1 * k for k in range(1, 8)]
    fitted: dict[str, list[tuple[Any, ...]]] = {"forecast_against_outcome": [(ROWS, "t", "u"), (bare, "t", "u"), ([], "t", "u")],
        "fitted_curve": [(ROWS, ROWS, "t", "x", "y", True), (ROWS, [], "t", "x", "y")],
        "profile": [(levels, levels, levels, [True] * 7, "t", "beta"), ([1.0, 9.0], [1.0, 9.0], [1.0, 9.0], [False] * 2, "t", "b")],
        "intervals": [([{**row, "quantity": "q", "law": "a"} for row in ROWS], "t", "u")],
        "example": [([{"size": "few", "loss": 1.0, "score": 0.5}],) * 2 + ("t", "loss")],
        "over_time": [([{"method": "a", "year": 2024.5, "value": 0.5}], "t", "y")],
        "frontier": [([{"year": 2024.5, "value": 0.5, "best": 0.6}], "t", "y")],
        "index_over_time": [([{"year": 2024.5, "value": 0.5, "lower_80": 0.4, "upper_80": 0.6}], "t", "y")],
        "costs": [([{"series": "a", "size": 10, "seconds": 0.5}], "t", "y")],
        "choices": [([{"models": 3, "objective": 0.1, "optimal": 0.2, "random": 0.3}], "t")]}  # fmt: skip
    bands = [{"year": 2026.5, "quantiles": levels, "label": "law"}]
    past = [{"year": 2025.5, "value": 0.5, "own": own} for own in (False, True)]
    rows = [{"label": "law", "quantiles": levels, "first": True, "last": 0.3, "observed": 0.5}]
    frozen: dict[str, list[tuple[Any, ...]]] = {
        "predicted": [(rows, 0.6, "t", "u"), ([], None, "t", "u")],
        "ahead": [(past, bands, bands, past, past, "t", "u")],
    }
    calls = [(charts, name, given) for name, all_given in fitted.items() for given in all_given]
    calls += [(forecast_charts, name, given) for name, all_given in frozen.items() for given in all_given]
    named = {name for module, _, _ in calls for name, one in vars(module).items()
             if hasattr(one, "__wrapped__") and one.__module__ == module.__name__}  # fmt: skip
    assert named == {*fitted, *frozen}, "a kind of chart is missing here"
    return [getattr(module, name).__wrapped__(*given) for module, name, given in calls]


def test_every_kind_of_chart_is_sound_by_the_schema_of_vega_lite() -> None:
    for spec in kinds_of_specifications():
        TopLevelSpec.validate(spec)
    assert SCHEMA_URL == specification.SCHEMA
    with pytest.raises(Exception, match="wrong"):  # a mistake is noticed
        TopLevelSpec.validate({**spec, "wrong": 1})


def test_the_renderer_knows_the_version_of_the_specifications() -> None:
    import vl_convert

    assert specification.VERSION in vl_convert.get_vegalite_versions()


def test_the_rows_of_a_specification_are_those_of_the_chart() -> None:
    spec = charts.forecast_against_outcome.__wrapped__(ROWS, "t", "u")  # type: ignore[attr-defined]

    values = [layer["data"]["values"] for layer in spec["layer"]]
    assert [row["median"] for row in values[1]] == pytest.approx([row["median"] for row in ROWS])


def test_what_is_wrong_with_a_drawing_is_said_whoever_drew_it(tmp_path: Path) -> None:
    @drawn
    def broken(title: str) -> dict[str, Any]:
        mark = {"type": "point", "href": "https://evil.example"}
        return specification.layered([specification.layer([{"v": 1}], mark, x=specification.amount("v"))], title)

    for workers in (0, 1):
        with pytest.raises(ForesaidError, match="chart one: found the element a, expected drawing"), kept_in(tmp_path, workers):
            _ = broken("one").svg
