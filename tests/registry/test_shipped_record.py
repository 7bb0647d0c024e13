"""The real record: models.csv, quantities.csv and aliases.csv say what they must, and miss nothing upstream has."""

from __future__ import annotations

import csv
import math
import os
import statistics
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from foresaid.registry import csv_files, formats
from foresaid.registry.checks import rows as quality
from foresaid.registry.csv_files import CsvTable
from foresaid.registry.formats import AliasRow, Format, ModelRow, QuantityRow, Row

REGISTRY = Path(__file__).parents[2] / "registry"
FILES: list[tuple[str, Format[ModelRow] | Format[QuantityRow] | Format[AliasRow]]] = [
    ("models.csv", formats.MODELS),
    ("quantities.csv", formats.QUANTITIES),
    ("aliases.csv", formats.ALIASES),
]
# The first public commit of the tables, and the commit that brought the forward set.
VINTAGES = {"ryoungj+ObsScaling@2024-05-31": date(2024, 5, 31), "ryoungj+ObsScaling": date(2024, 10, 1)}


def read(name: str, format: Format[Row]) -> CsvTable[Row]:
    """One of the three files, which must have no bad cell."""
    table = csv_files.read(REGISTRY / name, name, format)
    assert table.problems == []
    return table


@pytest.fixture(scope="module")
def models() -> dict[str, ModelRow]:
    return {row.model_id: row for row in read("models.csv", formats.MODELS).items}


@pytest.fixture(scope="module")
def quantities() -> dict[str, QuantityRow]:
    return {row.quantity_id: row for row in read("quantities.csv", formats.QUANTITIES).items}


@pytest.fixture(scope="module")
def aliases() -> list[AliasRow]:
    return read("aliases.csv", formats.ALIASES).items


