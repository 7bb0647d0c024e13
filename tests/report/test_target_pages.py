"""The pages of targets, rounds, makers and authors: the right numbers, and every question answered within three clicks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import ROOT
from tests.report.asked_world import LAUNCHES, LINE, OPENS, TARGETS, asked_site, joint, training_rows

from foresaid.evaluation.joint_forecasts import joint_quantiles
from foresaid.report import targets
from foresaid.report.target_words import number
from foresaid.scoring.levels import LEVELS
from foresaid.studies.rounds import kept_hindcast
from foresaid.studies.rounds.releases import expected_day

NEXT = "forecasts/2026-12~~next-big-task.html"
SECOND = "forecasts/2026-12~~second-big-task.html"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asked_site(tmp_path_factory.mktemp("asked"))


def text(page: Path) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))).split())


def row(page: Path, anchor: str) -> list[str]:
    """The cells of a row of a table."""
    found = re.search(rf'<tr id="{re.escape(anchor)}".*?</tr>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in re.findall(r"<t[dh].*?</t[dh]>", found[0])]


def clicks(out: Path, start: str = "index.html") -> dict[str, int]:
    """The least number of clicks from the first page to each page, in the main part and the navigation alike."""
    found, wave = {start: 0}, [start]
    while wave:
        ahead = []
        for place in wave:
            for link in _links(out / place):
                address = ((out / place).parent / link).resolve()
                if address.suffix == ".html" and address.is_file():
                    name = address.relative_to(out.resolve()).as_posix()
                    if name not in found:
                        found[name] = found[place] + 1
                        ahead.append(name)
        wave = ahead
    return found


def _links(page: Path) -> Iterator[str]:
    for link in re.findall(r'<a [^>]*href="([^"#]+)', page.read_text(encoding="utf-8")):
        if "://" not in link:
            yield link


def test_every_page_is_at_most_three_clicks_from_the_first(out: Path) -> None:
    pages = {path.relative_to(out).as_posix() for path in out.rglob("*.html")}
    far = clicks(out)

    assert {NEXT, SECOND, "rounds/2026-12.html", "makers/acme-plain.html", "authors/guest.html"} <= pages
    assert pages - set(far) == set()
    assert {name: n for name, n in far.items() if n > 3} == {}


def test_an_open_forecast_is_read_for_the_expected_day_with_its_number_its_time_and_the_way_to_check_it(out: Path) -> None:
    rows = training_rows()
    day = expected_day(TARGETS[0], rows.launches)
    median, values = joint_quantiles(joint(rows), TARGETS[0], day, {})
    said = text(out / NEXT)

    assert median is not None
    assert (
        f"median {number(median)}, 80 % interval {number(values[LEVELS.index(0.1)])} to {number(values[LEVELS.index(0.9)])}" in said
    )
    assert f"for a release on {day}" in said
    assert row(out / NEXT, "house~capability")[3] == number(median)
    assert row(out / NEXT, "house~best_so_far")[3:7] == ["0.600", "0.550 to 0.650", "0.520 to 0.680", "0.505 to 0.695"]
    assert "Last value of the line: 0.450 (acme/big-2, 2026-09-01). Best value so far: 0.600 (zeta/best, 2026-07-01)" in said
    assert "foresaid ledger show 2026-12/next-big-task" in said
    assert "forecast frozen" not in said
    assert re.search(r"frozen capability(, \w+)* house 2026-12-01 2026-12-01T02:00:00Z", said)
    assert (out / NEXT).read_text(encoding="utf-8").count("<svg") == 2


def test_the_marginal_of_a_joint_stands_by_day_of_release_between_opening_and_close(out: Path) -> None:
    page = (out / NEXT).read_text(encoding="utf-8")
    table = page[page.index("Released on</th>") :]
    days = re.findall(r'<tr><th scope="row">(\d{4}-\d\d-\d\d)</th>', table[: table.index("</table>")])
    medians = [float(one) for one in re.findall(r"<td>([\d.]+)</td>", table[: table.index("</table>")])[2::5]]

    assert days == ["2026-12-01", "2027-06-01", "2027-12-01", "2027-12-31"]
    assert medians[0] == 0.5
    assert medians == sorted(medians)


def test_a_settled_forecast_shows_what_was_observed_and_when_it_was_known(out: Path) -> None:
    said = text(out / SECOND)

    assert "acme/big-5 0.700 2027-04-01 2027-03-15 board" in said.replace("0.7 2027", "0.700 2027")
    assert "Scores Scores of every version" in said
    assert "outcome entered" in said


def test_the_round_has_every_target_its_rule_and_the_hindcast_that_is_kept(out: Path) -> None:
    said = text(out / "rounds/2026-12.html")

    assert "3 targets, 5 forecasts" in said
    assert "Next releases: Capability law, then quantile mean of six" in said
    law = next(row for row in kept_hindcast.read(ROOT / "registry", "2026-12").to_dicts() if row["method"] == "capability")
    assert (
        f"{law['rows']} {law['draws']} {law['wis']:.2f} {law['skill']:+.2f} {law['skill_05']:+.2f} to {law['skill_95']:+.2f}"
        in said
    )
    assert "2027-08-30 1 × record" in said


def test_lookups_of_a_new_reader(out: Path) -> None:
    maker = (out / "makers/acme-plain.html").read_text(encoding="utf-8")
    best = maker[maker.index('id="best"') : maker.index('id="open"')]
    due = text(out / "open.html")
    guest = (out / "authors/guest.html").read_text(encoding="utf-8")

    assert re.findall(r'href="\.\./(forecasts/[^"]+)"', best) == [NEXT]  # the best open forecast of a maker
    assert "2027-08" in due  # what is settled in a month
    assert re.findall(r'href="\.\./(forecasts/[^"]+)"', guest) == [f"{NEXT}#guest~own"]  # the forecasts of one author
    assert "best_so_far" not in text(out / "authors/guest.html")


def test_the_page_of_the_benchmark_draws_what_is_open_and_lists_what_is_settled(out: Path) -> None:
    page = (out / "benchmarks/task.html").read_text(encoding="utf-8")
    settled = page[page.index('id="settled"') : page.index('id="frontier"')]

    assert page[page.index('id="open"') : page.index('id="settled"')].count("<svg") == 2
    assert "second-big-task" in settled
    assert "next-big-task" not in settled


def test_matrices_stand_in_no_data_file_and_are_named_by_their_digest(out: Path) -> None:
    told = json.loads((out / NEXT).with_suffix(".json").read_text(encoding="utf-8"))
    made = next(one for one in told["forecasts"] if one["id"].endswith("capability"))["versions"][0]["prediction"]

    assert list(made["covariance"]) == ["sha256"]
    assert made["mean"] == [["0"], ["0.3"], ["0.6"], ["0.65"]]
    assert [len(proof["ids"]) for proof in told["proofs"]] == [2, 1]  # the two of one batch share theirs


def test_every_quantile_is_there_to_download(out: Path) -> None:
    rows = pl.read_csv(out / "data" / "forecasts.csv")

    assert rows.height == 5
    assert rows.filter(pl.col("method") == "jumps")["q0.5"].item() == 0.75
    assert rows.filter(pl.col("method") == "capability")["released_on"].item() == str(
        expected_day(TARGETS[0], training_rows().launches)
    )


def test_the_past_is_that_of_the_training_rows_and_a_snapshot_that_is_gone_leaves_it_empty(out: Path, tmp_path: Path) -> None:
    from foresaid.ledger import store
    from foresaid.ledger.state.index import Clock

    batches = tuple(store.read(out.parent / "registry" / "ledger"))
    found = targets.accounts(batches, Clock(), [])
    with_rows = targets.read(batches, Clock(), found, targets.snapshots(batches, out.parent / "registry" / "snapshots"))
    without = targets.read(batches, Clock(), found, targets.snapshots(batches, tmp_path))

    assert with_rows[0].past["released_on"].to_list() == [*LAUNCHES[:2], date(2026, 7, 1), LAUNCHES[2]]
    assert with_rows[0].past.filter(with_rows[0].own)["maker"].unique().to_list() == [LINE.maker]
    assert [one.past.height for one in without] == [0, 0, 0]
    assert without[0].day == OPENS  # nothing says when the line launched: it is read for the day of the question
    assert [one.observed for one in with_rows] == [False, False, True]
    assert with_rows[2].day == date(2027, 3, 15)


def test_a_model_says_what_was_predicted_when_it_was_known_how_far_off_and_how_to_check(out: Path) -> None:
    said = text(out / "models/acme~big-1.html")

    assert clicks(out)["models/acme~big-1.html"] <= 3
    assert "Task plain Size baseline 0.400 2024-10-01 0.450" in said  # observed, known on, median
    assert "foresaid replay --case case-1 --model acme/big-1" in said
    assert 'href="../laws/size_sigmoid.html#behind"' in (out / "models/acme~big-1.html").read_text(encoding="utf-8")


def test_the_largest_errors_are_listed_first_with_their_mode(out: Path) -> None:
    page = (out / "hindcasts.html").read_text(encoding="utf-8")
    part = page[page.index('id="largest"') : page.index('id="hindcast-case-1"')]
    errors = [float(one.replace("−", "-")) for one in re.findall(r'<td class="n">([+−][\d.]+)</td></tr>', part)]

    assert [abs(one) for one in errors] == sorted((abs(one) for one in errors), reverse=True)
    assert len(errors) == 6  # three forecasts of a law in the hindcast, three printed ones
    assert {"known on the day", "published before"} == set(re.findall(r"<td>(known on the day|published before)</td>", part))
