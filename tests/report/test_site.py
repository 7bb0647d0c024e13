"""The site as a reader and an attacker meet it: every link resolves, nothing loads, no text becomes markup."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2
import jsonschema
import numpy as np
import polars as pl
import pytest
from tests.conftest import ROOT

from foresaid import params
from foresaid.canonical_json import dump_line
from foresaid.errors import ForesaidError, UnreadableError
from foresaid.evaluation import tables as evaluate
from foresaid.evaluation.claims import PERIOD, broken_down, claims
from foresaid.files import write_frame, write_json, write_lines
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.fit import fit
from foresaid.fitting.frozen_curve import freeze_curve, to_plain
from foresaid.forecasting import published
from foresaid.forecasting.methods import METHODS
from foresaid.laws._loader import load as load_law
from foresaid.laws._sigmoid import SigmoidLaw
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.targets import Named
from foresaid.ledger.state import evidence as standing
from foresaid.ledger.verify import verify
from foresaid.params import Params
from foresaid.pipeline import report as pipeline_report
from foresaid.pipeline import score
from foresaid.registry import database
from foresaid.report import data_page, index_page
from foresaid.report import site as report
from foresaid.report import texts as wording
from foresaid.report.downloads import LONGEST, contents, offers, package
from foresaid.report.environment import TEMPLATES, environment
from foresaid.report.page import page_sets
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.significance import FEWEST_RELEASES, TOO_FEW
from foresaid.studies import compute_returns
from foresaid.text import count, number, signed

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)' x='",
    "</title></style></svg><svg onload=alert(1)>",
    '--><iframe src="javascript:alert(1)">',
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;<b>&#60;i&#62;",
    "javascript:alert(1)",
]
MODELS = ["acme/big-1", "acme/big-2", "zeta/small.v2", "zeta/undated"]
SETTINGS: dict[str, Any] = {"sources": ["acme-evals"], "targets": {"task": {}}}


def parameters(text: str) -> Params:
    case = {
        "title": f"Released later {text}",
        "note": f"Note {text}",
        "split": "released",
        "as_of": "2024-05-31",
        "until": "2024-10-01",
        "laws": ["size_sigmoid"],
    }
    return params.parse(
        {
            "origin": "test/registry",
            "author": "test",
            "seed": 1,
            "replicates": 3,
            "as_of": "2024-10-01",
            "round": None,
            "sources": ["acme-evals"],
            "laws": {"size_sigmoid": SETTINGS},
            "hindcast": {"case-1": case, "case-2": {**case, "title": f"Larger {text}", "split": "larger", "held_out_share": 0.25}},
        }
    )


def quantity(name: str, title: str, kind: str, unit: str, upper: float) -> dict[str, Any]:
    return {
        "quantity_id": name, "title": title, "kind": kind, "unit": unit, "lower": 0.0, "upper": upper, "chance": None,
        "direction": "higher", "items": None, "protocol": "p", "reference": "r", "resolver": "acme-evals",
    }  # fmt: skip


def tables(text: str, link: str) -> dict[str, pl.DataFrame]:
    released = [date(2024, 7, 1), date(2024, 8, 1), date(2024, 9, 1), None]
    model = {
        "model_id": MODELS,
        "family": [f"acme {text}", f"acme {text}", f"zeta {text}", f"zeta {text}"],
        "organisation": [f"Acme {text}"] * 4,
        "released_on": released,
        "released_precision": ["day", "month", "day", None],
        "release_source": [link, f"see {text}", f"see {text}", None],
        "params_total": [7e9, 7e10, None, 1e9],
        "params_active": [None] * 4,
        "training_tokens": [None] * 4,
        "training_flops": [None] * 4,
        "kind": ["base"] * 4,
        "notes": [f"Note {text}"] * 4,
    }
    quantities = [
        quantity("task", f"Task {text}", "benchmark", "fraction", 1.0),
        quantity("loss", f"Loss {text}", "loss", "nats_per_token", 20.0),
        quantity("params_total", f"Parameters {text}", "size", "parameters", 1e13),
    ]
    subject = {
        "subject_id": MODELS, "kind": ["model"] * 4, "model_id": MODELS, "run": MODELS, "family": model["family"],
        "released_on": released,
    }  # fmt: skip
    numbers = pl.Float64
    return {
        "quantity": pl.DataFrame(quantities, schema_overrides={"chance": numbers, "items": pl.Int64}),
        "model": pl.DataFrame(
            model, schema_overrides=dict.fromkeys(("params_active", "training_tokens", "training_flops"), numbers)
        ),
        "subject": pl.DataFrame(subject),
        "observation": observations(text),
    }


def observations(text: str) -> pl.DataFrame:
    n = len(MODELS)
    rows = {
        "subject_id": MODELS, "quantity_id": ["task"] * n, "setting": [""] * n, "source_id": ["acme-evals"] * n,
        "known_on": [date(2024, 10, 1)] * n, "value": [0.4, 0.7, 0.2, 0.0], "stderr": [None] * n, "n": [None] * n,
        "recorded_on": [date(2026, 1, 1)] * n, "status": ["reported"] * 3 + ["suspect"], "note": [f"note {text}"] * n,
    }  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"stderr": pl.Float64, "n": pl.Int64})


def scored(text: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scored rows of three kinds, and the hindcast they come from with one row without a forecast."""
    outcomes = dict(zip(MODELS, [0.4, 0.7, 0.2, 0.0], strict=True))
    released = dict(zip(MODELS, [date(2024, 7, 1), date(2024, 8, 1), date(2024, 9, 1), None], strict=True))
    rows: list[dict[str, Any]] = []

    def add(evidence: str, case: str, split: str, law: str, role: str, quantity_id: str, subject: str, **rest: Any) -> None:
        spread = np.array(LEVELS) - 0.5
        point = rest.pop("point")
        base = {
            "evidence": evidence, "case": case, "split": split, "law": law, "role": role, "target_id": quantity_id,
            "quantity_id": quantity_id, "series": "", "subject_id": subject,
            "cluster": f"{subject.split('/')[0]} {text}" if "/" in subject else subject,
            "released_on": released.get(subject), "as_of": date(2024, 5, 31), "observed": outcomes.get(subject, 2.5),
            "status": f"converged {text}", "distance": None, "point": point,
            "quantiles": None if point is None else (point + 0.3 * spread).tolist(),
        }  # fmt: skip
        rows.append({**base, **rest})

    for subject in MODELS[:3]:
        add("hindcast", "case-1", "released", "size_sigmoid", "law", "task", subject, point=0.45)
        add("hindcast", "case-1", "released", "best_known", "baseline", "task", subject, point=0.3)
        add("adopted", "paper", "listed", "printed_forms", "law", "task", subject, point=0.5, quantiles=None)
    add("hindcast", "case-1", "released", "size_sigmoid", "law", "task", MODELS[3], point=None)
    for run in ("runs/a", "runs/b"):
        add("hindcast", "case-2", "larger", "size_sigmoid", "law", "loss", run, point=2.4, series="runs")
        add("hindcast", "case-2", "larger", "last_value", "baseline", "loss", run, point=2.7, series="runs")
    every = pl.DataFrame(
        rows,
        schema_overrides={"distance": pl.Float64, "quantiles": pl.List(pl.Float64), "released_on": pl.Date},
        infer_schema_length=None,
    )
    return evaluate.score_rows(every.filter(pl.col("point").is_not_null())), every.filter(pl.col("evidence") == "hindcast")


