"""Pages that are kept from run to run are never out of date: after any change the site is that of a run that kept nothing."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import polars as pl
import pytest
from markupsafe import Markup
from tests.report.asked_world import OPENS, asked_site
from tests.report.test_site import parameters, tables

from foresaid.errors import ForesaidError
from foresaid.files import read_frame, write_frame
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.params import Params
from foresaid.pipeline import report as pipeline_report
from foresaid.registry import database
from foresaid.report import downloads, environment, kept_pages, mode_check
from foresaid.report.downloads import SHORT, Offered
from foresaid.report.kept import Kept, name_of
from foresaid.report.kept_pages import Renderer, forms
from foresaid.report.page import Page

PLAIN = parameters("plain")
TITLED = dataclasses.replace(
    PLAIN, hindcast={name: dataclasses.replace(one, title="Another title") for name, one in PLAIN.hindcast.items()}
)
NEXT, RECORD, LAW = "forecasts/2026-12~~next-big-task.html", "forecasts/2026-12~~record-task.html", "laws/size_sigmoid.html"


def write(folder: Path, entry: entries.Entry, hour: int) -> None:
    place = folder / "registry" / "ledger"
    store.write_batch(
        place, [entry], origin="test/registry", author="house", as_of=OPENS, frozen_at=datetime(2027, 5, 2, hour, tzinfo=UTC),
        data=[], code=entries.Code(git=None, dirty=False, version="1"),
    )  # fmt: skip
    store.sequence(place, "test/registry")


def an_outcome(folder: Path) -> None:
    plain = {
        "type": "resolution/v1", "round": "2026-12", "target": "next-big-task", "value": "0.66", "known_at": "2027-05-01",
        "released_on": "2027-04-15", "snapshot": "0" * 64, "source": "board", "covariates": [], "subject": "acme/big-4",
    }  # fmt: skip
    write(folder, entries.parse(plain), 1)  # type: ignore[arg-type]  # an entry, no header


def a_withdrawal(folder: Path) -> None:
    write(folder, entries.Withdrawal(withdraws="2026-12/record-task/jumps", reason="a mistake"), 2)


def a_row_of_the_record(folder: Path) -> None:
    changed = tables("plain", "https://example.org/a")
    changed["quantity"] = changed["quantity"].with_columns(title=pl.col("title").str.replace("Task", "Renamed"))
    shutil.rmtree(folder / "build" / "database")
    database.build(changed, folder / "build" / "database")


def a_source_card(folder: Path) -> None:
    card = folder / "registry" / "sources" / "acme-evals" / "source.toml"
    card.write_text(card.read_text(encoding="utf-8").replace("title plain", "another title"), encoding="utf-8")


def a_score(folder: Path) -> None:
    path = folder / "build" / "scores.parquet"
    write_frame(path, read_frame(path).with_columns(wis=pl.col("wis") * 1.5, median=pl.col("median") + 0.01))


def rows_of_a_chart(folder: Path) -> None:
    path = folder / "build" / "fits" / "size_sigmoid" / "drawing.parquet"
    write_frame(path, read_frame(path).with_columns(median=pl.col("median") + 0.02))


def own(name: str, old: str, new: str) -> Callable[[Path], None]:
    """A change to a template, as a file of the project that stands in for the package's."""

    def change(folder: Path) -> None:
        text = (environment.TEMPLATES / name).read_text(encoding="utf-8")
        assert old in text
        (folder / "templates").mkdir(exist_ok=True)
        (folder / "templates" / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def nothing(folder: Path) -> None:
    """Change nothing on the disk."""


CHANGES: list[tuple[str, Callable[[Path], None], Params]] = [
    ("nothing", nothing, PLAIN),
    ("an outcome", an_outcome, PLAIN),
    ("a withdrawal", a_withdrawal, PLAIN),
    ("a row of the record", a_row_of_the_record, PLAIN),
    ("a source card", a_source_card, PLAIN),
    ("a score", a_score, PLAIN),
    ("rows of a chart", rows_of_a_chart, PLAIN),
    ("a template", own("target.html.j2", "Every forecast of", "All forecasts of"), PLAIN),
    ("the macros", own("macros.html.j2", "Download", "Get"), PLAIN),
    ("the frame", own("base.html.j2", "Skip to the content", "To the content"), PLAIN),
    ("the style", own("style.css.j2", "{", "{ "), PLAIN),
    ("parameters", nothing, TITLED),
]


def render(folder: Path, params: Params, build: Path, out: Path) -> dict[str, bytes]:
    pipeline_report.run(params, build, folder / "registry", folder / "metrics", folder / "templates", out)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def said(text: bytes) -> bytes:
    """A page without its footer."""
    return re.sub(rb"<footer>.*</footer>", b"", text, flags=re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Change:
    """What one change did: the pages that were rendered anew, and those that say something else than before."""

    made: set[str]
    changed: set[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Change]:
    """One change after another; AssertionError where a file of the site differs from that of a run that kept nothing."""
    folder = tmp_path_factory.mktemp("changing")
    asked_site(folder)
    told: dict[str, Change] = {}
    before = render(folder, PLAIN, folder / "build", folder / "site")
    made: set[str] = set()
    check = mode_check.check

    def checked(path: str, text: str) -> None:
        made.add(path)
        check(path, text)

    for name, change, params in CHANGES:
        change(folder)
        made.clear()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(mode_check, "check", checked)
            after = render(folder, params, folder / "build", folder / "site")
        pages = {path for path in after if path.endswith((".html", ".xml"))}
        told[name] = Change(set(made), {path for path in pages if said(before.get(path, b"")) != said(after[path])})
        before = after
        # Charts take most of the time, so that but for the last change they are those of the run before.
        bare = shutil.ignore_patterns("cache" if name == CHANGES[-1][0] else "pages")
        shutil.copytree(folder / "build", folder / "fresh", ignore=bare)
        anew = render(folder, params, folder / "fresh", folder / "anew")
        shutil.rmtree(folder / "fresh")

        assert after.keys() == anew.keys(), name
        assert [path for path in after if after[path] != anew[path]] == [], name
    return told


def test_nothing_is_rendered_again_where_nothing_changed_but_the_feed(told: dict[str, Change]) -> None:
    assert told["nothing"] == Change({"feed.xml"}, set())


@pytest.mark.parametrize("name", ["an outcome", "a withdrawal", "a score", "rows of a chart", "a template", "the style"])
def test_only_what_changed_is_rendered_again(told: dict[str, Change], name: str) -> None:
    assert told[name].made == told[name].changed | {"feed.xml"}


def test_a_change_reaches_the_pages_that_show_it(told: dict[str, Change]) -> None:
    assert {NEXT, "open.html", "ledger.html"} <= told["an outcome"].changed
    assert RECORD in told["a withdrawal"].changed
    assert {"index.html", "benchmarks/task.html"} <= told["a row of the record"].changed
    assert "data.html" in told["a source card"].changed
    assert {LAW, "hindcasts.html"} <= told["a score"].changed
    assert told["rows of a chart"].changed == {LAW}
    assert told["a template"].changed == {NEXT, RECORD, "forecasts/2026-12~~second-big-task.html"}
    assert {NEXT, LAW, "index.html"} <= told["the frame"].changed
    assert "hindcasts.html" in told["parameters"].changed


def test_an_outcome_leaves_the_pages_of_laws_and_models_as_they_were(told: dict[str, Change]) -> None:
    assert not {LAW, "models/index.html", "hindcasts.html", "data.html"} & told["an outcome"].made


def test_every_page_but_the_feed_can_be_kept() -> None:
    env = environment.environment(Path("none"))
    kept = forms(env, Kept(None))

    left = set(env.list_templates(extensions=["j2"])) - kept.keys()

    assert left == {"base.html.j2", "macros.html.j2", "feed.xml.j2", "style.css.j2"}


TEXTS = {
    "base.html.j2": "{% set around = 1 %}<b>{% block title %}{% endblock %}</b>{% block main %}{% endblock %}{{ footer }}",
    "plain.j2": '{% extends "base.html.j2" %}{% block main %}{{ said }}{% endblock %}',
    "footed.j2": '{% extends "base.html.j2" %}{% block main %}{{ footer }}{% endblock %}',
}
WHOLE = {
    "looks at its frame": '{% extends "base.html.j2" %}{% block main %}{{ super() }}{{ said }}{% endblock %}',
    "asks its own frame": '{% extends "base.html.j2" %}{% block main %}{{ self.title() }}{{ said }}{% endblock %}',
    "reads what its frame sets": '{% extends "base.html.j2" %}{% block main %}{{ around }}{{ said }}{% endblock %}',
    "sets what its frame may read": '{% extends "base.html.j2" %}{% set x = said %}{% block main %}{{ x }}{% endblock %}',
    "includes by a value": '{% extends "base.html.j2" %}{% block main %}{% include other %}{% endblock %}',
    "extends by a value": "{% extends frame %}{% block main %}{{ said }}{% endblock %}",
    "extends nothing": "{{ said }}",
}


def renderer(texts: dict[str, str], kept: Kept, **shared: object) -> Renderer:
    env = environment.environment(Path("none"))
    env.loader = jinja2.DictLoader(texts)
    return Renderer(env, kept, shared, {})


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_a_template_whose_frame_and_blocks_cannot_be_told_apart_is_rendered_whole_each_time(tmp_path: Path, text: str) -> None:
    texts = {**TEXTS, "page.j2": text, "own.j2": "own"}
    for said in ("one", "two"):
        values = {"said": said, "other": "own.j2", "frame": "base.html.j2"}
        made = renderer(texts, Kept(tmp_path), footer=said).text(Page("p.html", "page.j2", values))
        env = environment.environment(Path("none"))
        env.loader = jinja2.DictLoader(texts)

        assert made == env.get_template("page.j2").render(values, footer=said)


def test_a_block_that_names_the_footer_depends_on_it(tmp_path: Path) -> None:
    def made(template: str, footer: str) -> str:
        return renderer(TEXTS, Kept(tmp_path), footer=footer).text(Page("p.html", template, {"said": "a\0b"}))

    assert [made("footed.j2", one) for one in "ab"] == ["<b></b>aa", "<b></b>bb"]
    assert [made("plain.j2", one) for one in "ab"] == ["<b></b>a\0ba", "<b></b>a\0bb"]


def test_text_and_markup_of_the_same_letters_are_two_values(tmp_path: Path) -> None:
    values = ["<i>", Markup("<i>"), ("<i>",), ["<i>"]]
    made = [renderer(TEXTS, Kept(tmp_path), footer="").text(Page("p.html", "plain.j2", {"said": one})) for one in values]

    assert len(set(made)) == len(values)


def test_a_page_links_to_the_formats_its_table_is_offered_in_and_to_its_schema(tmp_path: Path) -> None:
    inside = '{{ offered("t").formats | length }} {{ offered("t").schema }}'
    texts = {**TEXTS, "page.j2": f'{{% extends "base.html.j2" %}}{{% block main %}}{inside}{{% endblock %}}'}
    found = []
    for offered in (Offered(SHORT, "a"), Offered(SHORT[:1], "a"), Offered(SHORT, "b")):
        offers = {"t": offered}
        env = environment.environment(Path("none"), offers)
        env.loader = jinja2.DictLoader(texts)
        found.append(Renderer(env, Kept(tmp_path), {"footer": ""}, offers).text(Page("p.html", "page.j2", {})))

    assert found == ["<b></b>3 a", "<b></b>1 a", "<b></b>3 b"]


def test_a_page_without_a_mode_is_refused_and_not_kept(tmp_path: Path) -> None:
    texts = {
        **TEXTS,
        "page.j2": '{% extends "base.html.j2" %}{% block main %}<table><thead><th>WIS</th></thead></table>{% endblock %}',
    }
    for _ in range(2):
        with pytest.raises(ForesaidError, match="found scores without a mode"):
            renderer(texts, Kept(tmp_path), footer="").text(Page("p.html", "page.j2", {}))


def test_values_that_code_could_spell_otherwise_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="found PosixPath among the values"):
        renderer(TEXTS, Kept(tmp_path), footer="").text(Page("p.html", "plain.j2", {"said": Path("a")}))


def test_changed_code_makes_everything_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = Page("p.html", "plain.j2", {"said": "x"})
    renderer(TEXTS, Kept(tmp_path), footer="").text(page)
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.setattr(kept_pages, "program", lambda *_: b"other code")
    renderer(TEXTS, Kept(tmp_path), footer="").text(page)

    assert len({path.name for path in tmp_path.iterdir()} - before) == 2  # the page, and how its template is written


def test_an_entry_that_is_torn_altered_or_of_another_name_is_made_anew(tmp_path: Path) -> None:
    def of(name: str) -> bytes:
        return Kept(tmp_path).of(name, lambda: {"part": b"made"})["part"]

    of("one")
    path = tmp_path / "one"
    whole = path.read_bytes()
    for content in (b"", whole[:20], whole[:-1], whole.replace(b"made", b"MADE")):
        path.write_bytes(content)
        assert of("one") == b"made"
    path.rename(tmp_path / "two")
    assert Kept(tmp_path).of("two", lambda: {"part": b"other"}) == {"part": b"other"}


def test_what_no_run_asks_for_any_more_is_removed(tmp_path: Path) -> None:
    first = Kept(tmp_path)
    for name in "ab":
        first.of(name, lambda: {})
    again = Kept(tmp_path)
    again.of("b", lambda: {})
    again.drop_unused()

    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_download_is_written_again_where_a_row_or_a_type_changed(tmp_path: Path) -> None:
    frames = [
        pl.DataFrame({"n": [1, 2]}),
        pl.DataFrame({"n": [1, 3]}),
        pl.DataFrame({"n": [1.0, 2.0]}),
        pl.DataFrame({"m": [1, 2]}),
    ]
    for frame in frames:
        kept = downloads.contents({"t": frame}, Kept(tmp_path))

        assert kept == downloads.contents({"t": frame})
    assert len(list(tmp_path.iterdir())) == len(frames)


def test_names_of_different_parts_differ() -> None:
    assert len({name_of(b"ab", b"c"), name_of(b"a", b"bc"), name_of(b"abc"), name_of(b"abc", b"")}) == 4
    assert re.fullmatch("[0-9a-f]{64}", name_of(b"x"))