@pytest.fixture(scope="module")
def upstream() -> dict[str, dict[str, dict[str, str]]]:
    """The rows of the ObsScaling tables by vintage and upstream spelling."""
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("FORESAID_MIRROR is not set: no upstream files to compare with")
    found: dict[str, dict[str, dict[str, str]]] = {}
    for vintage in VINTAGES:
        found[vintage] = {}
        for path in sorted((Path(mirror) / vintage / "eval_results").glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    found[vintage].setdefault(row["Model"], {}).update(row)
    return found


def test_the_files_pass_the_quality_gate() -> None:
    sources = sorted(path.parent.name for path in REGISTRY.glob("sources/*/source.toml"))
    models, quantities = read("models.csv", formats.MODELS), read("quantities.csv", formats.QUANTITIES)
    known = quality.Known({row.model_id: row for row in models.items}, {row.quantity_id: row for row in quantities.items})

    assert quality.models(models) == []
    assert quality.quantities(quantities, sources) == []
    assert quality.aliases(read("aliases.csv", formats.ALIASES), known, sources) == []


@pytest.mark.parametrize(("name", "format"), FILES)
def test_rows_are_sorted_unique_and_spelt_as_the_program_spells_them(name: str, format: Format[ModelRow]) -> None:
    keys = [tuple(row[format.header.index(column)] for column in format.key) for row in read(name, format).items]

    assert sorted(set(keys)) == keys


def test_ids_follow_their_grammar(models: dict[str, ModelRow], quantities: dict[str, QuantityRow]) -> None:
    assert [name for name in models if not quality.MODEL_ID.fullmatch(name)] == []
    assert [name for name in quantities if not quality.QUANTITY_ID.fullmatch(name)] == []


def test_a_release_date_has_a_precision_and_a_source_and_nothing_else_has(models: dict[str, ModelRow]) -> None:
    for row in models.values():
        dated = row.released_on is not None
        assert (dated, dated) == (bool(row.released_precision), bool(row.release_source)), row.model_id


def test_a_month_is_written_as_its_first_day_so_that_no_model_looks_newer_than_it_is(models: dict[str, ModelRow]) -> None:
    months = [row for row in models.values() if row.released_precision == "month"]

    assert {1} == {row.released_on.day for row in months if row.released_on}


def test_compute_is_six_times_active_parameters_times_tokens_unless_epoch_estimates_it(models: dict[str, ModelRow]) -> None:
    for row in models.values():
        if "Epoch's estimates" in row.notes:
            continue
        expected = None
        if row.params_active is not None and row.training_tokens is not None:
            expected = pytest.approx(6 * row.params_active * row.training_tokens, rel=1e-12)  # rounding of two products

        assert expected == row.training_flops, row.model_id


def test_mixtures_of_experts_have_fewer_active_parameters_than_parameters(models: dict[str, ModelRow]) -> None:
    mixtures = {
        "ai21labs/jamba-v0.1",
        "deepseek-ai/deepseek-coder-v2-base",
        "deepseek-ai/deepseek-moe-16b-base",
        "deepseek-ai/deepseek-v2",
        "mistralai/mixtral-8x22b-v0.1",
        "mistralai/mixtral-8x7b-v0.1",
        "qwen/qwen2-57b-a14b",
    }

    stated = {name: row for name, row in models.items() if row.params_active is not None}

    assert mixtures <= {name for name, row in stated.items() if row.params_active != row.params_total}


def test_chance_lies_within_the_bounds_of_its_quantity(quantities: dict[str, QuantityRow]) -> None:
    for row in quantities.values():
        assert row.lower is not None, row.quantity_id
        assert row.upper is not None, row.quantity_id
        assert row.chance is None or row.lower <= row.chance <= row.upper, row.quantity_id


def test_every_quantity_is_resolved_by_a_source_of_the_record(quantities: dict[str, QuantityRow]) -> None:
    folders = {path.name for path in (REGISTRY / "sources").iterdir() if path.is_dir()}

    assert set() == {row.resolver for row in quantities.values()} - folders


def test_every_alias_resolves_and_case_never_changes_what_it_means(
    models: dict[str, ModelRow], quantities: dict[str, QuantityRow], aliases: list[AliasRow]
) -> None:
    ids = {"model": set(models), "quantity": set(quantities)}
    meant: dict[str, set[str]] = {}
    for row in aliases:
        assert row.id in ids[row.kind], row.alias
        if row.kind == "model":
            meant.setdefault(row.alias.lower(), set()).add(row.id)

    assert [alias for alias, targets in meant.items() if len(targets) > 1] == []
    assert [alias for alias, targets in meant.items() if alias in models and {alias} != targets] == []


def test_every_upstream_model_has_an_alias_and_its_family(
    models: dict[str, ModelRow], aliases: list[AliasRow], upstream: dict[str, dict[str, dict[str, str]]]
) -> None:
    ids = {row.alias: row.id for row in aliases if row.kind == "model" and row.source_id == "obsscaling"}
    spelt = {name: row["Model Family"] for rows in upstream.values() for name, row in rows.items()}

    assert set(spelt) == set(ids)
    assert len(ids) == len(set(ids.values()))
    assert spelt == {name: models[ids[name]].family for name in spelt}


def test_every_model_was_released_before_its_scores_were_public(
    models: dict[str, ModelRow], aliases: list[AliasRow], upstream: dict[str, dict[str, dict[str, str]]]
) -> None:
    ids = {row.alias: row.id for row in aliases if row.kind == "model" and row.source_id == "obsscaling"}
    for vintage, known_on in VINTAGES.items():
        days = {name: models[ids[name]].released_on for name in upstream[vintage]}

        assert [name for name, day in days.items() if day is not None and day > known_on] == []


def test_the_forward_set_of_may_2024_is_dated(
    models: dict[str, ModelRow], aliases: list[AliasRow], upstream: dict[str, dict[str, dict[str, str]]]
) -> None:
    ids = {row.alias: row.id for row in aliases if row.kind == "model" and row.source_id == "obsscaling"}
    first, second = (set(upstream[vintage]) for vintage in VINTAGES)
    added = [models[ids[name]] for name in sorted(second - first)]
    when = Counter(
        "undated" if row.released_on is None else "after" if row.released_on > date(2024, 5, 31) else "before" for row in added
    )

    assert when == {"after": 18, "before": 22, "undated": 1}
    assert [row.model_id for row in added if row.released_on is None] == ["tinyllama/tinyllama_v1.1"]
    assert sum(models[name].released_on is None for name in set(ids.values())) == 6


def test_where_a_publisher_states_standard_errors_they_are_those_of_the_number_of_items(
    quantities: dict[str, QuantityRow],
) -> None:
    # A mean over runs, or over subjects of unlike difficulty, has a little less than the binomial error. WeirdML's 17 tasks, each a
    # share of its own, had an error eight times smaller than 17 questions: a number of tasks is no number of items.
    items = {name: row.items for name, row in quantities.items() if row.items and row.unit == "fraction"}
    ratios: dict[str, list[float]] = {}
    for path in sorted((REGISTRY / "sources").glob("*/observations.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["quantity_id"] in items and float(row["stderr"] or 0) > 0 and 0.05 < float(row["value"] or 0) < 0.95:
                    share = float(row["value"])
                    noise = math.sqrt(share * (1 - share) / items[row["quantity_id"]])
                    ratios.setdefault(row["quantity_id"], []).append(noise / float(row["stderr"]))
    found = {name: statistics.median(each) for name, each in ratios.items() if len(each) >= 20}

    assert len(found) >= 15
    assert {name: ratio for name, ratio in found.items() if not 0.75 < ratio < 1.3} == {}
