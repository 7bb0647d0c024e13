"""Importing a user's results: one command, nothing created silently, nothing in part, and nothing the second time."""

from __future__ import annotations

import copy
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import ROOT
from tests.sources._formats.test_every_eval_ever import RECORD, result_of
from tests.sources._formats.test_helm import SPEC, STATS
from tests.sources._formats.test_inspect_log import LOG
from tests.sources._formats.test_lm_eval import NEW
from tests.sources._formats.test_open_llm_leaderboard import FILE as V1

from foresaid.cli.main import main
from foresaid.errors import ForesaidError, ParameterError, RecordError
from foresaid.registry import csv_files, formats, source_card
from foresaid.registry import load as ingest
from foresaid.registry.update import import_results
from foresaid.registry.update.revisions import UpstreamRevision

TODAY = date(2026, 11, 21)
KNOWN = date(2026, 11, 20)
HELM = "evaleval+every_eval_ever@2026-02-12/data/helm_lite/microsoft"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """The catalogue of the shipped record with a source for own runs, and aliases for two quantities and a model."""
    home = tmp_path / "registry"
    home.mkdir()
    for name in ("models.csv", "quantities.csv", "aliases.csv"):
        shutil.copy(ROOT / "registry" / name, home / name)
    for folder in sorted((ROOT / "registry" / "sources").iterdir()):
        (home / "sources" / folder.name).mkdir(parents=True)
        shutil.copy(folder / "source.toml", home / "sources" / folder.name / "source.toml")
    assert import_results.open_source("my-runs", home, TODAY)
    add_aliases(
        home,
        ("My Board: MMLU", "quantity", "mmlu"),
        ("lm-eval: mmlu acc 0-shot", "quantity", "mmlu"),
        ("lm-eval: gsm8k exact_match [strict-match]", "quantity", "gsm8k"),
        ("org/model", "model", "eleutherai/pythia-70m-deduped"),
    )
    return home


def add_aliases(registry: Path, *rows: tuple[str, str, str]) -> None:
    table = csv_files.read(registry / "aliases.csv", "aliases.csv", formats.ALIASES).items
    fresh = [formats.AliasRow(alias, "my-runs", kind, target) for alias, kind, target in rows]
    (registry / "aliases.csv").write_bytes(csv_files.dump([*table, *fresh], formats.ALIASES))


