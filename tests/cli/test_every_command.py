"""Every command has a happy path: played here on a small project, or in the test named beside it, which types the command.

A command that comes without either fails the first test. What trains models, or asks more than minutes of one machine, stands in
LONG with the reason; what these commands compute is tested where it lives, and the list can only become shorter.
"""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from tests.cli.test_project import _commands
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.cli.main import main
from foresaid.cli.questions import PROTOCOLS
from foresaid.pipeline import fit

# What to type, and what the answer says.
PLAYED: dict[str, tuple[tuple[str, ...], str]] = {
    "agents": ((), "claude"),
    "experiment score": ((), "results.json"),
    "inputs": ((), "stages"),
    "database": ((), "observation"),
    "export": (("--as-of", "2024-05-31", "--source", "obsscaling", "--to", "out.csv"), "out.csv"),
    "licences": ((), "granted"),
    "ledger heads": ((), ""),
    "models list": ((), "llama"),
    "models show": (("meta-llama/llama-2-7b-hf",), "Llama"),
    "origins": (("--since", "2025-01-01"), "20"),
    "predict": (("compute_sigmoid", "gsm8k_cot", "--covariate", "training_flops=6.3e24"), "%"),
    "protocol larger": (("curves", "--alone"), "cross_entropy_power"),
    "returns": (("chinchilla",), "loss reduction per tenfold compute"),
    "select": (("--budget", "6", "--include", "Llama-2", "--max-params", "7e9"), "Llama-2"),
    "sort": ((), ""),
    "verify": ((), "passed"),
}
# Where a command is typed with what it needs: a graph, keys, an upstream folder, a table of one's own.
ELSEWHERE = {
    **dict.fromkeys(("ingest", "fit", "hindcast", "study", "capability", "freeze", "score", "report"), "pipeline/test_graph.py"),
    **dict.fromkeys(
        ("ledger amend", "ledger challenge", "ledger checkpoint", "ledger forecast", "ledger key new"), "cli/test_ledger.py"
    ),
    **dict.fromkeys(("ledger policy", "ledger prove", "ledger redact", "ledger resolve", "ledger reveal"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger seal", "ledger show", "ledger sign", "ledger stamp", "ledger verify"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger void", "ledger withdraw", "ledger witness"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger key add", "ledger key revoke"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger ask", "ledger outcomes", "ledger verify-report"), "pipeline/test_a_whole_life_by_commands.py"),
    **dict.fromkeys(("alignment", "transfer"), "studies/transfer/test_transfer.py"),
    "ledger draft": "pipeline/test_a_round_by_commands.py",
    "alias": "registry/update/test_proposals.py",
    "complete": "studies/capability/test_record.py",
    "contest": "cli/test_project.py",
    "continuous": "studies/test_continuous_metrics.py",
    "diagnose": "studies/test_pretraining_decision.py",
    "emergence": "studies/emergence/test_own_checkpoints.py",
    "import": "registry/update/test_import_results.py",
    "init": "pipeline/test_new_project.py",
    "models add": "registry/update/test_proposals.py",
    "models merge": "registry/test_merges.py",
    "models weights": "registry/test_open_weights.py",
    "posterior": "studies/emergence/test_posterior.py",
    "protocol benchpress": "studies/capability/test_completion.py",
    "protocol table": "studies/test_returns_checked.py",
    "released": "studies/test_preregistration.py",
    "replay": "evaluation/test_replay.py",
    "setup": "cli/test_project.py",
    "time-horizon": "cli/test_project.py",
    "traps": "registry/known_defects/test_defects.py",
    "update": "registry/update/test_download.py",
}
LONG = {
    "experiment predict": "needs trained models; what it refuses is tested in studies/emergence/test_experiment.py",
    "experiment run": "trains models for hours",
    "intervals": "backtests every hindcast: minutes",
    "protocol frontier": "reads an index of Epoch's that is not in the record, and fits every form at every cut-off",
}


def test_every_command_is_played_somewhere() -> None:
    known = [" ".join(words) for words in _commands(main)]

    assert sorted(known) == sorted([*PLAYED, *ELSEWHERE, *LONG])