def fitted(folder: Path, text: str) -> None:
    """Fit one law to a few rows, and leave what the stage `fit` leaves."""
    settings = parameters(text).laws["size_sigmoid"]
    law = load_law("size_sigmoid", settings)
    x = np.linspace(20.0, 27.0, 8)
    y = 1 / (1 + np.exp(-(x - 23.5))) + 0.01 * np.cos(np.arange(8))
    subjects = tuple(f"m{i}" for i in range(8))
    connection = database.open_database(folder / "build" / "database")
    view = database.as_of(connection, date(2024, 10, 1))
    connection.close()
    assert isinstance(law, SigmoidLaw)
    target = law.table(view, "task").target
    days = (date(2024, 1, 1),) * 8
    done = fit(law, TrainingTable(target, subjects, subjects, days, days, x[:, None], y), 1, 3)
    curve = freeze_curve(law, done, settings, date(2024, 10, 1), 1)
    write_lines(folder / "build" / "fits" / "size_sigmoid" / "curves.jsonl", [dump_line(to_plain(curve))])
    bands = {"point": y, "median": y, "lower_80": y - 0.1, "upper_80": y + 0.1, "lower_95": y - 0.2, "upper_95": y + 0.2}
    frames = [
        pl.DataFrame(
            {"target_id": ["task"] * 8, "kind": [kind] * 8, "subject_id": subjects, "cluster": [f"c {text}"] * 8,
             "x": np.exp(x), "observed": y if kind == "point" else [None] * 8, **bands},
            schema_overrides={"observed": pl.Float64},
        )
        for kind in ("point", "grid")
    ]  # fmt: skip
    write_frame(folder / "build" / "fits" / "size_sigmoid" / "drawing.parquet", pl.concat(frames))
    write_frame(folder / "build" / "fits" / "size_sigmoid" / "returns.parquet", compute_returns.as_frame({}))
    entry = {
        "target_id": "task", "quantity_id": "task", "series": f"series {text}", "title": f"Title {text}",
        "status": done.status, "reason": f"reason {text}", "rows": 8, "clusters": 8, "residual_scale": 0.01,
        "restarts_at_best": 1.0, "unconverged": 0, "excluded_rows": [{"reason": f"no forecast {text}", "rows": 2}],
        "parameters": [{"name": f"p {text}", "point": 1.0, "lower_90": 0.5, "upper_90": 1.5}],
        "profile": {"parameter": f"beta {text}", "values": [0.5, 1.0, 2.0], "rms": [0.2, 0.1, 0.3],
                    "forecast": [0.1, 0.2, 0.3], "admissible": [False, True, False]},
    }  # fmt: skip
    study = {
        "note": f"study {text}",
        "bias": 0.1,
        "runs": [{"planted": 1.0, "said": f"found {text}"}],
        "within": {"count": 4, "of": 5, "share": 0.8, "lower_95": 0.3, "upper_95": 0.99},
        "example_points": [{"size": f"size {text}", "loss": 2.0, "score": 0.4}, {"size": "1", "loss": 1.0, "score": 0.5}],
        "example_curves": [{"size": f"size {text}", "loss": 2.0, "score": 0.4}, {"size": "1", "loss": 1.0, "score": 0.5}],
    }
    metrics = {"law": "size_sigmoid", "version": 1, "as_of": "2024-10-01", "targets": [entry], "study": study}
    write_json(folder / "build" / "fits" / "size_sigmoid" / "profiles.json", {"task": entry.pop("profile")})
    write_json(folder / "build" / "fits" / "size_sigmoid" / "metrics.json", metrics)


