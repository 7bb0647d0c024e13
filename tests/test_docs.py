"""The documentation does what it says: the tutorial is typed as it stands, and every other line has a test or a reason.

What stands in a text as `foresaid ...` has to exist with its options, so that a renamed command or option stops here.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.test_submission import home as home  # a new registry with an open round, on a day of that round
from tests.cli.typed import COMMANDS
from tests.conftest import ROOT, Built

from foresaid.cli.main import main
from foresaid.cli.questions import PROTOCOLS

STARTER = ROOT / "pipelines" / "foresaid" / "pipeline" / "starter"
OTHERS = ("README.md", "CONTRIBUTING.md", "registry/README.md", "registry/ledger/README.md")
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / name for name in OTHERS), *STARTER.glob("*.md.tmpl")])
HISTORY = {"CHANGELOG.md", "decisions.md", "campaign.md"}  # say what was typed once, too
BLOCK = re.compile(r"^ *```(?:sh|bash|console|shell)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
RUN = {"tutorial.md"}  # played line by line below
# Pages whose lines are typed in a test of their own, which knows the world they need.
ELSEWHERE = {
    "CONTRIBUTING.md": "cli/test_submission.py",
    "CONTRIBUTING.md.tmpl": "cli/test_submission.py",
    "README.md.tmpl": "pipeline/test_new_project.py",
    "rounds.md": "pipeline/test_a_round_by_commands.py",
    "ledger/README.md": "ledger/verify/test_script.py",
    "commands.md": "cli/test_examples.py",
    "hubverse.md": "pipeline/test_hubverse.py",
}
# Pages whose lines are not typed by any test, with the reason.
NOT_RUN = {
    "results-evaluation.md": "needs the upstream files of boards that may not be kept here",
    "running.md": "its lines ask for a remote, a cluster or minutes; tests of the pipeline play each on a small one",
    "emergence-experiment.md": "trains models for hours; studies/emergence/test_experiment.py tests what its commands refuse",
    "README.md": "the two jobs of .ci/run, in a clean clone",
}


def name_of(page: Path) -> str:
    return f"{page.parent.name}/{page.name}" if page.parent.name == "ledger" else page.name


def lines(page: Path) -> list[str]:
    """The shell lines of a page, without comments; a line that goes on in the next is one."""
    text = "\n".join(BLOCK.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    return [line.split("  #")[0].strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_every_page_with_shell_lines_is_played_or_has_a_reason() -> None:
    found = {name_of(page) for page in PAGES if lines(page)}

    assert found <= RUN | set(ELSEWHERE) | set(NOT_RUN)
    assert [name for name in found & set(ELSEWHERE) if not (ROOT / "tests" / ELSEWHERE[name]).is_file()] == []


def typed(page: Path) -> list[str]:
    """Every call of the program that a page names, in a text or a block, up to what the shell takes for itself."""
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`(foresaid [^`]+)`", " ".join(BLOCK.sub("", text).split()))
    calls = [part.strip() for line in lines(page) for part in re.split(r"&&|\|\||;|\|", line)]
    return sorted({*spans, *(call for call in calls if call.startswith("foresaid "))})


def problem(call: str) -> str:
    """What is wrong with a call: a command or an option that does not exist; arguments are not judged."""
    words = shlex.split(call.replace("'", '"') if call.count("'") % 2 else call)[1:]
    while words[:1] in (["--root"], ["--version"], ["--help"]):
        words = words[2:] if words[0] == "--root" else words[1:]
    groups = {name.rpartition(" ")[0] for name in COMMANDS} - {""}
    name = next((one for count in (3, 2, 1) if (one := " ".join(words[:count])) in COMMANDS), "")
    if not name and words[:1] == ["protocol"] and words[1:2] and words[1] in (*PROTOCOLS, "NAME"):
        name = "protocol table"
    if not name:
        return "" if not words or " ".join(words) in groups or "/" in words[0] else f"no command {words[0]}"
    known = {option for one in COMMANDS[name].params for option in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    given = {re.split(r"[=\])}…]", word.lstrip("["))[0] for word in words if word.lstrip("[").startswith("--")}
    return ", ".join(f"{name} has no option {option}" for option in sorted(given - known - {"--"}))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in HISTORY], ids=name_of)
def test_every_command_that_a_page_names_exists_with_its_options(page: Path) -> None:
    assert [f"{call}: {wrong}" for call in typed(page) if (wrong := problem(call))] == []


def test_a_command_that_does_not_exist_is_seen() -> None:
    assert problem("foresaid forcast X") == "no command forcast"
    assert problem("foresaid fit chinchilla --worker 2") == "fit has no option --worker"
    assert problem("foresaid protocol effort-tokens --from ../mirror") == ""


TUTORIAL = lines(ROOT / "docs" / "tutorial.md")
SET_UP = {  # typed by the main job of .ci/run in a clean clone, which takes minutes
    "git clone https://example.org/foresaid.git && cd foresaid",
    "make repro",
    ". .venv/bin/activate",
}


@pytest.fixture(scope="module")
def clone(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make repro` leaves, as far as the tutorial asks: settings, record, database, fits of one law."""
    folder = tmp_path_factory.mktemp("tutorial")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(re.sub(r"(?m)^replicates: \d+", "replicates: 10", text), encoding="utf-8")
    (folder / "registry").symlink_to(ROOT / "registry")
    shutil.copytree(built.build, folder / "build")
    return folder


@pytest.mark.parametrize("line", [line for line in TUTORIAL if line.startswith(("foresaid predict", "foresaid replay"))])
def test_the_tutorial_asks_a_law_and_puts_it_to_the_past(clone: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(clone)
    done = CliRunner().invoke(main, shlex.split(line)[1:])

    assert done.exit_code == 0, done.output
    assert {"predict": "80% interval", "replay": "WIS"}[line.split()[1]] in done.output


def test_the_tutorial_leads_to_a_forecast_that_is_checked(home: Path) -> None:
    before = set((home / "registry" / "ledger" / "batches").iterdir())
    rest = [line for line in TUTORIAL if line not in SET_UP and not line.startswith(("foresaid predict", "foresaid replay"))]
    for line in rest:
        done = CliRunner().invoke(main, shlex.split(line.replace("ROUND/TARGET", "2026-12/next"))[1:])
        assert done.exit_code == 0, f"{line}: {done.output}"
    added = set((home / "registry" / "ledger" / "batches").iterdir()) - before

    assert [line.split()[1] for line in rest] == ["target", "forecast", "forecast", "check", "verify"]
    assert len(added) == 1


def test_the_site_is_built_without_a_warning_and_fetches_nothing_when_it_is_read(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the extra foresaid[docs] is not installed; `make docs` builds the site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.name for path in (tmp_path / "site").glob("*.html")}
    assert {"index.html", "tutorial.html", "commands.html", "json.html", "laws.html", "attribution.html", "ledger.html"} <= pages
    attribution = (tmp_path / "site" / "attribution.html").read_text(encoding="utf-8")
    assert all(path.name in attribution for path in (ROOT / "registry" / "sources").iterdir() if path.is_dir())