@pytest.mark.parametrize("command", ELSEWHERE)
def test_the_test_named_beside_a_command_types_it(command: str) -> None:
    """Its words stand there in a row, or its verb where a helper types the group; `dvc repro` types the stages."""
    text = (ROOT / "tests" / ELSEWHERE[command]).read_text(encoding="utf-8")
    words = command.split()
    rows = [
        [item.value for item in part if isinstance(item, ast.Constant)]
        for node in ast.walk(ast.parse(text))
        for part in (getattr(node, "args", None), getattr(node, "elts", None))
        if isinstance(part, list)
    ]
    typed = any(row[i : i + len(words)] == words for row in rows for i in range(len(row)))
    in_graph = ELSEWHERE[command] == "pipeline/test_graph.py" and "dvc" in text

    assert typed or in_graph or f'"{words[-1]}"' in text


@pytest.fixture(scope="module")
def home(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of its own with the shipped settings (few replicates) and record, its database, fits, and a curve of one's own."""
    folder = tmp_path_factory.mktemp("every")
    shutil.copy(ROOT / "requirements.lock", folder)
    settings = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(re.sub(r"(?m)^replicates: \d+", "replicates: 10", settings), encoding="utf-8")
    shutil.copytree(ROOT / "registry", folder / "registry")
    shutil.copytree(built.build, folder / "build")
    loaded = params.load(folder / "params.yaml")
    fit.run("chinchilla", loaded, folder / "build", folder / "metrics")
    wide = built.as_of("2026-11-21").wide(["gadre_c4_loss", "params_total", "training_tokens"], ("gadre",))
    runs = wide.drop_nulls("gadre_c4_loss").filter(pl.col("family").str.starts_with("gadre/rpj"))
    size = runs["params_total"].mode().min()  # most runs have it
    own = runs.filter(pl.col("params_total") == size).sort("training_tokens")
    (folder / "curves").mkdir()
    own.select(pl.lit("mine").alias("series"), tokens="training_tokens", loss="gadre_c4_loss").write_csv(
        folder / "curves" / "mine.csv"
    )
    return folder


@pytest.mark.parametrize("command", PLAYED)
def test_a_command_answers_and_changes_no_file_of_the_record(home: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(home)
    before = {path: path.read_bytes() for path in (home / "registry").rglob("*") if path.is_file()}
    arguments, said = PLAYED[command]
    result = CliRunner().invoke(main, [*command.split(), *arguments])

    assert result.exit_code == 0, result.output
    assert said.lower() in result.output.lower()
    assert {path: path.read_bytes() for path in (home / "registry").rglob("*") if path.is_file()} == before


CLAIMS = "## Seed claims, what the program says, and where"


def _claims() -> list[list[str]]:
    """The rows of the table of claims: claim, answer, where."""
    text = (ROOT / "docs" / "results-intervals.md").read_text(encoding="utf-8").partition(CLAIMS)[2]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in rows[2:]]


def test_no_claim_of_the_seed_papers_is_without_an_answer_and_a_place() -> None:
    rows = _claims()

    assert len(rows) >= 20
    assert all(len(row) == 3 and all(row) for row in rows)
    assert all("`foresaid " in row[2] or "page of *" in row[2] or ".md" in row[2] for row in rows)


@pytest.mark.parametrize("typed", sorted({one for row in _claims() for one in re.findall(r"`foresaid ([^`]+)`", row[2])}))
def test_a_command_named_beside_a_claim_exists_and_knows_its_options(typed: str) -> None:
    known = {" ".join(words) for words in _commands(main)}
    words = typed.split()
    name = next((one for one in (" ".join(words[:2]), words[0]) if one in known), "")
    table = not name and words[0] == "protocol" and words[1] in PROTOCOLS
    options = [word for word in words if word.startswith("--")]
    said = CliRunner().invoke(main, [*(["protocol", "table"] if table else name.split()), "--help"])

    assert name or table, typed
    assert said.exit_code == 0
    assert all(option in said.output for option in options)
