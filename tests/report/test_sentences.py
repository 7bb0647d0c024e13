"""Every sentence of a page that makes a claim says what the row of its table says: read off the finished page, number by number."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.evaluation.test_rolling_scores import NONE, rows
from tests.report import test_site as world
from tests.report.test_rolling_origin_page import html, material

from foresaid.evaluation import modes, rolling_origin, rolling_recalibration, rolling_scores
from foresaid.report import claim_lines
from foresaid.report.environment import environment
from foresaid.report.inputs import NO_ORIGINS

FIELDS = ("told", "reference", "releases", "makers", "ratio", "bounds", "maker", "p", "verdict")
FORM = re.compile(
    r"(?P<said>Too few releases to say whether|No difference shown between)?\s*(?P<law>.+?) (?:is (?P<word>better|worse) than|"
    r"is better than|and) (?P<reference>.+?): "
    r"(?:relative WIS (?P<ratio>[\d.]+)(?:, 95 % (?P<bounds>[\d.]+ (?:to [\d.]+|or more)))?, )?"
    r"(?P<releases>[\d,]+) releases? of (?P<makers>[\d,]+) makers?"
    r"(?:, adjusted p (?P<p>[^;]+)|, at least 10 releases are needed)?; "
    r".+ was told (?P<told>[^.]+)\.(?P<rest>.*)"
)


class Claims(HTMLParser):
    """Sentences and rows of a page by their key."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.sentences: dict[str, str] = {}
        self.rows: dict[str, dict[str, str]] = {}
        self._in: tuple[str, str | None] | None = None
        self._row = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "tr":
            self._row = found.get("data-claim") or ""
        elif "data-claim" in found:
            self._in = (str(found["data-claim"]), None)
        elif self._row and tag in ("td", "span"):
            name = next((one for one in FIELDS if f"data-{one}" in found), None)
            self._in = (self._row, name) if name else None

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "span", "strong", "p"):
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in is not None and self._in[1] is None:
            self.sentences[self._in[0]] = self.sentences.get(self._in[0], "") + data
        elif self._in is not None:
            self.rows.setdefault(self._in[0], {})[str(self._in[1])] = data


def disagreements(page: str) -> list[str]:
    """What sentences say that their rows do not; every sentence with a claim must have a row and be understood."""
    read, wrong = Claims(page), []
    for key, sentence in read.sentences.items():
        if sentence.startswith("No reference was scored"):
            wrong += [f"{key}: a row without a sentence"] if key in read.rows else []
            continue
        found, row = FORM.fullmatch(sentence), read.rows.get(key)
        if found is None or row is None:
            wrong.append(f"{key}: {sentence}")
            continue
        for name in ("told", "reference", "releases", "makers", "ratio", "bounds", "p"):
            said = found[name]
            if said is not None and said != row[name]:
                wrong.append(f"{key}, {name}: {said} in the sentence, {row[name]} in the table")
        said_as = {
            "Too few releases to say whether": "too few releases to say",
            "No difference shown between": "no difference shown",
        }
        verdict = said_as.get(found["said"] or "", found["word"])
        if row["verdict"].split(",")[0] != verdict or (", by release alone" in row["verdict"]) != bool(found["rest"].strip()):
            wrong.append(f"{key}, verdict: {sentence} against {row['verdict']}")
    return wrong


@pytest.fixture(scope="module")
def rolling() -> dict[str, Any]:
    """Tables in which a law is better, one shows no difference, and one has too few releases."""
    named = rows().with_columns(law=pl.col("law").replace({"naive": "best_known"}))
    same = named.filter(pl.col("law") == "best_known").with_columns(
        law=pl.lit("same"), role=pl.lit("law"), quantiles=pl.col("quantiles").list.eval(pl.element() * 1.001)
    )
    few = (
        rows(board="c")
        .with_columns(law=pl.col("law").replace({"naive": "best_known"}))
        .filter(pl.col("origin") < named["origin"].unique().sort()[2])
    )
    scored = rolling_scores.score(rolling_recalibration.learned(pl.concat([named, same, few])))
    return {**NO_ORIGINS, "horizons": [3, 6, 12], "by_horizon": rolling_scores.by_horizon(scored, NONE, (3, 6, 12), 1)}


