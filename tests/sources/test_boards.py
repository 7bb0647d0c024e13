"""The boards and hubs: each known trap of an upstream is met on the real file, and every row is accounted for.

The real files are not in the repository: FORESAID_MIRROR names the folder that holds them. The tables of the shape tests
at the end hold made-up values.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml
from tests.worlds.upstream import REGISTRY, reading, source

from foresaid.errors import RecordError, UnreadableError
from foresaid.registry import csv_files, formats
from foresaid.registry.formats import ModelRow, ObservationRow
from foresaid.sources import _loader as sources
from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import KEYS, setting

ROOT = Path(__file__).parents[2]
NAMES = [
    "aider",
    "alpaca-eval",
    "epoch-eci",
    "epoch-eci-external",
    "epoch-hub",
    "epoch-hub-external",
    "epoch-models",
    "evalplus",
    "livebench",
    "lmarena",
    "metr-horizon",
    "sloth",
    "weirdml",
]


def scores(mirror: Path, name: str, quantity: str, vintage: int = -1) -> list[Score]:
    return [score for score in reading(mirror, name, vintage).scores if score.quantity_id == quantity]


def one(mirror: Path, name: str, quantity: str, subject: str, how: str = "", vintage: int = -1) -> Score:
    found = [row for row in scores(mirror, name, quantity, vintage) if (row.subject, row.setting) == (subject, how)]
    assert len(found) == 1
    return found[0]


@cache
def embedded(name: str) -> list[ObservationRow]:
    return csv_files.read(REGISTRY / "sources" / name / "observations.csv", name, formats.OBSERVATIONS).items


@cache
def models() -> dict[str, ModelRow]:
    return {row.model_id: row for row in csv_files.read(REGISTRY / "models.csv", "models.csv", formats.MODELS).items}


# every board


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_of_every_table_are_those_the_mirror_counted(name: str, mirror: Path) -> None:
    listed = yaml.safe_load((mirror / "SOURCES.yaml").read_text(encoding="utf-8"))["sources"]
    by_folder = {entry["directory"]: entry for entry in listed}
    for place, vintage in enumerate(source(name).vintages):
        counted = {file["path"]: file.get("rows", file.get("entries")) for file in by_folder[vintage.directory]["files"]}
        found = reading(mirror, name, place).rows
        # Of a JSON or YAML object the mirror counted the keys at the top, not the models.
        objects = {"data/weirdml_results.json", "benchmark_results_1_0.yaml", "benchmark_results_1_1.yaml"}

        assert {path: counted[path] for path in found if path not in objects} == {
            path: rows for path, rows in found.items() if path not in objects
        }


def tally(found: Reading) -> tuple[int, int]:
    """Rows a reading took and rows it left, counted from what it returned."""
    cells = ("cells of 0.0", "cost 0.0", "a subtask is missing")
    taken = len({(score.file, score.row, (score.subject, score.setting) if score.row is None else "") for score in found.scores})
    return taken, sum(count for reason, count in found.skipped.items() if not reason.startswith(cells))


def explained(mirror: Path) -> str:
    """The tables of docs/sources.md: rows upstream, taken and left, for each vintage."""
    parts = []
    for name in NAMES:
        parts.append(f"### {name}\n")
        for place, vintage in enumerate(source(name).vintages):
            found = reading(mirror, name, place)
            taken, left = tally(found)
            parts.append(f"As of {vintage.known_on}: {sum(found.rows.values())} rows upstream, {taken} taken, {left} left.\n")
            parts.append("| why left | count |\n| --- | --- |")
            parts += [f"| {reason} | {count} |" for reason, count in sorted(found.skipped.items()) if count] or ["| nothing | 0 |"]
            parts.append(f"\nValues: {len(found.scores)}, of them suspect: {sum(s.status == 'suspect' for s in found.scores)}.\n")
    return "\n".join(parts)


def test_the_page_of_sources_says_what_the_readers_count(mirror: Path) -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")

    assert explained(mirror).strip() == page.split("<!-- counted -->")[1].strip()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lmarena"])
def test_every_upstream_row_is_taken_or_left_with_a_reason(name: str, mirror: Path) -> None:
    for place in range(len(source(name).vintages)):
        found = reading(mirror, name, place)

        assert sum(found.rows.values()) == sum(tally(found))


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_pairs_in_one_order(name: str, mirror: Path) -> None:
    for how in {score.setting for place in range(len(source(name).vintages)) for score in reading(mirror, name, place).scores}:
        parts = dict(part.split("=", 1) for part in how.split(";") if part)

        assert [key for key in KEYS if key in parts] == list(parts)
        assert setting(**parts) == how


ON_DEMAND = {"epoch-eci-external", "epoch-hub-external", "livebench", "metr-horizon"}


@pytest.mark.parametrize("name", sorted(ON_DEMAND))
def test_figures_without_a_clear_licence_are_not_kept(name: str) -> None:
    assert source(name).redistribution == "unclear"
    assert [path.name for path in (REGISTRY / "sources" / name).iterdir()] == ["source.toml"]


@pytest.mark.parametrize("name", sorted(set(NAMES) - ON_DEMAND))
def test_effort_is_never_part_of_a_model(name: str) -> None:
    subjects = {row.subject_id for row in embedded(name)}

    # phi-3-medium, mistral-medium, yi-large-... are names; a name that ends in an effort after an underscore is not.
    assert [subject for subject in subjects if re.search(r"_(high|low|medium|\d+k)$", subject)] == []


def test_the_record_of_the_boards_stays_small() -> None:
    sizes = [
        (REGISTRY / "sources" / name / "observations.csv").stat().st_size for name in NAMES if source(name).redistribution == "yes"
    ]

    assert sum(sizes) < 12_000_000


def test_no_model_was_on_a_board_or_run_before_the_day_the_record_says_it_came_out() -> None:
    late = []
    for name in NAMES:
        for row in embedded(name) if source(name).redistribution == "yes" else []:
            released = models()[row.subject_id].released_on
            run = re.search(r"run (?:started )?(\d{4}-\d\d-\d\d)", row.note)
            seen = min([row.known_on, *([date.fromisoformat(run[1])] if run else [])])
            late += [(row.subject_id, seen)] if released and released > seen else []

    assert late == []


# epoch-hub and epoch-hub-external: vintage 1 is the download of March 2026

HUB = ("epoch-hub", "epoch-hub-external")


def test_the_score_column_of_every_file_of_the_hub_is_named(mirror: Path) -> None:
    for place, count in ((1, 48), (2, 49), (3, 49), (4, 49)):
        folder = mirror / source("epoch-hub").vintages[place].directory
        files = {path.name for path in folder.rglob("*.csv") if path.parent.name != "additional_eci_data"}
        read = [Path(path).name for name in HUB for path in reading(mirror, name, place).rows]

        assert sorted(read) == sorted(files)
        assert len(files) == count


def test_percent_of_the_hub_is_a_fraction_whether_printed_with_a_sign_or_without(mirror: Path) -> None:
    with_sign = one(mirror, "epoch-hub-external", "epoch_arc_agi", "o4-mini-2025-04-16", "effort=medium", 0)
    without = one(mirror, "epoch-hub", "epoch_aider_polyglot", "gpt-5-2025-08-07", "effort=high;format=diff", 1)
    points = one(mirror, "epoch-hub-external", "epoch_apex_agents", "claude-opus-4-6", "effort=high", 1)

    assert (with_sign.value, without.value) == (0.42, 0.88)
    assert (points.value, points.stderr) == (0.298, 0.036)


def test_rows_of_one_model_version_are_told_apart_by_shots_and_publication(mirror: Path) -> None:
    rows = [score for score in scores(mirror, "epoch-hub-external", "epoch_gsm8k", 1) if score.subject == "Llama-2-7b"]

    assert len(rows) > 1
    assert len({score.setting for score in rows}) == len(rows)
    assert all("source=" in score.setting for score in rows)


def test_rows_that_say_the_same_are_taken_once(mirror: Path) -> None:
    rows = [
        s
        for s in scores(mirror, "epoch-hub-external", "epoch_arc_agi_2", 1)
        if s.subject == "gpt-5-2025-08-07" and "low" in s.setting
    ]

    assert [score.value for score in rows] == [0.0194]
    assert reading(mirror, "epoch-hub-external", 1).skipped["the same row printed twice"] > 0


def test_a_score_of_zero_on_boolq_has_no_model_and_is_left_out(mirror: Path) -> None:
    folder = mirror / source("epoch-hub").vintages[1].directory
    with (folder / "benchmark_data" / "bool_q_external.csv").open(encoding="utf-8", newline="") as stream:
        zeros = [row for row in csv.DictReader(stream) if row["Score"] and float(row["Score"]) == 0]

    assert [row["Model version"] for row in zeros] == [""]
    assert min(score.value for score in scores(mirror, "epoch-hub-external", "epoch_boolq", 1)) > 0.4


def test_empty_rounds_of_adversarial_nli_give_no_values(mirror: Path) -> None:
    assert len(scores(mirror, "epoch-hub-external", "epoch_anli", 1)) == 15
    assert all(score.value > 0 for score in scores(mirror, "epoch-hub-external", "epoch_anli_r3", 1))


def test_effort_hosts_and_precision_are_settings_of_one_model(mirror: Path) -> None:
    efforts = {s.setting for s in scores(mirror, "epoch-hub", "epoch_gpqa_diamond", 1) if s.subject == "gpt-5-2025-08-07"}
    fp8 = [score for score in reading(mirror, "epoch-hub", 1).scores if "precision=fp8" in score.setting]

    assert {"effort=high", "effort=medium"} <= efforts
    assert {"Llama-4-Maverick-17B-128E-Instruct"} == {score.subject for score in fp8}


def test_a_run_is_known_months_after_a_release_and_says_when_it_started(mirror: Path) -> None:
    row = one(mirror, "epoch-hub", "epoch_math_level_5", "gpt-5-2025-08-07", "effort=high", 1)
    english = one(mirror, "epoch-hub", "epoch_gpqa_diamond", "gpt-5.1", "effort=medium", 0)

    assert row.note.startswith("run started 2025-")
    assert (english.value, english.stderr, english.note[:22]) == (0.85, 0.02, "run started 2025-11-17")


def test_of_two_runs_of_one_model_the_last_started_counts(mirror: Path) -> None:
    row = one(mirror, "epoch-hub", "epoch_swe_bench_verified_484", "claude-opus-4-6", "", 1)

    assert (round(row.value, 6), row.note) == (0.787190, "run started 2026-02-18")
    assert reading(mirror, "epoch-hub", 1).skipped["an earlier run of the same model: the last one started counts"] == 2


def test_swe_bench_of_2026_counts_484_tasks_and_is_no_revision_of_2025(mirror: Path) -> None:
    shares = [score.value * 484 for score in scores(mirror, "epoch-hub", "epoch_swe_bench_verified_484", 1)]
    whole = sum(abs(share - round(share)) < 1e-6 for share in shares)

    assert whole >= len(shares) - 6  # a few runs lost some tasks
    assert {"epoch_swe_bench_verified"} == {
        s.quantity_id for s in reading(mirror, "epoch-hub", 0).scores if "swe_bench_v" in s.quantity_id
    }


def test_a_row_that_names_another_model_than_its_version_is_suspect(mirror: Path) -> None:
    for vintage in range(5):
        doubted = {s.quantity_id: s.subject for s in reading(mirror, "epoch-hub-external", vintage).scores if s.status == "suspect"}

        assert doubted == {"epoch_livebench": "Phi-3-mini-4k-instruct", "epoch_the_agent_company": "Llama-3.1-70B-Instruct"}


def test_the_index_is_estimated_anew_and_says_so(mirror: Path) -> None:
    assert {"estimated by a model; estimated anew at each download"} == {
        score.note for score in scores(mirror, "epoch-hub", "epoch_capabilities_index")
    }


def test_effort_and_budget_of_a_row_are_read_off_its_name_and_are_no_prompt(mirror: Path) -> None:
    rows = {
        s.setting: s.value for s in scores(mirror, "epoch-hub-external", "epoch_arc_agi_2", 2) if s.subject == "claude-opus-4-6"
    }
    thinks = {s.setting for s in scores(mirror, "epoch-hub-external", "epoch_hle", 4) if s.subject == "claude-opus-4-20250514"}

    assert rows == {
        "effort=high;budget=120k": 0.6917,
        "effort=max;budget=120k": 0.6875,
        "effort=medium;budget=120k": 0.6625,
        "effort=low;budget=120k": 0.6458,
    }
    assert thinks == {"effort=thinking", "effort=unknown"}
    assert not [
        s for s in reading(mirror, "epoch-hub-external", 4).scores if s.quantity_id == "epoch_hle" and "prompt" in s.setting
    ]


def test_a_model_before_its_release_day_is_the_model_and_its_run_is_dated(mirror: Path) -> None:
    early = [s for s in reading(mirror, "epoch-hub", 4).scores if "before the model was released" in s.note]

    assert {"gpt-5.5", "gpt-5.5-pro"} == {score.subject for score in early}
    assert not [s for s in reading(mirror, "epoch-hub", 4).scores if "pre-release" in s.subject]


def test_a_web_app_of_a_dated_model_is_a_setting(mirror: Path) -> None:
    rows = {s.setting for s in reading(mirror, "epoch-hub", 4).scores if s.subject == "gpt-5.4-pro-2026-03-05"}

    assert {"agent=web-app", "effort=xhigh"} <= rows


def test_rows_of_the_second_import_repeat_the_first_and_are_left_out(mirror: Path) -> None:
    reason = "a model and agent of an earlier import, to more digits"
    rows = [s for s in scores(mirror, "epoch-hub-external", "epoch_terminal_bench", 2) if s.subject == "claude-sonnet-4-5-20250929"]

    assert [reading(mirror, "epoch-hub-external", place).skipped.get(reason, 0) for place in range(5)] == [0, 1, 50, 50, 50]
    assert [(s.setting, s.value) for s in rows if "mini-swe-agent" in s.setting] == [("agent=mini-swe-agent", 0.425)]


def test_a_download_without_a_board_is_an_ordinary_one(mirror: Path) -> None:
    assert [len(scores(mirror, "epoch-hub-external", "epoch_metr_horizon_50", place)) for place in (1, 2, 3, 4)] == [33, 0, 0, 0]
    assert list(reading(mirror, "epoch-hub", 5).rows) == ["data/raw/epoch_capabilities_index.csv"]


def test_tables_in_two_folders_are_two_downloads_and_refused(mirror: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gpqa_diamond.csv").write_text("Model version\n", encoding="utf-8")

    with pytest.raises(UnreadableError, match="tables in 2 folders"):
        sources.find("epoch-hub")(tmp_path)
    with pytest.raises(UnreadableError, match="no table of the hub"):
        sources.find("epoch-hub")(mirror / source("weirdml").vintages[0].directory)


def test_a_download_states_makers_and_release_dates_of_its_models(mirror: Path) -> None:
    stated = {model.subject: model for model in reading(mirror, "epoch-hub", 4).models if model.released_on}

    assert (stated["gpt-5.5"].released_on, stated["gpt-5.5"].organisation) == ("2026-04-23", "OpenAI")
    assert stated["muse-spark"].released_on == "2026-04-08"


def test_what_epoch_collected_is_never_in_the_source_that_may_be_copied() -> None:
    table = csv_files.read(REGISTRY / "licences.csv", "licences.csv", formats.LICENCES)
    granted = {row.quantity_id for row in table.items if row.source_id == "epoch-hub" and row.grant == "granted"}

    assert {row.quantity_id for row in embedded("epoch-hub")} <= granted
    assert {row.quantity_id for row in table.items if row.grant == "forbidden"} >= {"epoch_arc_agi", "epoch_webdev_arena_elo"}


# epoch-eci


def test_the_scores_of_the_index_are_quantities_of_their_own_and_sum_to_the_matrix(mirror: Path) -> None:
    own, others = (len(scores_of_matrix(mirror, name)) for name in ("epoch-eci", "epoch-eci-external"))

    assert (own, others) == (691, 1558)
    assert len(scores(mirror, "epoch-eci", "epoch_eci_index")) == 222


def scores_of_matrix(mirror: Path, name: str) -> list[Score]:
    return [score for score in reading(mirror, name).scores if score.quantity_id != "epoch_eci_index"]


def test_a_score_of_the_index_is_the_raw_one_less_chance_over_what_can_be_reached(mirror: Path) -> None:
    raw = max(s.value for s in scores(mirror, "epoch-hub", "epoch_gpqa_diamond", 1) if s.subject == "claude-opus-4-20250514")
    row = one(mirror, "epoch-eci", "epoch_eci_gpqa_diamond", "Claude Opus 4")

    assert row.value == pytest.approx((raw - 0.25) / 0.75, abs=1e-9)


def test_zeros_of_the_index_say_what_they_are_and_its_anchors_have_no_interval(mirror: Path) -> None:
    rows = [score for name in ("epoch-eci", "epoch-eci-external") for score in scores_of_matrix(mirror, name)]
    notes = {s.subject: s.note for s in scores(mirror, "epoch-eci", "epoch_eci_index")}

    assert sum(score.value == 0 for score in rows) == 52
    assert all("at or below chance" in score.note for score in rows if score.value == 0)
    assert [name for name, note in notes.items() if note == "an anchor of the scale"] == ["GPT-5", "Claude 3.5 Sonnet"]
    assert notes["GPT-5.6 Sol"] == "90 % interval 159.11 to 164.85"


def test_the_first_vintage_joins_release_dates_and_has_none_of_its_own() -> None:
    dated = [row.subject_id for row in embedded("epoch-hub") if models()[row.subject_id].released_on]

    assert len(set(dated)) > 250
    assert "epoch-hub: " in models()["openai/gpt-5-2025-08-07"].release_source


# epoch-models


def test_notes_with_commas_quotes_and_line_breaks_do_not_move_a_cell(mirror: Path) -> None:
    assert one(mirror, "epoch-models", "epoch_training_flops", "Grok 4").value == 5.0000000000001e26
    assert [score for score in reading(mirror, "epoch-models").scores if "\n" in score.subject] == []


def test_a_guess_says_it_is_one(mirror: Path) -> None:
    notes = Counter(score.note for score in scores(mirror, "epoch-models", "epoch_training_flops") if score.status == "reported")

    assert notes["confidence: Speculative"] > 10
    assert all(note.startswith("confidence: ") for note in notes)


def test_the_compute_of_a_fine_tune_is_suspect(mirror: Path) -> None:
    tuned = [score for score in scores(mirror, "epoch-models", "epoch_training_flops") if score.status == "suspect"]

    assert len(tuned) > 30
    assert all("base model" in score.note for score in tuned)


def test_names_in_another_alphabet_resolve_by_alias() -> None:
    aliases = csv_files.read(REGISTRY / "aliases.csv", "aliases.csv", formats.ALIASES).items
    ids = {row.alias: row.id for row in aliases if row.source_id == "epoch-models"}

    assert ids["ERNIE-4.5-VL-424B-A47B (文心大模型4.5)"].isascii()


# livebench


def test_averages_are_means_of_categories_and_not_of_subtasks(mirror: Path) -> None:
    folder = mirror / source("livebench").vintages[-1].directory / "public"
    with (folder / "table_2024_06_24.csv").open(encoding="utf-8", newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["model"] == "gpt-4o-2024-05-13")
    reasoning = (float(row["web_of_lies_v2"]) + float(row["zebra_puzzle"])) / 200
    found = {s.quantity_id: s.value for s in reading(mirror, "livebench").scores if s.subject == "gpt-4o-2024-05-13"}
    parts = [
        found[f"livebench_2024_06_24_{name}"] for name in ("reasoning", "coding", "mathematics", "data_analysis", "language", "if")
    ]

    assert reasoning == pytest.approx(found["livebench_2024_06_24_reasoning"], abs=1e-9)
    assert found["livebench_2024_06_24_overall"] == pytest.approx(sum(parts) / 6, abs=1e-9)


def test_every_release_has_its_own_quantities(mirror: Path) -> None:
    releases = {score.quantity_id[10:20] for score in reading(mirror, "livebench").scores}

    assert len(releases) == 11


def test_a_row_three_cells_short_is_left_out_and_a_missing_subtask_gives_no_mean(mirror: Path) -> None:
    found = reading(mirror, "livebench")

    assert found.skipped["a row with too few cells: none can be told apart"] == 1
    assert [score for score in found.scores if score.subject == "nemotron-3-super-120b-a12b"] == []
    assert found.skipped["a subtask is missing: no mean of the category"] == 1


def test_effort_variants_of_livebench_are_one_model(mirror: Path) -> None:
    rows = [s for s in scores(mirror, "livebench", "livebench_2026_01_08_overall") if s.subject == "gpt-5.2-2025-12-11"]

    assert {"effort=high", "effort=low", "effort=medium", "effort=nothinking"} == {score.setting for score in rows}
    assert [s.subject for s in reading(mirror, "livebench").scores if s.subject.endswith(("-effort", "-high", "-64k"))] == []


# aider


def test_the_day_of_a_run_is_not_the_day_it_was_known(mirror: Path) -> None:
    row = one(mirror, "aider", "aider_polyglot_pass_rate_2", "gpt-5", "effort=high;format=diff")

    assert (row.value, row.n, row.note) == (0.88, 225, "run 2025-08-23")
    assert {date(2026, 5, 22)} == {row.known_on for row in embedded("aider")}


def test_quantised_copies_are_one_model_under_several_settings(mirror: Path) -> None:
    quant = [s for s in scores(mirror, "aider", "aider_edit_pass_rate_2") if "/quant.yml" in s.file]

    assert {"Qwen2.5-Coder-32B-Instruct"} == {score.subject for score in quant}
    assert len({score.setting for score in quant}) == 13  # of 14 rows one repeats a run of the edit table
    assert {"Qwen3-235B-A22B", "Qwen3 235B A22B", "Qwen3-32B"} == {
        s.subject for s in scores(mirror, "aider", "aider_polyglot_pass_rate_2") if "/qwen3" in s.file
    }


def test_a_cost_of_zero_is_unknown(mirror: Path) -> None:
    assert all(s.value > 0 for s in reading(mirror, "aider").scores if s.quantity_id.endswith("_cost"))
    assert reading(mirror, "aider").skipped["cost 0.0 or none: unknown"] == 102


def test_runs_over_another_number_of_exercises_are_suspect(mirror: Path) -> None:
    cases = {(s.subject, s.n) for s in reading(mirror, "aider").scores if s.status == "suspect"}

    assert {("gpt-4-turbo-2024-04-09", 33), ("o1-mini", 36), ("o1-mini-2024-09-12", 225)} == cases


# weirdml


def test_variants_that_share_a_slug_are_settings_of_one_model(mirror: Path) -> None:
    rows = [score for score in scores(mirror, "weirdml", "weirdml_accuracy") if score.subject == "gpt-5.2"]

    assert {"effort=xhigh", "effort=medium", "effort=no-thinking"} == {score.setting for score in rows}


def test_two_to_nine_runs_carry_a_standard_error(mirror: Path) -> None:
    row = one(mirror, "weirdml", "weirdml_shapes_easy", "claude-opus-4.6", "effort=adaptive")

    assert (row.value, row.n, round(row.stderr or 0, 9)) == (0.974, 2, 0.002)
    assert all(score.stderr for score in scores(mirror, "weirdml", "weirdml_accuracy"))


def test_no_chance_level_is_made_up_for_weirdml() -> None:
    cards = csv_files.read(REGISTRY / "quantities.csv", "quantities.csv", formats.QUANTITIES).items

    assert {None} == {row.chance for row in cards if row.resolver == "weirdml"}


# metr-horizon


def test_one_model_has_two_horizons_by_version_in_minutes(mirror: Path) -> None:
    first = one(mirror, "metr-horizon", "metr_horizon_v1_0_50", "claude_3_5_sonnet")
    second = one(mirror, "metr-horizon", "metr_horizon_v1_1_50", "claude_3_5_sonnet_20240620", "agent=inspect")

    assert (first.value, second.value) == (18.683233, 10.771603)
    assert (
        len(scores(mirror, "metr-horizon", first.quantity_id)),
        len(scores(mirror, "metr-horizon", second.quantity_id)),
    ) == (33, 17)


def test_the_doubling_time_is_no_model(mirror: Path) -> None:
    assert [s for s in reading(mirror, "metr-horizon").scores if "doubling" in s.subject or "stitched" in s.subject] == []


# lmarena


def test_zero_is_not_a_rating(mirror: Path) -> None:
    assert min(score.value for score in scores(mirror, "lmarena", "lmarena_text_elo", 0)) > 700
    assert reading(mirror, "lmarena", 0).skipped["cells of 0.0: not on the board"] == 10419


def test_a_model_that_leaves_the_board_is_withdrawn_on_that_day() -> None:
    rows = [row for row in embedded("lmarena") if row.subject_id == "anthropic/claude-v1"]

    assert list(dict.fromkeys(row.status for row in rows)) == ["reported", "revised", "withdrawn"]
    assert rows[-1].known_on < date(2023, 12, 31)


def test_each_board_is_known_on_its_own_day_and_only_changes_are_rows(mirror: Path) -> None:
    folder = mirror / source("lmarena").vintages[0].directory
    with (folder / "output" / "result.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    day = next(row for row in table if row[""] == "20240305")
    state: dict[str, ObservationRow] = {}
    for row in sorted(embedded("lmarena"), key=lambda row: row.known_on):
        if row.quantity_id == "lmarena_text_elo" and row.known_on <= date(2024, 3, 5):
            state[row.subject_id + row.setting] = row
    ours = sorted(row.value for row in state.values() if row.status != "withdrawn")
    theirs = sorted(round(float(cell), 6) for name, cell in day.items() if name and float(cell) > 0)

    assert theirs == pytest.approx(ours, abs=2e-6)


def test_the_board_of_august_2025_is_anchored_otherwise() -> None:
    last = {row.subject_id: row.value for row in embedded("lmarena") if row.quantity_id == "lmarena_text_elo" and not row.setting}
    later = {row.subject_id: row.value for row in embedded("lmarena") if row.quantity_id.endswith("2025_08") and not row.setting}
    shifts = [later[name] - last[name] for name in later if name in last]

    assert len(shifts) > 150
    assert 10 < median(shifts) < 40
    assert sum(shift > 0 for shift in shifts) > 0.95 * len(shifts)


def test_an_interval_in_text_is_a_standard_error(mirror: Path) -> None:
    row = one(mirror, "lmarena", "lmarena_text_elo_2025_08", "Yi-34B-Chat")

    assert (1134.0, 15917, round(6 / 1.96, 6)) == (row.value, row.n, row.stderr)
    assert reading(mirror, "lmarena").skipped["the same row printed twice"] == 1


# sloth


def test_only_the_plain_columns_of_the_second_leaderboard_are_rescaled(mirror: Path) -> None:
    raw = one(mirror, "sloth", "openllm2_bbh", "Qwen/Qwen2-7B")
    plain = one(mirror, "sloth", "openllm2_bbh_normalised", "Qwen/Qwen2-7B")
    first = one(mirror, "sloth", "openllm1_mmlu", "Qwen/Qwen2-7B")

    assert (raw.value, plain.value) == (0.53, 0.3471)
    assert first.value == pytest.approx(0.7, abs=0.02)


def test_merged_flagged_and_tuned_models_of_the_community_are_left_out(mirror: Path) -> None:
    found = reading(mirror, "sloth")
    makers = {score.subject.split("/")[0] for score in found.scores if "/" in score.subject}

    assert {"paloalma", "dnhkng", "MaziyarPanahi"} & makers == set()
    assert found.skipped["old leaderboard: not by a maker in the list"] == 6795
    assert found.skipped["new leaderboard: not by a maker in the list"] == 519


def test_one_model_in_several_precisions_is_one_model(mirror: Path) -> None:
    rows = Counter(s.subject for s in scores(mirror, "sloth", "openllm1_mmlu"))
    several = {name for name, count in rows.items() if count > 1}
    precisions = {s.setting for s in scores(mirror, "sloth", "openllm1_mmlu")}

    assert len(several) > 5
    assert {"", "precision=float16", "precision=4bit", "precision=8bit"} >= precisions


def test_columns_with_an_emoji_or_an_arrow_are_read_past(mirror: Path) -> None:
    folder = mirror / source("sloth").vintages[-1].directory
    header = (folder / "data/open-llm-leaderboard_old.csv").read_text(encoding="utf-8").split("\n", 1)[0]

    assert "⬆️" in header
    assert "❤️" in header
    assert len(scores(mirror, "sloth", "openllm1_arc_challenge")) > 200


def test_true_means_not_merged_in_both_leaderboards(mirror: Path) -> None:
    folder = mirror / source("sloth").vintages[-1].directory / "data"
    shares = {}
    for name, column in (("old", "Merged"), ("new", "Not_Merged")):
        with (folder / f"open-llm-leaderboard_{name}.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for kind, mark in (("merges", "🤝"), ("pre-trained", "🟢")):
            marked = [row for row in rows if row["T"] == mark]
            shares[name, kind] = sum(row[column] == "True" for row in marked) / len(marked)

    assert shares["old", "merges"] < 0.5 < shares["old", "pre-trained"]
    assert shares["new", "merges"] < 0.5 < shares["new", "pre-trained"]


# evalplus


def test_a_null_of_evalplus_is_missing_and_no_size_is_taken(mirror: Path) -> None:
    rows = {score.subject for score in scores(mirror, "evalplus", "evalplus_mbpp")}

    assert "Code-13B" not in rows
    assert {"evalplus_humaneval", "evalplus_humaneval_plus", "evalplus_mbpp", "evalplus_mbpp_plus"} == {
        score.quantity_id for score in reading(mirror, "evalplus").scores
    }


def test_mbpp_plus_says_that_it_had_two_versions(mirror: Path) -> None:
    assert all("two versions" in score.note for score in scores(mirror, "evalplus", "evalplus_mbpp_plus"))


# alpaca-eval


def test_the_null_model_and_ensembles_are_not_models(mirror: Path) -> None:
    found = reading(mirror, "alpaca-eval")
    subjects = {score.subject for score in found.scores}

    assert [name for name in subjects if re.search(r"NullModel|MoA\b|Aligner|PairRM 0\.4B|Adversarial", name)] == []
    assert found.skipped["adversarial: made to cheat the judge, not a model"] == 2
    assert found.skipped["several models at work together, not a model"] == 21


def test_two_rows_of_one_name_are_both_suspect(mirror: Path) -> None:
    twice = [s for s in scores(mirror, "alpaca-eval", "alpaca_eval_win_rate") if s.status == "suspect"]

    assert {"GPT 3.5 Turbo (06/13)"} == {score.subject for score in twice}
    assert len({score.value for score in twice}) == 2


# shapes: made-up values, real headers


def put(folder: Path, path: str, content: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return folder


ALPACA = "docs/data_AlpacaEval_2/weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
ARENA = "rank,rank_stylectrl,model,arena_score,95_pct_ci,votes,organization,license,knowledge_cutoff,url\n"


def test_shape_of_alpaca_eval(tmp_path: Path) -> None:
    header = "name,length_controlled_winrate,win_rate,avg_length,link,samples,filter\n"
    put(tmp_path, ALPACA, header + "NullModel (adversarial),99,98,1,,,\nMade Up 7B (best-of-16),12.5,10,100,,,\n")
    found = sources.find("alpaca-eval")(tmp_path)

    assert [(score.subject, score.setting, score.value) for score in found.scores] == [
        ("Made Up 7B", "sampling=best-of-16", 0.125),
        ("Made Up 7B", "sampling=best-of-16", 0.1),
    ]


def test_shape_of_an_arena_board(tmp_path: Path) -> None:
    put(tmp_path, "csv/lmarena_text.csv", ARENA + "1,1,Made-Up (thinking-8k),1234,+5/-7,99,,,,\n")
    (score,) = sources.find("lmarena")(tmp_path).scores

    assert (score.subject, score.setting, score.value, score.n) == ("Made-Up", "effort=thinking-8k", 1234.0, 99)
    assert score.stderr == pytest.approx(6 / 1.96)


def test_shape_of_an_arena_history(tmp_path: Path) -> None:
    put(tmp_path, "output/result.csv", ",made-up-a,made-up-b\n20230102,1000.5,0.0\n20230109,0.0,900.25\n20230116,1001.5,900.25\n")
    found = sources.find("lmarena")(tmp_path).scores
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for score in found:
        rows[score.subject].append((score.known_on and score.known_on.day, score.value, score.status))

    assert rows["made-up-a"] == [(2, 1000.5, "reported"), (9, 1000.5, "withdrawn"), (16, 1001.5, "reported")]


@pytest.mark.parametrize(
    ("name", "path", "content", "expected"),
    [
        ("lmarena", "csv/lmarena_text.csv", ARENA + "1,1,Made-Up,1234,about 5,99,,,,\n", "an interval such as \\+5/-5"),
        ("lmarena", "csv/lmarena_text.csv", ARENA + "1,1,A,1,+5/-5,9,,,,\n2,1,A,2,+5/-5,9,,,,\n", "expected 1 as in row 2"),
        ("lmarena", "output/result.csv", ",made-up-a\nyesterday,1\n", "a date such as 20230508"),
        ("evalplus", "results.json", '{"Made Up": {"prompted": "yes", "pass@1": {}}}', "true or false"),
        ("evalplus", "results.json", '{"Made Up": {"prompted": true, "pass@1": {"humanevil": 1}}}', "is it now humanevil"),
        ("alpaca-eval", ALPACA, "name,win_rate\nA,1\n", "length_controlled_winrate: found no such column"),
        ("metr-horizon", "benchmark_results_1_0.yaml", "benchmark_name: METR-Horizon-v9\n", "expected one of METR-Horizon-v1"),
        ("metr-horizon", "benchmark_results_1_0.yaml", "{", "expected YAML"),
        ("aider", "aider/website/_data/polyglot_leaderboard.yml", "model: x\n", "found dict, expected a list of runs"),
        ("aider", "aider/website/_data/polyglot_leaderboard.yml", "- {dirname: 1}\n", "column dirname: found 1"),
        ("weirdml", "data/weirdml_results.json", '{"tasks": ["a"], "models": {"m": {"display_name": ""}}}', "expected a name"),
    ],
)
def test_a_changed_shape_is_refused_with_its_place(name: str, path: str, content: str, expected: str, tmp_path: Path) -> None:
    put(tmp_path, path, content)

    with pytest.raises(RecordError, match=expected):
        sources.find(name)(tmp_path)
