"""Boards that are read as they stood day by day, and collections with one state: each trap met on the real files.

The real files are not in the repository: FORESAID_MIRROR names the folder that holds them. Made-up tables stand only where a
reader must refuse what no real file has.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from tests.worlds.upstream import REGISTRY, folder_of, reading, source

from foresaid.errors import RecordError, UnreadableError
from foresaid.registry import csv_files, formats
from foresaid.registry.update.update import update
from foresaid.sources import _loader as sources
from foresaid.sources._reading import Score

# Values of the first and of the last vintage, and how many vintages there are.
COUNTS = {
    "arena-catalog": (4022, 2194, 3),
    "arena-daily": (191, 173, 5),
    "benchpress": (2545, 2545, 1),
    "forecastbench": (359, 950, 20),
    "metr-runs": (20, 20, 1),
    "models-dev": (0, 0, 1),
    "weirdml-board": (441, 2580, 22),
}
ON_DEMAND = {"arena-catalog", "arena-daily", "metr-runs", "weirdml-board"}


def day(mirror: Path, name: str, known_on: str) -> list[Score]:
    place = [str(vintage.known_on) for vintage in source(name).vintages].index(known_on)
    return reading(mirror, name, place).scores


def value(rows: list[Score], subject: str, quantity: str, how: str = "") -> float:
    (found,) = [s.value for s in rows if (s.subject, s.quantity_id, s.setting) == (subject, quantity, how)]
    return found


@pytest.mark.parametrize("name", COUNTS)
def test_every_vintage_is_read_and_no_key_stands_twice(name: str, mirror: Path) -> None:
    vintages = source(name).vintages
    found = [reading(mirror, name, place).scores for place in range(len(vintages))]

    assert COUNTS[name] == (len(found[0]), len(found[-1]), len(found))
    for scores in found:
        keys = Counter((score.subject, score.quantity_id, score.setting) for score in scores)
        assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("name", sorted(ON_DEMAND))
def test_figures_nobody_granted_are_read_on_demand(name: str) -> None:
    assert not source(name).embedded
    assert [path.name for path in (REGISTRY / "sources" / name).iterdir()] == ["source.toml"]


@pytest.mark.parametrize("name", sorted(ON_DEMAND | {"epoch-hub-external", "epoch-eci-external"}))
def test_a_source_on_demand_comes_in_below_build_and_a_second_time_changes_nothing(name: str, mirror: Path, tmp_path: Path) -> None:
    shutil.copytree(REGISTRY, tmp_path / "registry", ignore=shutil.ignore_patterns("ledger", "observations.csv", "experiments"))
    recorded = source(name).accessed
    first = update(name, mirror, tmp_path / "registry", recorded, build=tmp_path / "build")
    again = update(name, mirror, tmp_path / "registry", recorded, build=tmp_path / "build")

    assert first.rows > 0
    assert not any("unknown model" in reason for change in first.vintages for reason in change.skipped)
    assert again.rows == 0
    assert (tmp_path / "build" / "on-demand" / name / "observations.csv").exists()
    assert not (tmp_path / "registry" / "sources" / name / "observations.csv").exists()


# weirdml-board


def test_averages_over_19_and_over_17_tasks_are_two_quantities(mirror: Path) -> None:
    before, after = day(mirror, "weirdml-board", "2025-11-11"), day(mirror, "weirdml-board", "2025-11-28")

    assert sum(s.quantity_id == "weirdml_board_accuracy_19" for s in before) == 77
    assert sum(s.quantity_id == "weirdml_board_accuracy_17" for s in after) == 80
    assert not {"weirdml_board_accuracy_19", "weirdml_board_shuffle_easy"} & {s.quantity_id for s in after}


def test_an_average_is_the_mean_of_the_tasks_of_its_day(mirror: Path) -> None:
    rows = day(mirror, "weirdml-board", "2026-06-01")
    tasks = [
        s.value
        for s in rows
        if (s.subject, s.setting) == ("gpt-5.5", "effort=xhigh") and not s.quantity_id.endswith(("_17", "_per_run", "_tokens"))
    ]

    assert len(tasks) == 17
    assert sum(tasks) / 17 == pytest.approx(value(rows, "gpt-5.5", "weirdml_board_accuracy_17", "effort=xhigh"), abs=1e-9)


def test_a_table_doubled_by_a_merge_is_refused(mirror: Path, tmp_path: Path) -> None:
    content = (folder_of(mirror, "weirdml-board") / "data/weirdml_data.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "weirdml_data.csv").write_text("".join([*content, *content[1:40]]), encoding="utf-8")

    with pytest.raises(RecordError, match="two states of the board may be joined here"):
        sources.find("weirdml-board")(tmp_path)


def test_effort_budget_and_quantisation_are_settings(mirror: Path) -> None:
    settings = {(s.subject, s.setting) for s in day(mirror, "weirdml-board", "2026-06-01")}

    assert {("claude-opus-4.5", "effort=high;budget=16k"), ("qwen3.5-27b", "precision=q4-k-m")} <= settings
    assert {("gpt-5.2", "effort=none"), ("gpt-5.2", "effort=medium"), ("gpt-5.2", "effort=xhigh")} <= settings
    assert [subject for subject, _ in settings if "(" in subject] == []


def test_release_dates_of_the_board_are_stated_once_it_has_them(mirror: Path) -> None:
    assert reading(mirror, "weirdml-board", 0).models == []
    assert len(reading(mirror, "weirdml-board").models) == 108


# forecastbench


def test_the_scale_turned_over_in_one_night_and_the_old_one_goes_on_under_its_own_name(mirror: Path) -> None:
    before, after = day(mirror, "forecastbench", "2026-03-03"), day(mirror, "forecastbench", "2026-03-04")
    model, how = "O3-2025-04-16", "prompt=scratchpad"

    assert {s.quantity_id.rsplit("_", 1)[1] for s in before} == {"brier"}
    assert value(before, model, "forecastbench_baseline_overall_brier", how) == 0.124
    assert value(after, model, "forecastbench_baseline_overall_brier", how) == 0.124
    assert value(after, model, "forecastbench_baseline_overall_index", how) == 64.8
    assert all(0 <= s.value <= 1 for s in after if s.quantity_id.endswith("_brier"))


def test_references_and_systems_of_other_teams_are_no_models(mirror: Path) -> None:
    subjects = {s.subject for place in range(20) for s in reading(mirror, "forecastbench", place).scores}

    assert [name for name in subjects if "median" in name or name.startswith(("Always", "Random", "Naive", "LLM Crowd"))] == []
    assert [name for name in subjects if "assi" in name or "antic" in name] == []


def test_prompts_reasoning_and_precision_are_settings_of_one_model(mirror: Path) -> None:
    rows = {(s.subject, s.setting) for s in day(mirror, "forecastbench", "2026-05-30")}

    assert {("GPT-5-2025-08-07", "prompt=zero-shot"), ("GLM-4.5-Air", "prompt=scratchpad;precision=fp8")} <= rows
    assert ("Grok-4.20-Beta-0309", "effort=non-reasoning;prompt=zero-shot") in rows


def test_a_row_that_made_room_is_not_withdrawn() -> None:
    rows = csv_files.read(REGISTRY / "sources/forecastbench/observations.csv", "forecastbench", formats.OBSERVATIONS).items

    assert {row.status for row in rows} == {"reported", "revised"}
    assert all(vintage.part for vintage in source("forecastbench").vintages)


def test_share_alike_figures_carry_a_notice_and_permissive_ones_their_licence() -> None:
    notice = (REGISTRY / "sources/forecastbench/NOTICE.md").read_text(encoding="utf-8")
    licence = (REGISTRY / "sources/benchpress/LICENSE-CDLA-2.0.md").read_text(encoding="utf-8")

    assert "CC-BY-SA-4.0" in notice
    assert "Changes:" in notice
    assert "Community Data License Agreement" in licence


# benchpress


def test_predictions_are_not_read_and_what_artificial_analysis_measures_is_left_out(mirror: Path) -> None:
    found = reading(mirror, "benchpress")

    assert len(found.scores) == 2604 - 55 - 4
    assert (found.skipped["cells of Artificial Analysis: its terms forbid a copy"], found.skipped["cells audited as dropped"]) == (
        55,
        4,
    )
    assert [s for s in found.scores if "_aa_" in s.quantity_id or "artificialanalysis" in s.note] == []


def test_percent_of_benchpress_is_a_fraction_and_ratings_and_dollars_stay(mirror: Path) -> None:
    cards = {row.quantity_id: row for row in csv_files.read(REGISTRY / "quantities.csv", "quantities", formats.QUANTITIES).items}
    rows = reading(mirror, "benchpress").scores
    units = {cards[s.quantity_id].unit for s in rows if s.value > 1}

    assert units == {"points", "dollars"}
    assert max(s.value for s in rows if cards[s.quantity_id].unit == "fraction") <= 1


def test_a_cell_under_another_setting_than_its_models_says_so(mirror: Path) -> None:
    noted = [s for s in reading(mirror, "benchpress").scores if s.note.endswith("reported under another setting than the model's")]

    assert 400 < len(noted) < 430


# models.dev, notable models


def test_models_dev_states_days_and_months_and_no_serving_variant_or_other_modality(mirror: Path) -> None:
    stated = {model.subject: model.released_on for model in reading(mirror, "models-dev").models}

    assert stated["anthropic/claude-sonnet-5"] == "2026-06-30"
    assert stated["alibaba/qwen3-32b"] == "2025-04"
    assert [name for name in stated if name.endswith(("-highspeed", "-latest", "-customtools"))] == []
    assert reading(mirror, "models-dev").scores == []


def test_a_renamed_column_of_sizes_is_read_and_a_table_without_it_refused(mirror: Path, tmp_path: Path) -> None:
    path = folder_of(mirror, "epoch-models") / "data/raw/notable_ai_models.csv"
    (tmp_path / "notable_ai_models.csv").write_text(
        path.read_text(encoding="utf-8").replace("Training dataset size (total)", "Corpus", 1), encoding="utf-8"
    )

    assert sum(s.quantity_id == "epoch_dataset_size" for s in reading(mirror, "epoch-models").scores) > 200
    with pytest.raises(RecordError, match=r"Training dataset size \(gradients\): found no such column"):
        sources.find("epoch-models")(tmp_path)


# arenas


def test_plain_and_style_controlled_ratings_are_two_quantities(mirror: Path) -> None:
    rows = day(mirror, "arena-catalog", "2025-12-11")

    assert round(value(rows, "gemini-3-pro", "arena_text_overall")) == 1487
    assert round(value(rows, "gemini-3-pro", "arena_text_style_control_overall")) == 1492


def test_a_day_with_one_of_the_boards_gained_one_model(mirror: Path) -> None:
    before = {s.subject for s in day(mirror, "arena-catalog", "2025-12-11")}
    rows = day(mirror, "arena-catalog", "2025-12-17")

    assert {s.subject for s in rows} - before == {"gemini-3-flash"}
    assert {s.quantity_id for s in rows if s.subject == "gemini-3-flash"} == {"arena_text_style_control_overall"}


def test_a_board_whose_ranks_and_scores_disagree_is_refused(mirror: Path, tmp_path: Path) -> None:
    board = json.loads((folder_of(mirror, "arena-daily") / "text.json").read_text(encoding="utf-8"))
    board["models"][3]["score"] += 500
    (tmp_path / "text.json").write_text(json.dumps(board), encoding="utf-8")

    with pytest.raises(RecordError, match=r"models.3.score: found 1997, expected at most \d+, the score of the rank above"):
        sources.find("arena-daily")(tmp_path)
    with pytest.raises(UnreadableError, match="found no board"):
        sources.find("arena-daily")(tmp_path / "nowhere")


# metr-runs


def test_runs_of_people_are_left_out_and_weights_add_up(mirror: Path) -> None:
    found = reading(mirror, "metr-runs")
    rows = {s.subject: (s.value, s.n) for s in found.scores if s.quantity_id == "metr_runs_2025_02_success"}

    assert found.skipped == {"a run of a human baseliner": 211}
    assert sum(n or 0 for _, n in rows.values()) == 7063 - 211
    assert rows["Claude 3.5 Sonnet (New)"][0] > rows["Claude 3 Opus"][0] > min(rows.values())[0]


def test_a_weight_that_is_lost_is_noticed(mirror: Path, tmp_path: Path) -> None:
    path = folder_of(mirror, "metr-runs") / "data/external/all_runs.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "data/external").mkdir(parents=True)
    (tmp_path / "data/external/all_runs.jsonl").write_text("".join(lines[50:]), encoding="utf-8")

    with pytest.raises(RecordError, match="expected weights that add up to 1"):
        sources.find("metr-runs")(tmp_path)
