"""Any table comes in by a mapping file of a few lines; what nobody said of a unit, a bound or a name is asked, never guessed."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.conftest import ROOT

from foresaid.cli.main import main
from foresaid.errors import ForesaidError, ParameterError, RecordError
from foresaid.registry import load, source_card
from foresaid.registry.additions import add_alias
from foresaid.registry.update.import_results import bring_in_table
from foresaid.registry.update.revisions import UpstreamRevision
from foresaid.sources import _loader as sources

KNOWN, TODAY = date(2026, 11, 20), date(2026, 11, 21)
RUNS = """\
run: id
family: repeated-data
values:
  params: params_total
  tokens: training_tokens
  loss:
    {quantity: my_c4_loss, title: Loss on C4, kind: loss, unit: nats_per_token, lower: 0, upper: 20, direction: lower}
"""
BOARD = """\
model: Model
released_on: Release Date
values:
  SWE-Bench Verified: {quantity: my_swe, kind: benchmark, unit: fraction, lower: 0, upper: 1, chance: 0, direction: higher}
  Cybench: {quantity: my_cybench, kind: benchmark, unit: fraction, lower: 0, upper: 1, chance: 0, direction: higher}
"""
CHECKPOINTS = """\
run: [width, depth]
checkpoint: step
family: gemstones
values:
  tokens: training_tokens
  params_active_precise: params_total
  final_loss: {quantity: my_loss, kind: loss, unit: nats_per_token, lower: 0, upper: 20, direction: lower}
"""
SIZES = """\
model: Model
values:
  "#Params (B)": {quantity: params_total, times: 1e9}
  Pretraining Data Size (T): {quantity: training_tokens, times: 1e12}
  FLOPs (1E21): {quantity: training_flops, times: 1e21}
  IFEval: {quantity: my_ifeval, kind: benchmark, unit: fraction, lower: 0, upper: 1, chance: 0, direction: higher}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """The catalogue of the shipped record and the cards of its sources."""
    home = tmp_path / "registry"
    home.mkdir()
    for name in ("models.csv", "quantities.csv", "aliases.csv", "merges.csv", "licences.csv"):
        shutil.copy(ROOT / "registry" / name, home / name)
    for folder in sorted((ROOT / "registry" / "sources").iterdir()):
        (home / "sources" / folder.name).mkdir(parents=True)
        shutil.copy(folder / "source.toml", home / "sources" / folder.name / "source.toml")
    return home


def bring(registry: Path, table: Path, mapping: str, accept: bool = False, repeats: str = "refuse") -> UpstreamRevision:
    how = registry.parent / "map.yaml"
    how.write_text(mapping)
    return bring_in_table(table, how, "mine", KNOWN, registry, TODAY, "Me", "CC0-1.0", accept, repeats)


def table(registry: Path, text: str, name: str = "table.csv") -> Path:
    path = registry.parent / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(registry: Path, path: Path, mapping: str) -> str:
    before = {path: path.read_bytes() for path in registry.rglob("*") if path.is_file()}
    with pytest.raises(ForesaidError) as caught:
        bring(registry, path, mapping)
    assert before == {path: path.read_bytes() for path in registry.rglob("*") if path.is_file()}
    return str(caught.value)


