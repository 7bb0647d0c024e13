"""A whole site against its ledger: every page and data file that shows a state or a score, made false one at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.attacks import build
from tests.attacks.showing import scored_ledger
from tests.conftest import ROOT
from tests.report.test_site import parameters, site

from foresaid.cli import ledger_verify
from foresaid.cli.main import main
from foresaid.files import write_json
from foresaid.pipeline import report, score

ON = datetime(2027, 2, 1, tzinfo=UTC)
TARGET = "2026q4~~mmlu-pro~model-x"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a ledger of seven forecasts, one of them late, one withdrawn, one never opened, and the site of it."""
    folder = tmp_path_factory.mktemp("whole")
    out = site(folder, frozen=False)
    shutil.rmtree(folder / "registry" / "ledger")
    scored_ledger(build.create(folder / "registry" / "ledger"), 5)
    done = score.prospective(folder / "registry", ON)
    path = folder / "metrics" / "score.json"
    made = json.loads(path.read_text(encoding="utf-8"))
    made["accounting"] = {**score.ledger_state(done, ON), "no_forecast": [], "disputed": [], "outcomes_to_enter": 0}
    write_json(path, made)
    report.run(parameters("plain"), folder / "build", folder / "registry", folder / "metrics", folder / "templates", out, "")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    return folder


class Then(datetime):
    """A clock that stands at the moment of the page."""

    @classmethod
    def now(cls, tz: Any = None) -> Then:
        """That moment."""
        return cls.fromtimestamp(ON.timestamp(), tz or UTC)


@pytest.fixture
def check(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, str]]:
    monkeypatch.chdir(place)
    monkeypatch.setattr(ledger_verify, "datetime", Then)

    def run() -> tuple[int, str]:
        done = CliRunner().invoke(main, ["ledger", "verify-report", "site"])
        return done.exit_code, done.output

    return run


def test_a_true_site_passes_whole(place: Path, check: Callable[[], tuple[int, str]]) -> None:
    code, said = check()

    assert (code, "verify: all checks passed" in said) == (0, True), said
    told = [json.loads(path.read_text(encoding="utf-8")) for path in (place / "site/forecasts").glob("*.json")]
    states = {one["state"] for target in told for one in target["forecasts"]}
    assert states == {"claimed", "withdrawn", "late", "unopened"}
    assert 'id="claimed"' in (place / "site/index.html").read_text(encoding="utf-8")


def swapped(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text, f"{old} is not there"
        return text.replace(old, new, 1)

    return change


def tenth(text: str) -> str:
    """The first score of a data file a tenth better."""
    told = json.loads(text)
    next(one for one in told["forecasts"] if one["scores"])["scores"][0]["wis"] *= 0.9
    return json.dumps(told)


def cut(begin: str, end: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        start = text.index(begin)
        return text[:start] + text[text.index(end, start) + len(end) :]

    return change


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        (f"forecasts/{TARGET}.html", swapped('data-state="claimed"', 'data-state="scored"'), "another state"),
        (f"forecasts/{TARGET}.html", cut("<tr data-figures", "</tr>"), "is not there once"),
        (f"forecasts/{TARGET}.html", swapped("superseded", "claimed"), "is not there once"),
        (f"forecasts/{TARGET}.html", swapped('<td class="n">0.550</td>', '<td class="n">0.650</td>'), "another quantile"),
        (f"forecasts/{TARGET}.html", swapped("<td>0.5025</td>", "<td>0.5075</td>"), "another quantile"),
        (f"forecasts/{TARGET}.html", swapped("0.510 to 0.590", "0.510 to 0.690"), "another quantile"),
        (
            f"forecasts/{TARGET}.html",
            swapped('<tr><th scope="row">0.025</th>', '<tr><th scope="row">0.03</th>'),
            "another quantile",
        ),
        (f"forecasts/{TARGET}.html", cut('<table data-mode="" class="numbers"', "</table>"), "other rows or tables of quantiles"),
        (f"forecasts/{TARGET}.html", swapped("<td>0.5025</td>", "<td></td>"), "another quantile"),
        (f"forecasts/{TARGET}.json", swapped('"state":"claimed"', '"state":"scored"'), "state is not as the ledger says"),
        (f"forecasts/{TARGET}.json", swapped('"value":"0.61"', '"value":"0.55"'), "outcomes is not as the ledger says"),
        (f"forecasts/{TARGET}.json", swapped('"counts":true', '"counts":false'), "is not as the ledger says"),
        (f"forecasts/{TARGET}.json", tenth, "scores is not as the ledger says"),
        (f"forecasts/{TARGET}.json", swapped("SHA-256", "sha-256"), "proofs is not as the ledger says"),
        (f"forecasts/{TARGET}.json", lambda text: "[]", "holds no data of a target"),
        ("index.html", cut("<tr data-figures", "</tr>"), "is not there once"),
        ("index.html", swapped('data-figures="score', 'data-other="score'), "is not there once"),
        ("data/ledger.csv", cut("2026q4", "\n"), "is not the table of the ledger's entries"),
        ("data/ledger.json", swapped("withdrawal", "amendment"), "is not the table of the ledger's entries"),
        ("feed.xml", cut("<entry>", "</entry>"), "is not there once"),
    ],
)
def test_a_false_page_or_data_file_is_noticed(
    place: Path, check: Callable[[], tuple[int, str]], file: str, change: Callable[[str], str], said: str
) -> None:
    path = place / "site" / file
    whole = path.read_text(encoding="utf-8")
    path.write_text(change(whole), encoding="utf-8")
    try:
        code, told = check()
    finally:
        path.write_text(whole, encoding="utf-8")

    assert (code, said in told) == (7, True), told


def test_a_wrong_number_in_sight_is_noticed_on_every_page_that_shows_it(place: Path, check: Callable[[], tuple[int, str]]) -> None:
    for file in (f"forecasts/{TARGET}.html", "index.html"):
        path = place / "site" / file
        whole = path.read_text(encoding="utf-8")
        at = whole.index("<td", whole.index("data-figures"))
        end = whole.index("</tr>", at)
        row = whole[at:end]
        path.write_text(whole[:at] + row.replace(">0.", ">0.0", 1) + whole[end:], encoding="utf-8")
        assert row.replace(">0.", ">0.0", 1) != row
        code, told = check()
        path.write_text(whole, encoding="utf-8")

        assert (code, "other numbers in sight" in told) == (7, True), told


@pytest.mark.parametrize("kind", [".html", ".json"])
def test_a_page_left_out_and_one_too_many_are_noticed(place: Path, check: Callable[[], tuple[int, str]], kind: str) -> None:
    path = place / "site" / "forecasts" / f"{TARGET}{kind}"
    whole = path.read_bytes()
    path.unlink()
    assert check()[0] == 7
    path.write_bytes(whole)
    other = path.with_name(f"2026q4~~mmlu-pro~model-y{kind}")
    other.write_bytes(whole)
    code, told = check()
    other.unlink()

    assert (code, "is a file about no target of the ledger" in told) == (7, True)


def test_a_folder_without_a_ledger_page_is_refused(place: Path, tmp_path: Path, check: Callable[[], tuple[int, str]]) -> None:
    done = CliRunner().invoke(main, ["ledger", "verify-report", str(tmp_path)])

    assert (done.exit_code, "expected the ledger page of a site" in done.output) == (2, True)
