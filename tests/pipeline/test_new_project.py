"""A registry of one's own: what `foresaid init` writes, what it refuses, and its whole way to a score from the installed wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.conftest import ROOT

from foresaid import __version__, params, project
from foresaid.cli.main import main
from foresaid.errors import ParameterError, UnreadableError
from foresaid.laws import _loader as laws
from foresaid.ledger.verify import verify
from foresaid.pipeline import inputs, new_project
from foresaid.sources import _loader as sources

TODAY = date(2026, 11, 29)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A new registry, no git repository, whose laws and readers are found until the test ends."""
    new_project.create(tmp_path / "acme", "acme/registry", "acme", TODAY, under_git=False)
    return tmp_path / "acme"


@pytest.fixture(autouse=True)
def _own_code_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in project.OWN_CODE.values():
        monkeypatch.setenv(variable, "")


def test_a_new_registry_has_an_empty_ledger_settings_that_are_read_and_no_placeholder_left(made: Path) -> None:
    loaded = params.load(made / "params.yaml")
    text = "".join(path.read_text(encoding="utf-8") for path in made.rglob("*") if path.is_file())

    assert (loaded.origin, loaded.author, loaded.as_of) == ("acme/registry", "acme", TODAY)
    assert verify.verify(made / "registry/ledger", "acme/registry").exit_code() == 0
    assert re.findall(r"@[A-Z]+@", text) == []
    assert (made / ".github/workflows/submission.yml").is_file()
    assert list(made.parent.iterdir()) == [made]


def test_the_keys_of_its_settings_are_those_of_this_registry(made: Path) -> None:
    own, shipped = (yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8")) for folder in (made, ROOT))

    assert set(own) == set(shipped) - {"rolling", "capability"}  # optional, for registries with a year of vintages


def test_its_stages_are_those_of_this_registry_but_for_the_code_which_is_installed(made: Path) -> None:
    own, shipped = (yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"] for folder in (made, ROOT))
    shipped["inputs"] |= {"deps": ["params.yaml", "laws", "sources", "requirements.lock"], "always_changed": True}

    assert own == shipped


def test_what_dvc_draws_of_it_is_what_it_draws_of_this_registry(made: Path) -> None:
    own, shipped = (yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["plots"] for folder in (made, ROOT))
    templates = {path.name: path.read_bytes() for path in (ROOT / ".dvc" / "plots").iterdir()}

    assert own == shipped
    assert {path.name: path.read_bytes() for path in (made / ".dvc" / "plots").iterdir()} == templates


def test_every_column_of_its_record_is_that_of_this_registry(made: Path) -> None:
    for path in (made / "registry").glob("*.csv"):
        header = path.read_text(encoding="utf-8").splitlines()[0]
        assert header == (ROOT / "registry" / path.name).read_text(encoding="utf-8").splitlines()[0], path.name


@pytest.mark.parametrize("there", ["a file", "a folder with a file", "a link"])
def test_what_holds_something_is_refused_in_one_line_and_left_alone(tmp_path: Path, there: str) -> None:
    place = tmp_path / "acme"
    if there == "a file":
        place.write_text("mine", encoding="utf-8")
    elif there == "a link":
        place.symlink_to(tmp_path)
    else:
        place.mkdir()
        (place / "mine").write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    done = CliRunner().invoke(main, ["init", str(place)])

    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1
    assert "expected" in done.output
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("option", "name"), [("--origin", "Acme Registry"), ("--author", "-x"), ("--author", "a" * 200)])
def test_a_name_that_the_ledger_would_refuse_is_refused_before_anything_is_written(tmp_path: Path, option: str, name: str) -> None:
    done = CliRunner().invoke(main, ["init", str(tmp_path / "x"), option, name])

    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert f"init, {option}: found" in done.output


def test_an_empty_folder_is_taken_and_becomes_a_git_repository(tmp_path: Path) -> None:
    (tmp_path / "Ümläut Évals 7").mkdir()
    done = CliRunner().invoke(main, ["init", str(tmp_path / "Ümläut Évals 7")])

    assert done.exit_code == 0, done.output
    assert params.load(tmp_path / "Ümläut Évals 7" / "params.yaml").author == "ml-ut-vals-7"
    assert (tmp_path / "Ümläut Évals 7" / ".git").is_dir()
    assert "no_scm" not in (tmp_path / "Ümläut Évals 7" / ".dvc/config").read_text(encoding="utf-8")


def test_who_stands_in_an_empty_folder_may_start_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    done = CliRunner().invoke(main, ["init", "."])

    assert done.exit_code == 0, done.output
    assert params.load(Path("params.yaml")).author == "here"
    assert "expected a new or empty folder" in CliRunner().invoke(main, ["init", "."]).output


def test_a_law_and_a_reader_are_one_file_each(made: Path) -> None:
    assert "line_in_time" not in laws.names()
    (made / "laws/twin.py").write_text(
        (made / "laws/line_in_time.py").read_text(encoding="utf-8").replace("line_in_time", "twin"), encoding="utf-8"
    )
    (made / "sources/my_board.py").write_text((made / "sources/scoreboard.py").read_text(encoding="utf-8"), encoding="utf-8")
    project.use_own_code(project.at(made))

    assert {"line_in_time", "twin", "growth"} <= set(laws.names())
    assert laws.load("twin", {"sources": ["my-board"]}).name == "twin"
    assert {"my-board", "scoreboard"} <= set(sources.names())
    assert sources.find("my-board").__module__ == "foresaid.sources.my_board"

    project.use_own_code(project.at(ROOT))
    assert "twin" not in laws.names()
    with pytest.raises(ParameterError, match=r"expected a law of foresaid or a file laws/twin\.py"):
        laws.load("twin", {"sources": []})


def test_a_law_of_the_same_name_in_another_project_is_another_law(made: Path, tmp_path: Path) -> None:
    project.use_own_code(project.at(made))
    first = laws.law_class("line_in_time")
    new_project.create(tmp_path / "second", "b", "b", TODAY, under_git=False)
    other = tmp_path / "second/laws/line_in_time.py"
    other.write_text(other.read_text(encoding="utf-8").replace("Straight line", "Another line"), encoding="utf-8")
    project.use_own_code(project.at(tmp_path / "second"))

    assert laws.law_class("line_in_time").title.startswith("Another line")
    assert first.title.startswith("Straight line")


def test_a_worker_that_is_sent_a_law_of_a_project_finds_its_file(made: Path) -> None:
    project.use_own_code(project.at(made))
    code = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).sources)"
    import pickle

    sent = pickle.dumps(laws.load("line_in_time", {"sources": ["scoreboard"]})).hex()
    done = subprocess.run([sys.executable, "-c", code, sent], capture_output=True, text=True, check=False)

    assert done.stdout == "('scoreboard',)\n", done.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("torn", "def f(:\n", r"laws/torn\.py, line 1: cannot be imported"),
        ("needy", "import no_such_library\n", r"laws/needy\.py: cannot be imported \(ModuleNotFoundError"),
        ("empty", "x = 1\n", r"laws/empty\.py: found no law"),
        ("growth", "x = 1\n", r"laws/growth\.py: found the name of growth\.py of foresaid"),
    ],
)
def test_a_faulty_file_of_ones_own_is_named(made: Path, name: str, text: str, said: str) -> None:
    (made / f"laws/{name}.py").write_text(text, encoding="utf-8")
    project.use_own_code(project.at(made))

    with pytest.raises(ParameterError, match=said):
        laws.law_class(name)