def rows(registry: Path) -> list[dict[str, str]]:
    load.load(registry, ["mine"], today=TODAY)  # what came in passes the gate
    with (registry / "sources/mine/observations.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_sizes_and_losses_of_a_real_table_are_what_its_own_reader_reads(registry: Path, mirror: Path) -> None:
    folder = mirror / "linhaowei1+SLD@2025-08-09"
    path = folder / "data/data_constrained_scaling_law/data.csv"
    assert len(RUNS.splitlines()) <= 10
    bring(registry, path, RUNS)
    ours = sorted(float(row["value"]) for row in rows(registry) if row["quantity_id"] == "my_c4_loss")
    found = sources.read("data-constrained", sources.find("data-constrained"), folder)
    theirs = sorted(score.value for score in found.scores if "loss" in score.quantity_id)

    assert len(ours) == 182
    assert ours == theirs
    assert load.read_catalogue(registry)[0].known.quantities["my_c4_loss"].kind == "loss"
    assert source_card.read(registry / "sources/mine/source.toml", "s", "mine").unlicensed is False


def test_a_board_no_reader_is_written_for_comes_in_by_name(registry: Path, mirror: Path) -> None:
    path = next(mirror.glob("pimpale+*")) / "graphs/data_models/cache_new/agentic_benchmark.csv"
    for size in ("8b", "70b", "405b"):  # asked for: the host and its own compression are in the name
        spelling = f"together/meta-llama--Meta-Llama-3.1-{size.upper()}-Instruct-Turbo"
        assert spelling in refused(registry, path, BOARD)
        add_alias(registry, spelling, f"meta-llama/llama-3.1-{size}-instruct", "*", "model")
    change = bring(registry, path, BOARD, accept=True)
    with path.open(encoding="utf-8", newline="") as stream:
        cells = list(csv.DictReader(stream))

    assert len(rows(registry)) == sum(bool(row["SWE-Bench Verified"]) + bool(row["Cybench"]) for row in cells)
    assert f"rows: {len(cells)} upstream in 1 tables" in "\n".join(change.lines())


def test_a_file_of_checkpoints_comes_in_as_checkpoints_of_their_runs(registry: Path, mirror: Path) -> None:
    path = next(mirror.glob("mcleish7+*")) / "benchmarks/fineweb_dclm_losses_combined.jsonl"
    bring(registry, path, CHECKPOINTS)
    _, loaded = load.load(registry, ["mine"])
    subjects = loaded[0].subjects

    assert {row.kind for row in subjects} == {"checkpoint"}
    assert (len({row.run for row in subjects}), len(subjects)) == (22, 22 * 35)
    assert loaded[0].frame.height == 3 * 22 * 35


def test_sizes_in_billions_and_trillions_become_plain_numbers(registry: Path, mirror: Path) -> None:
    path = next(mirror.glob("felipemaiapolo+*")) / "data/data_v1.csv"
    text = path.read_text(encoding="utf-8").splitlines()
    change = bring(registry, table(registry, "\n".join(text[:2]) + "\n"), SIZES)
    found = {row["quantity_id"]: row["value"] for row in rows(registry)}

    assert change.rows == 4
    assert found == {
        "params_total": "34000000000",
        "training_tokens": "3500000000000",
        "training_flops": "7.14e+23",
        "my_ifeval": "0.28",
    }
    slip = refused(registry, table(registry, "\n".join(text[:2]) + "\n"), SIZES.replace("times: 1e12", "times: 1"))
    assert "found 3.5, expected" in slip


LOSSES = "name,step,N,D,loss\na,1,1e8,2e9,3.1\na,2,1e8,4e9,n/a\nb,1,2e8,2e9,2.9\n"
MAP = "run: name\ncheckpoint: step\nfamily: f\nvalues: {N: params_total, D: training_tokens, loss: gadre_c4_loss}\n"


def test_an_empty_cell_is_no_value_and_percent_is_a_hundredth(registry: Path) -> None:
    bring(registry, table(registry, LOSSES), MAP)
    assert len(rows(registry)) == 8
    board = "model: m\nvalues: {s: mmlu}\nsetting: {effort: e, shots: k}\nwhere: {split: test}\n"
    bring(registry, table(registry, "m,s,e,k,split\ngpt2,31%,High,5,test\ngpt2,0.99,High,5,dev\n", "b.csv"), board)
    last = next(row for row in rows(registry) if row["quantity_id"] == "mmlu")
    assert (last["value"], last["setting"]) == ("0.31", "effort=high;shots=5")


@pytest.mark.parametrize(
    ("text", "mapping", "expected"),
    [
        (
            LOSSES,
            MAP.replace("gadre_c4_loss", "my_loss"),
            "expected its unit, kind, lower, upper, direction in the mapping: a new quantity",
        ),
        (LOSSES, MAP.replace("loss:", "los:"), "column los: found no such column, expected this column; is it loss?"),
        (LOSSES, MAP.replace("family: f\n", ""), "column family: found nothing"),
        (LOSSES, MAP + "model: name\n", "both or none of model and run"),
        (LOSSES, MAP + "unit: nats\n", "Object contains unknown field"),
        (LOSSES, "run: [", "expected YAML in UTF-8"),
        (LOSSES, MAP + "setting: {temperature: step}\n", "found temperature, expected one of effort"),
        (
            LOSSES,
            MAP.replace("D: training_tokens", "D: {quantity: training_tokens, times: billions}"),
            "expected a number such as 1e9",
        ),
        (LOSSES.replace("3.1", "3.1 nats"), MAP, "row 2, column loss: found 3.1 nats, expected a plain number, or nothing"),
        (LOSSES.replace("3.1", "0"), MAP, "expected a loss above 0"),
        (LOSSES.replace("4e9", "4"), MAP, "write plain numbers: 2.06 billion is 2060000000"),
        (LOSSES.replace("a,2", "a,1"), MAP, "2 runs: 2000000000.0, 4000000000.0, expected one value of training_tokens"),
        (LOSSES.replace("a,2,1e8", "a,2"), MAP, "found 4 cells, expected 5 cells"),
        (LOSSES.replace("D,loss", "D,D"), MAP, "the column twice"),
        (LOSSES, MAP.replace("values: {N: params_total", "values: {N: param_total"), "or did you mean params_total?"),
        ("m,s\nnobody-9b,0.5\n", "model: m\nvalues: {s: mmlu}\n", "found nobody-9b, expected a model of models.csv"),
        ("m,s\ngpt2,0.5\ngpt2,0.6\n", "model: m\nvalues: {s: mmlu}\n", "give --repeats mean or --repeats apart"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line_and_nothing_is_written(
    text: str, mapping: str, expected: str, registry: Path
) -> None:
    assert expected in refused(registry, table(registry, text), mapping)


def test_repeated_runs_are_refused_kept_apart_or_their_mean(registry: Path) -> None:
    path = table(registry, "m,s\ngpt2,0.24\ngpt2,0.34\ngpt2,0.32\n")
    mapping = "model: m\nvalues: {s: mmlu}\n"
    bring(registry, path, mapping, repeats="mean")
    mean = rows(registry)[0]
    assert float(mean["value"]) == pytest.approx(0.3, rel=1e-12)
    assert mean["note"] == "mean of 3 runs"
    assert float(mean["stderr"]) == pytest.approx((0.0056 / 2) ** 0.5 / 3**0.5, rel=1e-9)  # deviations -.06, .04, .02
    bring(registry, path, mapping, repeats="apart")
    assert sorted(row["setting"] for row in rows(registry)) == ["", "record=run-1", "record=run-2", "record=run-3"]
    with pytest.raises(ParameterError, match="expected one of refuse, apart, mean"):
        bring(registry, path, mapping, repeats="median")


def test_the_command_reads_a_table_by_its_mapping(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(registry.parent)
    shutil.copy(ROOT / "params.yaml", registry.parent)
    table(registry, json.dumps({"name": "a", "N": 1e8, "D": 2e9, "loss": 3.1}) + "\n", "runs.jsonl")
    (registry.parent / "map.yaml").write_text(MAP.replace("checkpoint: step\n", ""))
    words = ["import", "runs.jsonl", "--mapping", "map.yaml", "--source", "mine", "--known-on", "2026-11-20"]
    done = CliRunner().invoke(main, words)

    assert done.exit_code == 0, done.output
    assert "mine: 3 rows and 1 subjects appended" in done.output
    assert "its licence is unclear" in done.output
    assert "0 rows and 0 subjects appended" in CliRunner().invoke(main, words).output
    assert CliRunner().invoke(main, [*words, "--as", "eee"]).exit_code == 2


def test_a_table_that_is_no_text_is_refused(registry: Path) -> None:
    path = registry.parent / "table.csv"
    path.write_bytes(b"m,s\n\xff,1\n")
    with pytest.raises(RecordError, match="found byte 0xff at 4, expected UTF-8"):
        bring(registry, path, "model: m\nvalues: {s: mmlu}\n")
