"""Every command has a happy path: played here on a small project, or in the test named beside it, which types the command.

A command that comes without either fails the first test. What trains models, or asks more than minutes of one machine, stands in
LONG with the reason; what these commands compute is tested where it lives, and the list can only become shorter.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from click.testing import CliRunner
from tests.cli.test_project import TIMES
from tests.cli.typed import COMMANDS, examples
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.cli.main import main
from foresaid.cli.output import schema
from foresaid.cli.questions import PROTOCOLS
from foresaid.pipeline import fit

SCORES = "1e9,19.1\n4e9,22.4\n1.6e10,24.9\n6.4e10,26.8\n1.3e11,27.7\n"  # tokens and BLEU of checkpoints of one's own
# What the first example of the help answers, typed as it stands there.
PLAYED: dict[str, str] = {
    "agents": "claude",
    "alignment": "alignment: 1",
    "contest": "loss_hinge",
    "diagnose": "why:",
    "experiment score": "results.json",
    "inputs": "stages",
    "database": "observation",
    "needs": "stages",
    "export": "scores.csv",
    "licences": "granted",
    "ledger heads": "",
    "ledger verify": "passed",
    "models list": "effort thinking",
    "models show": "Llama",
    "origins": "20",
    "predict": "%",
    "protocol larger": "cross_entropy_power",
    "schema": "ledger-line",
    "returns": "loss reduction per tenfold compute",
    "select": "Llama-2",
    "sort": "",
    "time-horizon": "50 % horizon, minutes",
    "transfer": "examples",
    "verify": "passed",
}
# Where a command is typed with what it needs: a graph, keys, an upstream folder, a table of one's own.
ELSEWHERE = {
    **dict.fromkeys(("ingest", "fit", "hindcast", "study", "capability", "freeze", "score", "report"), "pipeline/test_graph.py"),
    **dict.fromkeys(
        ("ledger amend", "ledger challenge", "ledger checkpoint", "ledger forecast", "ledger key new"), "cli/test_ledger.py"
    ),
    **dict.fromkeys(("ledger policy", "ledger prove", "ledger redact", "ledger resolve", "ledger reveal"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger seal", "ledger show", "ledger sign", "ledger stamp"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger void", "ledger withdraw", "ledger witness"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger key add", "ledger key revoke"), "cli/test_ledger.py"),
    **dict.fromkeys(("ledger ask", "ledger outcomes", "ledger verify-report"), "pipeline/test_a_whole_life_by_commands.py"),
    "ledger draft": "pipeline/test_a_round_by_commands.py",
    "alias": "registry/update/test_proposals.py",
    "complete": "studies/capability/test_record.py",
    "continuous": "studies/test_continuous_metrics.py",
    "emergence": "studies/emergence/test_own_checkpoints.py",
    **dict.fromkeys(("export hubverse", "import hubverse"), "pipeline/test_hubverse.py"),
    "import": "registry/update/test_import_results.py",
    "init": "pipeline/test_new_project.py",
    **dict.fromkeys(("check", "forecast", "target list"), "cli/test_submission.py"),
    "models add": "registry/update/test_proposals.py",
    "models merge": "registry/test_merges.py",
    "models weights": "registry/test_open_weights.py",
    "posterior": "studies/emergence/test_posterior.py",
    "protocol benchpress": "studies/capability/test_completion.py",
    "protocol table": "studies/test_returns_checked.py",
    "released": "studies/test_preregistration.py",
    "replay": "evaluation/test_replay.py",
    "setup": "cli/test_project.py",
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
    assert sorted(COMMANDS) == sorted([*PLAYED, *ELSEWHERE, *LONG])


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
    fit.run("chinchilla", loaded, folder / "build")
    wide = built.as_of("2026-11-21").wide(["gadre_c4_loss", "params_total", "training_tokens"], ("gadre",))
    runs = wide.drop_nulls("gadre_c4_loss").filter(pl.col("family").str.starts_with("gadre/rpj"))
    size = runs["params_total"].mode().min()  # most runs have it
    own = runs.filter(pl.col("params_total") == size).sort("training_tokens")
    (folder / "curves").mkdir()
    own.select(pl.lit("mine").alias("series"), tokens="training_tokens", loss="gadre_c4_loss").write_csv(
        folder / "curves" / "mine.csv"
    )
    (folder / "my-checkpoint").write_bytes((folder / "registry" / "ledger" / "log" / "checkpoint").read_bytes())
    (folder / "runs.csv").write_text(TIMES, encoding="utf-8")
    (folder / "checkpoints.csv").write_text("tokens,bleu\n" + SCORES, encoding="utf-8")
    rows = "".join(f"{line.replace(',', f',{examples},')}\n" for examples in (1000, 8000) for line in SCORES.splitlines())
    (folder / "fine-tuned.csv").write_text(f"tokens,examples,bleu\n{rows}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", PLAYED)
def test_the_first_example_answers_alike_in_lines_and_as_json_and_changes_no_file_of_the_record(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(home)
    before = {path: path.read_bytes() for path in (home / "registry").rglob("*") if path.is_file()}
    typed = examples(COMMANDS[command])[0]
    lines = CliRunner().invoke(main, typed)
    document = CliRunner().invoke(main, [*typed, "--json"])

    assert (lines.exit_code, document.exit_code) == (0, 0), lines.output + document.output
    assert PLAYED[command].lower() in lines.output.lower()
    jsonschema.validate(json.loads(document.stdout), schema(COMMANDS[command], command))
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
    known = set(COMMANDS)
    words = typed.split()
    name = next((one for one in (" ".join(words[:2]), words[0]) if one in known), "")
    table = not name and words[0] == "protocol" and words[1] in PROTOCOLS
    options = [word for word in words if word.startswith("--")]
    said = CliRunner().invoke(main, [*(["protocol", "table"] if table else name.split()), "--help"])

    assert name or table, typed
    assert said.exit_code == 0
    assert all(option in said.output for option in options)