@pytest.fixture(scope="module")
def page(rolling: dict[str, Any]) -> str:
    return html(rolling)


def test_the_sentences_of_the_rolling_origins_agree_with_their_rows(page: str) -> None:
    read = Claims(page)

    assert {row["verdict"].split(",")[0] for row in read.rows.values()} == {
        "better",
        "no difference shown",
        "too few releases to say",
    }
    assert set(read.sentences) == set(read.rows)
    assert disagreements(page) == []


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("told", "nothing"),
        ("reference", "The mean"),
        ("releases", "7"),
        ("makers", "3"),
        ("ratio", "9.99"),
        ("bounds", "0.01 to 0.02"),
        ("p", "0.9"),
        ("verdict", "worse"),
    ],
)
def test_a_changed_cell_is_seen(page: str, field: str, other: str) -> None:
    key = next(key for key, row in Claims(page).rows.items() if row["verdict"].startswith("better"))
    start = page.index(f'<tr data-claim="{key}">')
    end = page.index("</tr>", start)
    row = page[start:end]
    changed = re.sub(rf"(data-{field}>)[^<]*", rf"\g<1>{other}", row)

    assert changed != row
    assert len(disagreements(page[:start] + changed + page[end:])) >= 1


def test_a_sentence_of_another_claim_is_seen(page: str) -> None:
    read = Claims(page)
    better = next(one for key, one in read.sentences.items() if read.rows[key]["verdict"].startswith("better"))

    assert disagreements(page.replace(better, better.replace("better", "worse"), 1))


@pytest.fixture(scope="module")
def first_page(rolling: dict[str, Any]) -> str:
    """The verdicts as the first page shows them: a table a person can read, and the same as sentences."""
    made = material(rolling)
    lines = claim_lines.claims_of(made, "released", first_page=True)
    template = "{% import 'macros.html.j2' as m with context %}{{ m.verdicts(rows, mode) }}"
    return environment(Path("none")).from_string(template).render(rows=lines, mode=modes.TITLES["released"])


def test_every_verdict_of_the_first_page_is_one_row_with_all_it_rests_on(rolling: dict[str, Any], first_page: str) -> None:
    lines = claim_lines.claims_of(material(rolling), "released", first_page=True)
    read = Claims(first_page)
    names = {"ratio": "ratio", "bounds": "bounds", "maker": "maker_bounds", "p": "p", "verdict": "verdict", "told": "told"}
    names |= {"reference": "reference", "releases": "releases", "makers": "makers"}

    assert len(lines) >= 2
    assert [read.rows[line["key"]] for line in lines] == [{field: line[key] for field, key in names.items()} for line in lines]
    head = re.findall(r"<th scope=\"col\"[^>]*>([^<]*)</th>", first_page)
    assert head == [
        "Claim", "Verdict", "Relative WIS, with its 95 % interval by release and by maker", "Rests on", "Told", "Reference",
    ]  # fmt: skip
    assert set(read.sentences) == {line["key"] for line in lines}
    assert disagreements(first_page) == []
    assert disagreements(re.sub(r"(data-ratio>)[^<]*", r"\g<1>9.99", first_page))


def test_the_first_page_shows_shares_once_and_the_day_first(rolling: dict[str, Any]) -> None:
    whole = claim_lines.claims_of(material(rolling), "released")
    short = claim_lines.claims_of(material(rolling), "released", first_page=True)

    assert {row["board"] for row in whole} == {"all boards", "b", "c"}
    assert {row["board"] for row in short} == {"all boards"}
    assert all(row["where"].startswith("By release date") for row in short)
    assert rolling_origin.MODES[0] == "known"


def test_the_sentences_of_the_cases_agree_with_their_rows(tmp_path: Path) -> None:
    out = world.site(tmp_path)
    first, every = ((out / name).read_text(encoding="utf-8") for name in ("index.html", "hindcasts.html"))

    assert len(Claims(first).sentences) >= 1
    assert len(Claims(every).sentences) >= 2
    assert disagreements(first) == disagreements(every) == []