def write(folder: Path, name: str, tree: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def bring(registry: Path, *paths: Path, known_on: date = KNOWN) -> UpstreamRevision:
    return import_results.bring_in(import_results.read_files(paths), "my-runs", known_on, registry, TODAY)


def contents(registry: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((registry / "sources" / "my-runs").iterdir())}


def rows(registry: Path) -> list[tuple[str, str, str, float]]:
    observations, _ = ingest.read_tables(registry, "my-runs", registry / "sources" / "my-runs")
    return [(row.subject_id, row.quantity_id, row.setting, row.value) for row in observations.items]


def known_tasks() -> dict[str, Any]:
    tree = copy.deepcopy(NEW)
    del tree["results"]["mmlu_anatomy"], tree["results"]["gsm8k"]["exact_match,flexible-extract"]
    return tree


def test_both_formats_come_in_with_their_scale_and_settings(registry: Path, tmp_path: Path) -> None:
    board, runs = write(tmp_path, "board.json", RECORD), write(tmp_path, "results_1.json", known_tasks())

    change = bring(registry, board, runs)

    name = "eleutherai/pythia-70m-deduped"
    assert rows(registry) == [
        (name, "gsm8k", "shots=5;version=3", 0.5),
        (name, "mmlu", "reasoning=true;temperature=0.7", 0.438),
        (name, "mmlu", "version=2", 0.25),
    ]
    assert change.rows == 3
    ingest.load(registry, ["my-runs"])


def test_the_second_import_changes_nothing(registry: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "board.json", RECORD)
    bring(registry, path)
    before = contents(registry)
    again = bring(registry, path, write(tmp_path, "copy.json", RECORD))

    assert before == contents(registry)
    assert again.rows == 0


def test_a_later_file_adds_to_the_source_and_nothing_is_gone(registry: Path, tmp_path: Path) -> None:
    bring(registry, write(tmp_path, "board.json", RECORD))
    change = bring(registry, write(tmp_path, "results_1.json", known_tasks()))
    source = source_card.read(registry / "sources/my-runs/source.toml", "source.toml", "my-runs")

    assert (change.rows, [vintage.gone for vintage in change.vintages]) == (2, [[]])
    assert [[file.path for file in vintage.files] for vintage in source.vintages] == [["board.json", "results_1.json"]]


def test_a_changed_value_is_a_revision_on_a_later_day_and_refused_on_the_same(registry: Path, tmp_path: Path) -> None:
    bring(registry, write(tmp_path, "board.json", RECORD))
    other = write(tmp_path, "board2.json", result_of("score_details", "score", value=50.0))

    with pytest.raises(RecordError, match="give the revision its own known_on"):
        bring(registry, other)
    change = bring(registry, other, known_on=TODAY)

    assert [(r.before.value, r.after.value) for r in change.vintages[0].revised] == [(0.438, 0.5)]


def test_unknown_names_are_refused_with_the_nearest_and_nothing_is_written(registry: Path, tmp_path: Path) -> None:
    tree = result_of("evaluation_name", value="MMLV")
    tree["model_info"]["id"] = "EleutherAI/pythia-70m-dedupd"
    before = contents(registry)
    good = write(tmp_path, "good.json", known_tasks())

    with pytest.raises(RecordError) as quantity:
        bring(registry, good, write(tmp_path, "x.json", tree))
    with pytest.raises(RecordError) as model:
        bring(registry, good, write(tmp_path, "y.json", {**RECORD, "model_info": tree["model_info"]}))

    assert "x.json, column /evaluation_results/0/score_details/score: found My Board: MMLV" in str(quantity.value)
    assert "did you mean My Board: MMLU?" in str(quantity.value)
    assert "did you mean eleutherai/pythia-70m-deduped?" in str(model.value)
    assert before == contents(registry)


def test_rows_are_offered_for_unknown_quantities_and_make_them_known(registry: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "results_1.json", NEW)
    quantities, aliases = import_results.new_quantities(import_results.read_files([path]), "my-runs", registry)
    for name, fresh in (("quantities.csv", quantities), ("aliases.csv", aliases)):
        text = (registry / name).read_text(encoding="utf-8")
        (registry / name).write_text(text + "".join(f"{row}\n" for row in fresh), encoding="utf-8")
    with pytest.raises(RecordError, match="`foresaid sort` puts them in order"):
        bring(registry, path)
    ingest.sort(registry)

    bring(registry, path)

    assert len(quantities) == len(aliases) == 2
    assert len(rows(registry)) == 4


def test_a_direction_that_disagrees_is_refused(registry: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", result_of("metric_config", "lower_is_better", value=True))

    with pytest.raises(RecordError, match="found lower is better, expected higher, as mmlu"):
        bring(registry, path)


def test_a_source_with_a_reader_is_not_for_imports(registry: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="foresaid update gadre"):
        import_results.bring_in(import_results.read_files([write(tmp_path, "x.json", RECORD)]), "gadre", KNOWN, registry, TODAY)


def test_a_day_to_come_is_refused(registry: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="still to come"):
        bring(registry, write(tmp_path, "x.json", RECORD), known_on=date(2027, 1, 1))


def test_the_command_needs_the_day_and_says_what_it_did(registry: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "board.json", RECORD)
    (registry.parent / "params.yaml").touch()
    words = ["--root", str(registry.parent), "import", str(path), "--source", "my-runs"]

    refused = CliRunner().invoke(main, words)
    done = CliRunner().invoke(main, [*words, "--known-on", "2026-11-20", "--recorded-on", "2026-11-21"])

    assert (refused.exit_code, done.exit_code) == (2, 0)
    assert "1 new, 0 revised, 0 gone" in done.output


def test_without_a_licence_an_import_says_that_its_rows_are_not_to_be_published(registry: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "record.json", RECORD)
    first = import_results.bring_in(import_results.read_files([path]), "my-runs", KNOWN, registry, TODAY)

    assert any("licence is unclear" in line for line in first.lines())

    later = import_results.bring_in(
        import_results.read_files([path]), "my-runs", KNOWN, registry, TODAY, publisher="Me", licence="CC0-1.0"
    )
    card = source_card.read(registry / "sources/my-runs/source.toml", "source.toml", "my-runs")

    assert not any("licence is unclear" in line for line in later.lines())
    assert (card.publisher, card.licence, card.redistribution, card.unlicensed) == ("Me", "CC0-1.0", "yes", False)
    with pytest.raises(ParameterError, match=r"found --licence 'MIT', expected 'CC0-1\.0'"):
        import_results.bring_in(import_results.read_files([path]), "my-runs", KNOWN, registry, TODAY, licence="MIT")


def test_a_file_of_no_known_layout_is_named(tmp_path: Path) -> None:
    read = import_results.read_files([write(tmp_path, "x.json", {"a": 1})])

    assert "a result file of eee, open-llm-leaderboard, inspect, helm, lm-eval" in str(read[0].results.problems[0])


# Whatever the file: no traceback, nothing in part

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(),
    st.just(10**400),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just("NaN"),
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document, as the keys that lead to it."""
    inner: list[tuple[Any, Any]] = (
        list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    )
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file with a value replaced or a key removed, then perhaps cut, doubled, nested or overwritten."""
    tree = copy.deepcopy(draw(st.sampled_from([RECORD, known_tasks()])))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.sampled_from(places(tree)[1:]))
        node = tree
        for key in place[:-1]:
            node = node[key]
        if draw(st.booleans()) and isinstance(node, dict):
            del node[place[-1]]
        else:
            node[place[-1]] = draw(LEAVES)
        if not places(tree)[1:]:
            break
    raw = json.dumps(tree).encode()
    match draw(st.sampled_from(["whole", "cut", "doubled", "nested", "overwritten"])):
        case "cut":
            raw = raw[: draw(st.integers(0, len(raw)))]
        case "doubled":
            raw = raw.replace(b'"evaluation_name"', b'"evaluation_name": "MMLU", "evaluation_name"').replace(
                b'"acc,none":', b'"acc,none": 1, "acc,none":'
            )
        case "nested":
            depth = draw(st.sampled_from([10, 100, 5000]))
            raw = raw.replace(b"null", b"[" * depth + b"]" * depth, 1)
        case "overwritten":
            at = draw(st.integers(0, len(raw)))
            raw = raw[:at] + draw(st.binary(max_size=4) | st.sampled_from([b"NaN", b"1e999", b"-Infinity"])) + raw[at + 3 :]
    return raw


@pytest.mark.slow
@given(mutated())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_mutated_file_is_imported_or_refused_whole(registry: Path, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "mutated.json"
    path.write_bytes(raw)
    before = contents(registry)
    read = import_results.read_files([path])
    message = ""
    try:
        import_results.bring_in(read, "my-runs", KNOWN, registry, TODAY)
    except ForesaidError as error:
        message = str(error)
    after = contents(registry)
    for name in after.keys() - before.keys():
        (registry / "sources/my-runs" / name).unlink()
    (registry / "sources/my-runs/source.toml").write_bytes(before["source.toml"])

    assert (before == after) == (message != "")
    assert bool(read[0].results.problems) <= (message != "")
    assert all(line.isprintable() for line in message.split("\n"))


@pytest.mark.parametrize(
    ("metric", "value", "proposed"),
    [
        ("acc", 0.459, "fraction,0,1"),
        ("bleu", 30.3, "bleu,0,100"),
        ("bleurt_acc", 0.459, "UNIT,,"),
        ("bleurt_max", -0.5266, "UNIT,,"),
        ("bleu_diff", -3.0, "UNIT,,"),
        ("rouge1_max", 59.4502, "UNIT,,"),
        ("acc", 45.9, "UNIT,,"),
        ("word_perplexity", 12.0, "UNIT,,"),
    ],
)
def test_a_unit_is_what_the_whole_name_of_the_metric_says_or_is_asked(
    metric: str, value: float, proposed: str, registry: Path, tmp_path: Path
) -> None:
    tree = {
        "results": {"new_task": {f"{metric},none": value}},
        "versions": {"new_task": 1},
        "config": {"model_args": "pretrained=acme/tiny"},
    }
    quantities, _ = import_results.new_quantities(import_results.read_files([write(tmp_path, "a.json", tree)]), "my-runs", registry)

    assert f",benchmark,{proposed}," in quantities[0]


def test_files_of_five_formats_are_told_apart_and_come_in_by_their_aliases(registry: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    paths = [write(tmp_path, "v1.json", V1), write(tmp_path, "log.json", LOG), write(tmp_path / "run", "stats.json", STATS)]
    write(tmp_path / "run", "run_spec.json", SPEC)
    names = [read.results.items[0].names[-1][0] for read in import_results.read_files(paths) if read.results.items]
    assert [name.split(":")[0] for name in names] == ["open-llm-leaderboard", "inspect", "helm"]
    quantities, _ = import_results.new_quantities(import_results.read_files(paths), "my-runs", registry)
    assert not any(",UNIT," in row for row in quantities)  # every metric of theirs has a unit by its whole name
    aliases = [
        (item.names[-1][0], "quantity", "mmlu") for read in import_results.read_files([paths[1]]) for item in read.results.items
    ]
    add_aliases(registry, *aliases, ("openai/gpt-9", "model", "eleutherai/pythia-70m-deduped"))
    bring(registry, paths[1])

    assert [value for _, _, _, value in rows(registry)] == [0.7121]