def test_a_reader_without_a_function_is_named(made: Path) -> None:
    (made / "sources/odd.py").write_text("x = 1\n", encoding="utf-8")
    project.use_own_code(project.at(made))

    with pytest.raises(UnreadableError, match=r"sources/odd\.py: found no function read"):
        sources.find("odd")


def test_a_change_of_an_own_law_moves_its_fit_and_what_stands_on_it_and_a_shared_file_counts(made: Path) -> None:
    package = ROOT / "pipelines/foresaid"

    def written() -> dict[str, bytes]:
        inputs.run(params.load(made / "params.yaml"), package, made / "requirements.lock", made / "build", made)
        folder = made / "build/inputs"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.json"))}

    before = written()
    with (made / "laws/line_in_time.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    changed = written()
    (made / "laws/_shared.py").write_text("y = 1\n", encoding="utf-8")
    shared = written()

    moved = {"fit/line_in_time.json", "hindcast.json", "study.json", "freeze.json", "score.json", "report.json"}
    assert {name for name in before if before[name] != changed[name]} == moved
    assert moved <= {name for name in before if changed[name] != shared[name]}
    assert "own/laws/line_in_time.py" in changed["fit/line_in_time.json"].decode()
    assert "registry/schema.sql" in changed["database.json"].decode()
    assert "fitting/law.py" in changed["fit/line_in_time.json"].decode()


def test_the_lock_names_the_program_and_what_it_runs_on() -> None:
    found = new_project.locked()

    assert f"foresaid[run]=={__version__}" in found
    assert found == sorted(found, key=lambda line: line.partition("==")[0])
    assert all(re.fullmatch(r"[a-z0-9-]+(\[run\])?==\S+", line) for line in found)


def test_what_its_pages_say_to_type_is_a_command_and_what_it_needs_is_installed_first(made: Path) -> None:
    pages = [(made / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")]
    typed = {" ".join(found.split()) for page in pages for found in re.findall(r"foresaid ((?:[a-z-]+ ?)+)", page)}
    unknown = [words for words in typed if words.split()[0] not in main.commands]

    assert len(typed) > 5
    assert not unknown
    assert "pip install -r requirements.lock pytest\n" in pages[0]


@pytest.mark.slow
def test_its_own_tests_pass_and_a_first_run_of_the_pipeline_makes_the_site(made: Path) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("FORESAID_MIRROR", None)

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=made, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("dvc", "repro")
    assert (made / "reports/site/index.html").is_file()
    assert "all checks passed" in run("foresaid", "verify")
    assert "failed" not in run(sys.executable, "-m", "pytest", "-q")
    assert "Warning" not in run("foresaid", "report")
    assert "didn't change" in run("dvc", "repro")