def registry(folder: Path, text: str, link: str) -> None:
    source = folder / "registry" / "sources" / "acme-evals"
    source.mkdir(parents=True)
    texts = ("title", "publisher", "licence", "redistribution", "citation", "kind", "dates", "notes")
    lines = [f"{name} = {json.dumps(f'{name} {text}')}" for name in texts]
    vintage = 'known_on = 2024-10-01\ncommit = "0123456789abcdef"\ndirectory = "acme"\nfiles = []'
    card = "\n".join([*lines, f"url = {json.dumps(link)}", "accessed = 2026-01-01", "[[vintage]]", vintage, ""])
    (source / "source.toml").write_text(card, encoding="utf-8")
    for name in ("models", "quantities", "aliases"):  # no row: only the names of the columns
        first = (ROOT / "registry" / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
        (folder / "registry" / f"{name}.csv").write_text(first + "\n", encoding="utf-8")
    paper = folder / "registry" / "adopted" / "paper"
    paper.mkdir(parents=True)
    words = {name: json.dumps(f"{name} {text}") for name in ("title", "authors", "evidence", "reference", "note")}
    body = "\n".join(f"{name} = {value}" for name, value in words.items())
    (paper / "adopted.toml").write_text(
        f'{body}\npublished_on = 2024-05-31\nsource = "acme-evals"\nentered_on = 2026-01-01\n', encoding="utf-8"
    )
    (paper / "forms.csv").write_text("quantity_id,parameter,value\ntask,intercept,0\ntask,height,1\n", encoding="utf-8")
    (paper / "models.csv").write_text("model_id\n" + "".join(f"{name}\n" for name in MODELS), encoding="utf-8")
    place = folder / "registry" / "ledger"
    place.mkdir()
    store.create(place, "test/registry")


def freeze_one(folder: Path, text: str) -> None:
    """Freeze one forecast, and withdraw it with a reason."""
    batch: list[entries.Entry] = [
        entries.RoundEntry(
            id="2026-12", deadline="2026-12-08T00:00:00Z", reveal_by="2026-12-08T00:00:00Z", revision="first",
            score="wis", reports="all", unit_of_count="target", universe=f"all {text}",
        ),
        entries.TargetEntry(
            id="task", round="2026-12", rule=Named(model="acme/next", display=f"Next {text}"), benchmark="task",
            protocol=f"p {text}", unit="fraction", direction="higher", min="0", max="1", chance=None, ceiling=None, resolution=None,
            resolver="acme-evals", fallbacks=[], system="default", nearest_effort=False, opens="2026-12-02",
            closes="2027-12-02", publish_within=90,
            void_if=[], known="0" * 64, levels=["0.5"], same_items=[], stated=[],
        ),
        entries.ForecastEntry(
            id="2026-12/task/size_sigmoid", target="task", method="size_sigmoid", primary=True,
            prediction=entries.Quantiles(levels=["0.5"], values=["0.4"]),
        ),
        entries.Withdrawal(withdraws="2026-12/task/size_sigmoid", reason=f"because {text}"),
    ]  # fmt: skip
    data = entries.Data(name="training-rows", sha256="0" * 64, bytes=0, rows=0, max_observed_on="2026-12-01")
    store.write_batch(
        folder / "registry" / "ledger", batch, origin="test/registry", author="test", as_of=date(2026, 12, 1),
        frozen_at=datetime(2026, 12, 2, tzinfo=UTC), data=[data],
        code=entries.Code(git=None, dirty=False, version=f"0 {text}"),
    )  # fmt: skip
    store.sequence(folder / "registry" / "ledger", "test/registry")


def site(folder: Path, text: str = "plain", link: str = "https://example.org/a", commit: str = "", frozen: bool = True) -> Path:
    """Make a small world in which every text of data is `text`, and render it."""
    registry(folder, text, link)
    if frozen:
        freeze_one(folder, text)
    build, metrics = folder / "build", folder / "metrics"
    database.build(tables(text, link), build / "database")
    write_frame(build / "observations" / "acme-evals.parquet", observations(text))
    scores, hindcast = scored(text)
    units = {row["quantity_id"]: row["unit"] for row in tables(text, link)["quantity"].to_dicts()}
    measured = scores.with_columns(unit=pl.col("quantity_id").replace_strict(units, default="unknown"))
    write_frame(build / "scores.parquet", scores)
    connection = database.open_database(build / "database")
    view, models = database.as_of(connection, score.ALWAYS), database.models(connection)
    connection.close()
    silent = hindcast.filter(pl.col("point").is_null())
    for name, frame in score.page_tables(parameters(text), measured, silent, observations(text), models, view).items():
        write_frame(build / "score_tables" / f"{name}.parquet", frame)
    write_frame(build / "hindcast.parquet", hindcast.drop("evidence"))
    write_json(build / "freeze.json", {"round": None, "frozen": 1, "mismatch": [f"mismatch {text}"], "size": 1, "root": ""})
    row = {"id": f"2026-11/{text}", "author": f"author {text}", "version": 1, "versions": 2, "n": 3, "no_forecast": 0, "wis": 0.123,
           "absolute_error": None, "coverage_80": 0.5, "standing": "late", "told": f"told {text}",
           "subjects": [f"subject {text}"]}  # fmt: skip
    versions = [row, {**row, "version": 0, "standing": "penalised", "wis": None, "coverage_80": None}]
    versions.append({**row, "standing": "claimed", "wis": 0.777, "subjects": []})
    kept = {"author": f"author {text}", "method": f"method {text}", "told": "", "unit": f"unit {text}", "n": 3, "wis": 0.123,
            "n_with_exits": 4, "wis_with_exits": 0.25}  # fmt: skip
    no_forecast = [{"evidence": "hindcast", "case": "case-1", "law": "size_sigmoid", "status": "x", "n": 1}]
    write_json(
        metrics / "score.json",
        {
            "summary": evaluate.by_unit(measured, evaluate.summarise).to_dicts(),
            "skill": evaluate.by_unit(measured, evaluate.skill).to_dicts(),
            "compared": evaluate.by_unit(measured, partial(evaluate.compared, seed=1)).to_dicts(),
            "calibrated": evaluate.by_unit(measured, partial(evaluate.calibrated, seed=1)).to_dicts(),
            "by_target": broken_down(measured, pl.col("quantity_id")).to_dicts(),
            "by_period": broken_down(measured, PERIOD).to_dicts(),
            "claims": claims(measured, silent, 1).to_dicts(),
            "accounting": {
                "ledger": {"forecasts": 1, "withdrawn": 1, "claimed": 1},
                "scored": [],
                "on": None,
                "no_forecast": no_forecast,
                "versions": versions,
                "with_exits": [kept],
            },
        },
    )
    open_profile = {
        "parameter": "ln_beta",
        "values": [0.0, 1.0],
        "rms": [0.1, 0.2],
        "forecast": [0.5, 0.6],
        "admissible": [True, False],
    }
    behind = {
        "case": "case-2", "law": "size_sigmoid", "target_id": "loss/runs", "quantity_id": "loss", "series": "runs",
        "title": f"fit {text}", "status": "unidentified", "reason": f"left open {text}", "rows": 5, "held_out": 2, "clusters": 5,
        "excluded_rows": [], "parameters": [], "residual_scale": 0.1, "restarts_at_best": 1.0, "unconverged": 0,
        "profile": open_profile,
    }  # fmt: skip
    write_json(build / "hindcast_fits.json", {"fits": [behind]})
    table = {"key": "t", "caption": f"caption {text}", "header": [f"head {text}", "n"], "rows": [[f"cell {text}", 2], ["b", None]]}
    section = {"key": "own", "title": f"section {text}", "laws": ["size_sigmoid"], "said": [f"said {text}"], "tables": [table],
               "command": f"foresaid {text}"}  # fmt: skip
    write_json(build / "law_studies.json", [section])
    counts = {"rows": 4, "subjects": 4, "quantities": 1, "by_status": {"reported": 3, "suspect": 1}, "source_file": "ab"}
    write_json(metrics / "ingest.json", {"sources": {"acme-evals": counts}, "models": {}, "quantities": 3})
    fitted(folder, text)
    out = folder / "site"
    pipeline_report.run(parameters(text), build, folder / "registry", metrics, folder / "templates", out, commit)
    return out


class Reader(HTMLParser):
    """A page as a browser would see it: elements with attributes, links, ids; tags must balance."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.links: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.seen[tag, tuple(names)] += 1
        for name, value in attrs:
            if name in ("href", "src", "action", "data", "srcset", "poster", "xlink:href"):
                self.links.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(out: Path) -> dict[str, Reader]:
    pages = {path.relative_to(out).as_posix(): Reader(path.read_text(encoding="utf-8")) for path in sorted(out.rglob("*.html"))}
    assert pages
    return pages


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def pages(plain: Path) -> dict[str, Reader]:
    return read(plain)


def test_every_page_of_the_plan_exists(pages: dict[str, Reader]) -> None:
    expected = {
        "index.html", "ledger.html", "data.html", "revisions.html", "origins.html", "capability.html",
        "benchmarks/index.html", "benchmarks/task.html", "benchmarks/loss.html",
        "laws/index.html", "laws/size_sigmoid.html", "models/index.html",
        "forecasts/2026-12~~task.html", "open.html", "hindcasts.html", "rounds/index.html", "rounds/2026-12.html",
        "makers/index.html", "makers/acme-plain.html", "authors/index.html", "authors/test.html",
        *(f"models/{name.replace('/', '~')}.html" for name in MODELS[:3]),
    }  # fmt: skip

    assert set(pages) == expected


def test_every_link_leads_somewhere_and_nothing_is_loaded(plain: Path, pages: dict[str, Reader]) -> None:
    for place, page in pages.items():
        for tag, name, value in page.links:
            assert (tag, name) in (("a", "href"), ("link", "href"), ("script", "src")), f"{place} loads {value}"
            if value.startswith("https://"):
                continue
            address, _, anchor = value.partition("#")
            target = (plain / place).parent / address if address else plain / place
            assert target.is_file(), f"{place} links to {value}"
            if anchor:
                assert anchor in read(plain)[target.resolve().relative_to(plain.resolve()).as_posix()].ids


def test_ids_of_a_page_are_unique(pages: dict[str, Reader]) -> None:
    for place, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), place


def test_no_page_loads_anything_from_elsewhere_or_holds_a_style_attribute(pages: dict[str, Reader]) -> None:
    for page in pages.values():
        names = {name for _, attributes in page.seen for name in attributes}
        assert not {tag for tag, _ in page.seen} & {"iframe", "img", "object", "embed", "form", "style"}
        assert {tag: value for tag, _, value in page.links if tag in ("link", "script") and "://" in value} == {}
        assert not {name for name in names if name.startswith("on") or name == "style"}


def test_the_policy_lets_files_of_the_site_alone_be_loaded_and_forbids_every_request(plain: Path) -> None:
    policy = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file:; base-uri 'none'"
    for path in plain.rglob("*.html"):
        page = unescape(path.read_text(encoding="utf-8"))

        assert f"content=\"{policy}; form-action 'none'\"" in page
        assert re.findall(r"<script[^>]*>", page) == [
            f'<script src="{"../" * (len(path.relative_to(plain).parts) - 1)}assets/site.js" defer>'
        ]
    script = (plain / "assets" / "site.js").read_text(encoding="utf-8")
    assert not re.search(r"fetch|XMLHttp|import|eval|innerHTML|https?:", script.replace("http://www.w3.org/2000/svg", ""))


def test_every_page_describes_itself_by_its_own_lead(plain: Path) -> None:
    page = (plain / "models" / "index.html").read_text(encoding="utf-8")

    assert '<meta name="description" content="How accurately was each of them forecast? Newest first.">' in page
    assert '<meta property="og:title" content="Models">' in page


def test_the_search_index_is_a_script_that_names_every_page(plain: Path, pages: dict[str, Reader]) -> None:
    text = (plain / "assets" / "index.js").read_text(encoding="utf-8")
    rows = json.loads(text.removeprefix("globalThis.foresaidIndex(").removesuffix(");\n"))

    assert {row[2].split("#")[0] for row in rows} == set(pages)
    assert ["model", "acme/big-1"] in [row[:2] for row in rows]


def test_the_repository_is_linked_where_params_name_it(plain: Path, tmp_path: Path) -> None:
    assert "Repository" not in read(plain)["index.html"].text
    build, metrics = plain.parent / "build", plain.parent / "metrics"
    named = dataclasses.replace(parameters("plain"), repository="https://example.org/record")
    pipeline_report.run(named, build, plain.parent / "registry", metrics, tmp_path / "none", tmp_path / "site")

    assert ("a", "href", "https://example.org/record") in read(tmp_path / "site")["index.html"].links


def test_the_feed_is_atom_and_says_what_happened(plain: Path) -> None:
    root = ElementTree.parse(plain / "feed.xml").getroot()
    atom = "{http://www.w3.org/2005/Atom}"
    found = [(one.findtext(f"{atom}title"), one.findtext(f"{atom}updated")) for one in root.iter(f"{atom}entry")]

    assert sorted(found) == [
        ("2026-12/task/size_sigmoid: frozen", "2026-12-02T00:00:00Z"),
        ("2026-12/task/size_sigmoid: withdrawn", "2026-12-02T00:00:00Z"),
    ]
    assert root.findtext(f"{atom}updated") == "2026-12-02T00:00:00Z"
    assert all((plain / link.attrib["href"].partition("#")[0]).is_file() for link in root.iter(f"{atom}link"))
    assert {link.attrib["href"] for one in root.iter(f"{atom}entry") for link in one.iter(f"{atom}link")} == {
        "forecasts/2026-12~~task.html#test~size_sigmoid"
    }


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_of_the_record_becomes_markup(payload: str, pages: dict[str, Reader], tmp_path: Path) -> None:
    nasty = read(site(tmp_path, payload, link=f"https://example.org/{payload.replace(' ', '')}"))

    def by_place(found: dict[str, Reader]) -> dict[str, Any]:
        # A maker's page has the maker's name, in the letters that a file may have.
        return {re.sub(r"^makers/acme[a-z0-9-]*\.html$", "makers/acme", place): page.seen for place, page in found.items()}

    assert by_place(nasty) == by_place(pages)
    assert any(" ".join(payload.split()) in page.text for page in nasty.values())


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//example.org", "ftp://example.org", " "])
def test_only_web_addresses_become_links(address: str) -> None:
    assert wording.link(address) is None


def test_every_text_field_reaches_a_page(tmp_path: Path) -> None:
    mark = "zqx"
    out = read(site(tmp_path, mark))
    everything = " ".join(page.text for page in out.values())

    for words in ("Released later", "Note", "Larger", "Task", "Acme", "see", "note", "reason", "Title", "because", "mismatch",
                  "licence", "citation", "publisher", "title", "evidence", "study", "found", "converged", "beta"):  # fmt: skip
        assert f"{words} {mark}" in everything


def test_the_same_inputs_give_the_same_bytes(plain: Path, tmp_path: Path) -> None:
    again = site(tmp_path)
    first = {path.relative_to(plain): path.read_bytes() for path in plain.rglob("*") if path.is_file()}

    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()} == first


def test_an_old_page_does_not_survive(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old.html").write_text("old", encoding="utf-8")

    assert not (site(tmp_path) / "old.html").exists()


def test_the_metrics_of_every_fit_lie_under_git_as_its_stage_left_them_and_no_others(tmp_path: Path) -> None:
    gone = tmp_path / "metrics" / "fit" / "a_law_that_was_taken_out.json"
    gone.parent.mkdir(parents=True)
    gone.write_text("{}", encoding="utf-8")
    site(tmp_path)
    made = {path.name: path.read_bytes() for path in gone.parent.iterdir()}

    assert made == {"size_sigmoid.json": (tmp_path / "build" / "fits" / "size_sigmoid" / "metrics.json").read_bytes()}


def test_every_page_names_code_vintage_and_ledger_and_no_time(pages: dict[str, Reader]) -> None:
    for page in pages.values():
        assert re.search(r"Data as of 2024-10-01 ?, ?sha256 [0-9a-f]{64}", page.text)
        assert re.search(r"Code foresaid \S+ sha256 [0-9a-f]{64}", page.text)
        assert re.search(r"Ledger test/registry, size 1, root \S{44}", page.text)


def test_a_commit_is_shown_only_where_it_is_given(pages: dict[str, Reader], tmp_path: Path) -> None:
    assert "Commit" not in pages["index.html"].text
    assert "Commit 0123abc" in read(site(tmp_path, commit="0123abc"))["index.html"].text


def test_kinds_of_evidence_never_share_a_table(plain: Path) -> None:
    page = (plain / "index.html").read_text(encoding="utf-8")
    sections = re.split(r'<h2 id="(\w+)', page)
    named = dict(zip(sections[1::2], sections[2::2], strict=True))

    assert "Printed coefficients" not in named["hindcast"]
    assert "Best so far" in named["hindcast"]
    assert "Mean (climatology)" not in named["adopted"] + named["prospective"]
    assert "<table>" not in named["prospective"].partition('id="claimed"')[0]  # what is claimed has a table of its own


def test_without_prospective_scores_the_index_says_so_with_the_count(pages: dict[str, Reader]) -> None:
    assert "No forecast of this kind has been scored yet. The ledger holds 1 forecast in 1 batch" in pages["index.html"].text


def test_an_empty_ledger_is_shown_as_empty_and_time_as_unproven(tmp_path: Path) -> None:
    page = read(site(tmp_path, frozen=False))["ledger.html"].text

    assert "None yet: no round has been frozen." in page
    assert "Time is not proven" in page
    assert "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" in page


def test_a_broken_ledger_is_shown_as_broken(tmp_path: Path) -> None:
    out = site(tmp_path)
    (tmp_path / "registry" / "ledger" / "log" / "MANIFEST").write_bytes(b"")
    pipeline_report.run(
        parameters("plain"), tmp_path / "build", tmp_path / "registry", tmp_path / "metrics", tmp_path / "none", out
    )

    assert "Checks failed" in read(out)["ledger.html"].text


def test_the_first_page_says_what_its_table_of_claims_says(plain: Path, pages: dict[str, Reader]) -> None:
    # Every number of the sentence is that of the file the table is printed from, and the table's row holds the same words.
    said = json.loads((plain.parent / "metrics" / "score.json").read_text())["claims"]
    row = next(one for one in said if (one["evidence"], one["case"], one["law"]) == ("hindcast", "case-1", "size_sigmoid"))
    page = pages["index.html"].text

    assert row["reference"] == "best_known"
    assert row["verdict"] == TOO_FEW
    found = re.findall(
        r"Too few releases to say whether (.+?) is better than (.+?): (.+?), at least (\d+) releases are needed; ", page
    )
    units = f"{count(row['n_releases'], 'release')} of {count(row['n_makers'], 'maker')}"
    first = [one for one in found if one[1] == METHODS[row["reference"]].title]
    assert len(first) >= 3  # in the answer, under the table, and in what is not shown
    assert {one[2:] for one in first} == {(units, str(FEWEST_RELEASES))}
    cells = (plain / "index.html").read_text(encoding="utf-8")
    assert f"data-verdict>{row['verdict']}</td>" in cells


def test_no_page_has_a_verdict_of_its_own(pages: dict[str, Reader]) -> None:
    # Whatever the pages call better or worse stands in the table of claims: two sentences about one comparison cannot differ.
    assert not any(" is better than " in page.text and "Too few releases" not in page.text for page in pages.values())
    assert "families: enough to compare" not in pages["index.html"].text


def test_the_leading_table_holds_the_means_of_the_metrics_file(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    row = next(
        entry
        for entry in json.loads((plain.parent / "metrics" / "score.json").read_text())["summary"]
        if (entry["evidence"], entry["case"], entry["law"]) == ("hindcast", "case-1", "size_sigmoid")
    )
    page = (plain / "index.html").read_text(encoding="utf-8")
    cells = [number(row["wis"]), number(row["mae"]), signed(row["bias"])]

    assert "".join(f'<td class="n">{cell}</td>' for cell in cells) in page


def test_rows_without_a_forecast_are_counted(pages: dict[str, Reader]) -> None:
    assert re.search(r"No forecast was made, so these rows are missing from the means: .* 1 forecast", pages["index.html"].text)


def test_units_never_share_a_mean(pages: dict[str, Reader]) -> None:
    assert "nats per token. Quantities: Loss plain." in pages["hindcasts.html"].text
    assert not any("mixed units" in pages[name].text for name in ("index.html", "hindcasts.html"))


def test_models_without_a_date_and_flagged_values_are_counted(pages: dict[str, Reader]) -> None:
    assert "1 model without a release date" in pages["data.html"].text
    assert "1 value excluded from every fit" in pages["data.html"].text


def test_downloads_defuse_formulas_in_text_and_leave_numbers(plain: Path) -> None:
    nasty = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "plain", "a=b"]
    frame = pl.DataFrame({"text": nasty, "number": [-1.5] * len(nasty)})
    files = contents({"t": frame})
    rows = list(csv.reader(io.StringIO(files[Path("data/t.csv")].decode(), newline="")))[1:]

    assert [row[0] for row in rows] == [text if text in ("plain", "a=b") else f"'{text}" for text in nasty]
    assert {row[1] for row in rows} == {"-1.5"}
    assert {row["text"] for row in json.loads(files[Path("data/t.json")])} == set(nasty)


def test_a_large_table_is_compressed_and_the_longest_is_parquet_alone_and_each_comes_back_whole() -> None:
    frame = pl.DataFrame(
        {"n": range(LONGEST), "x": [0.1] * LONGEST, "text": ["=a, and more text than a short table has"] * LONGEST}
    )

    files = contents({"long": frame, "large": frame.head(LONGEST - 1), "short": frame.head(3)})

    names = {path.name for path in files}
    assert {name for name in names if not name.startswith("schema-")} == {
        "long.parquet", "large.csv.gz", "large.parquet", "short.csv", "short.json", "short.parquet",
    }  # fmt: skip
    assert pl.read_parquet(files[Path("data/long.parquet")]).equals(frame)
    read = pl.read_csv(gzip.decompress(files[Path("data/large.csv.gz")]))
    assert (read["n"].to_list(), read["text"][0]) == ([*range(LONGEST - 1)], "'=a, and more text than a short table has")
    assert files == contents({"long": frame, "large": frame.head(LONGEST - 1), "short": frame.head(3)})


def test_every_table_has_a_schema_of_its_columns_which_its_page_and_the_data_package_name(plain: Path) -> None:
    listed = json.loads((plain / "data" / "datapackage.json").read_text(encoding="utf-8"))["resources"]
    schemas = {path.name: path.read_bytes() for path in (plain / "data").glob("schema-*")}
    tables = {path for path in (plain / "data").iterdir() if path.name not in {*schemas, "datapackage.json"}}

    assert {one["schema"] for one in listed} == set(schemas)
    assert all(name == f"schema-{sha256(content).hexdigest()[:12]}.json" for name, content in schemas.items())
    assert len(set(schemas.values())) == len(schemas) < len({one["path"].split(".")[0] for one in listed})
    named = {one["path"]: one["schema"] for one in listed}
    linked: dict[str, str] = {}
    for page in plain.rglob("*.html"):
        for part in re.findall(r'<p class="get">.*?</p>', page.read_text(encoding="utf-8")):
            *data, schema = [href.rpartition("data/")[2] for href in re.findall(r'href="([^"]*)"', part)]
            linked |= dict.fromkeys(data, schema)
    assert linked
    assert linked.items() <= named.items()
    assert {plain / "data" / one["path"] for one in listed} == tables
    for one in listed:
        data = (plain / "data" / one["path"]).read_bytes()
        assert (one["bytes"], one["hash"]) == (len(data), f"sha256:{sha256(data).hexdigest()}")
        schema = json.loads((plain / "data" / one["schema"]).read_text(encoding="utf-8"))
        assert all(field["type"] and field["description"] for field in schema["fields"])
        if one["format"] == "parquet":
            assert pl.read_parquet(data).columns == [field["name"] for field in schema["fields"]]
    frame = pl.DataFrame({"day": [date(2024, 5, 31)], "n": [1], "inside": [True], "wis": [0.1], "law": ["a"]})
    tables_of_two_kinds = {"t": frame, "more": pl.concat([frame] * LONGEST), "other": frame.drop("n")}
    files = contents(tables_of_two_kinds)
    found = offers(tables_of_two_kinds, files)
    kinds = [field["type"] for field in json.loads(files[Path("data") / found["t"].schema])["fields"]]
    assert kinds == ["date", "integer", "boolean", "number", "string"]
    assert found["t"].schema == found["more"].schema != found["other"].schema
    assert sum(path.name.startswith("schema-") for path in files) == 2
    assert b'"name":"t.csv"' in package(tables_of_two_kinds, found, files)


def test_released_dates_with_their_sources_are_a_file_of_their_own(plain: Path) -> None:
    rows = json.loads((plain / "data" / "release-dates.json").read_text(encoding="utf-8"))

    assert [(row["model_id"], row["released_on"]) for row in rows] == [
        ("zeta/small.v2", "2024-09-01"), ("acme/big-2", "2024-08-01"), ("acme/big-1", "2024-07-01"),
    ]  # fmt: skip
    assert rows[0]["release_source"] == "see plain"


def test_every_table_of_scores_is_there_to_download(plain: Path) -> None:
    rows = json.loads((plain / "data" / "hindcast-case-1.json").read_text(encoding="utf-8"))

    assert len(rows) == 6
    assert len((plain / "data" / "hindcast-case-1.csv").read_text(encoding="utf-8").splitlines()) == 7


def test_every_table_is_valid_by_the_schema_that_the_site_publishes_of_it(plain: Path) -> None:
    published = json.loads((plain / "schemas/site-tables.json").read_text(encoding="utf-8"))["$defs"]
    tables = sorted(path for path in (plain / "data").glob("*.json") if not path.name.startswith("schema-"))
    names = {path.stem for path in (plain / "data").iterdir() if path.suffix in (".csv", ".parquet")}

    assert tables
    assert names <= set(published)
    for path in tables:
        if path.stem in published:
            check = jsonschema.Draft202012Validator(published[path.stem])
            assert [error.message for row in json.loads(path.read_text(encoding="utf-8")) for error in check.iter_errors(row)] == []


def test_a_missing_result_is_named_with_what_to_run(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="dvc repro"):
        pipeline_report.run(parameters("x"), tmp_path, plain.parent / "registry", tmp_path, tmp_path / "none", tmp_path / "site")


def test_templates_never_switch_escaping_off() -> None:
    for path in sorted(TEMPLATES.glob("*.j2")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"\|\s*safe|autoescape|Markup|<link [^r]|@import|url\("
            r"|<script(?! src=\"\{\{ root \}\}assets/site\.js\" defer></script>)",
            text,
        ), path.name
        assert not re.search(r"=\{\{|= *'\{\{", text), f"{path.name}: an attribute without double quotes"


def test_templates_do_no_arithmetic() -> None:
    for path in sorted(TEMPLATES.glob("*.html.j2")):
        for expression in re.findall(r"\{\{(.*?)\}\}|\{%(.*?)%\}", path.read_text(encoding="utf-8")):
            words = re.sub(r'"[^"]*"', "", "".join(expression)).strip("-")
            assert not re.search(r"[-+*/] ?\w|\bround\b|\bsum\b", words), f"{path.name}: {words}"


def test_an_undefined_value_is_an_error_and_only_drawings_pass_unescaped() -> None:
    env = environment(Path("none"))

    with pytest.raises(jinja2.UndefinedError):
        env.from_string("{{ missing }}").render()
    with pytest.raises(TypeError, match="expected a Drawing"):
        env.from_string("{{ inline('<b>') }}").render()


@pytest.mark.parametrize("name", [name for name in dir(dict) if not name.startswith("_")])
def test_an_entry_is_printed_though_mappings_have_a_method_of_its_name_and_a_method_never(name: str) -> None:
    """A method is printed with its place in memory, which differs from run to run: equal inputs gave other bytes."""
    template = environment(Path("none")).from_string(f"{{{{ row.{name} }}}}")

    assert template.render(row={name: "198"}) == "198"
    with pytest.raises(TypeError, match=f"found dict.{name} in a page"):
        template.render(row={})


def test_no_page_prints_an_object_of_the_program(plain: Path) -> None:
    for path in plain.rglob("*.html"):
        assert not re.search(
            r"&lt;[^&;]*(object|method|function|generator)\b[^&;]*&gt;| at 0x[0-9a-f]+", path.read_text(encoding="utf-8")
        ), path


def test_a_template_of_the_project_stands_in_for_the_one_of_the_package(tmp_path: Path) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    (own / "revisions.html.j2").write_text('{% extends "base.html.j2" %}{% block title %}Own{% endblock %}', encoding="utf-8")

    pages = read(site(tmp_path))

    assert "Own · foresaid" in pages["revisions.html"].text
    assert "Sources" in pages["data.html"].text


def test_every_page_module_declares_its_pages_and_the_navigation_names_them_in_order(pages: dict[str, Reader], plain: Path) -> None:
    modules = sorted(path.stem for path in Path(report.__file__).parent.glob("*_page.py"))
    sets = page_sets()

    assert len(sets) == len(modules) >= 7
    for one in sets:
        assert one.address in pages
    header = (plain / "index.html").read_text(encoding="utf-8").split("</header>")[0]
    assert re.findall(r'href="([^"]+)"[^>]*>[^<]', header.split("<nav")[1]) == [one.address for one in sets if one.title]


def test_a_page_module_without_a_declaration_or_with_a_place_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_page, "PAGES", dataclasses.replace(data_page.PAGES, order=index_page.PAGES.order))
    with pytest.raises(ForesaidError, match="expected each once"):
        page_sets()
    monkeypatch.delattr(data_page, "PAGES")
    with pytest.raises(ForesaidError, match=r"report/data_page.py: found no page set"):
        page_sets()


def test_slugs_of_different_models_differ() -> None:
    names = ["a/b", "a-b", "a--b", "a.b", "a_b", "a/b/c"]

    assert len({wording.slug(name) for name in names}) == len(names)


def test_adopted_records_show_later_models_apart(pages: dict[str, Reader], plain: Path) -> None:
    listed = published.load(plain.parent / "registry" / "adopted" / "paper")

    assert len(listed.models) == 4
    assert "all listed models with an outcome" in pages["index.html"].text
    assert "only those released after that day" in pages["index.html"].text


def test_the_ledger_page_shows_every_forecast_and_a_removed_row_is_noticed(plain: Path) -> None:
    page = (plain / "ledger.html").read_bytes()
    place = plain.parent / "registry" / "ledger"
    check = verify.verify(place, evidence=verify.Evidence(report=page))

    assert (check.findings, check.totals["forecasts"]) == ((), 1)
    shorter = re.sub(rb"<tr data-forecast.*?</tr>", b"", page, count=1)
    assert len(shorter) < len(page)
    assert verify.verify(place, evidence=verify.Evidence(report=shorter)).exit_code() == 7


def test_claimed_scores_stand_apart_on_the_first_page_which_says_why(pages: dict[str, Reader], plain: Path) -> None:
    markup = (plain / "index.html").read_text(encoding="utf-8")
    part = markup[markup.index('id="claimed"') : markup.index('id="adopted"')]

    assert "no time-stamping authority proves that they were there before it. They are in no table above." in part
    assert "0.777" in part
    assert "0.777" not in markup.replace(part, "")
    assert "1 forecast with an outcome rest on the claim of their author alone." in pages["index.html"].text


def test_what_left_the_mean_is_on_the_page_by_name_beside_both_means(pages: dict[str, Reader], plain: Path) -> None:
    markup = (plain / "ledger.html").read_text(encoding="utf-8")
    exits = markup[markup.index('id="exits"') : markup.index("Mean WIS of what counts")]
    means = markup[markup.index("Mean WIS of what counts") : markup.index('id="outcomes"')]

    assert all(
        words in exits for words in ("withdrawal", "2026-12/task/size_sigmoid", "test", "2026-12-02T00:00:00Z", "because plain")
    )
    cells = re.findall(r"<td class=\"n\" data-figure>(.*?)</td>", means)
    assert cells == ["3", "0.123", "4", "0.250"]


def test_the_data_file_of_a_target_holds_all_that_the_ledger_says_of_it(plain: Path) -> None:
    told = json.loads((plain / "forecasts" / "2026-12~~task.json").read_text(encoding="utf-8"))
    [one], [proof] = told["forecasts"], told["proofs"]

    assert (told["target"]["unit"], told["target"]["rule"]["kind"], told["round"]["deadline"]) == (
        "fraction", "named", "2026-12-08T00:00:00Z",
    )  # fmt: skip
    assert one["versions"][0]["prediction"] == {"kind": "quantiles", "levels": ["0.5"], "values": ["0.4"]}
    assert (one["state"], told["outcomes"], one["scores"]) == ("withdrawn", [], [])
    assert proof["ids"] == ["test 2026-12/task/size_sigmoid"]
    assert not any("commit" in line for line in proof["proven"])
    assert any("commit" in line for line in proof["not_proven"])


def test_a_target_has_a_page_of_its_own_that_says_what_is_not_proven_of_its_forecasts(pages: dict[str, Reader]) -> None:
    text = pages["forecasts/2026-12~~task.html"].text

    assert "withdrawn" in text
    assert "The time: 2026-12-02T00:00:00Z is the claim of test; the policy names no authority." in text
    assert all(sentence in text for sentence in standing.NEVER)
