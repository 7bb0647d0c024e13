"""What a download states of unknown names is proposed with its reason, and enters the record only where it is accepted."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from foresaid.cli.main import main
from foresaid.errors import RecordError
from foresaid.registry import csv_files, formats, load
from foresaid.registry.update.proposals import propose
from foresaid.registry.update.update import Download, row_count, update
from foresaid.sources._reading import Reading, Score, StatedModel, StatedQuantity

DATA = Path(__file__).parents[2] / "data"
TODAY = date(2026, 11, 21)
DAY = date(2025, 3, 1)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    (tmp_path / "download").mkdir()
    (tmp_path / "download/scores.csv").write_text("x\n")
    return tmp_path / "registry"


def reading(*names: str, models: tuple[StatedModel, ...] = (), quantity: str = "mmlu") -> Reading:
    scores = [Score(name, quantity, "", 0.5 + 0.01 * row, file="download/scores.csv", row=row) for row, name in enumerate(names, 2)]
    return Reading(scores, [], rows={"scores.csv": len(names)}, models=list(models))


def proposed(registry: Path, found: Reading) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Aliases, ids of new models, and names nothing is known of."""
    catalogue, _ = load.read_catalogue(registry)
    made = propose(catalogue, ["tiny"], "tiny", found, DAY)
    return [(row.alias, row.id) for row in made.aliases], [row.model_id for row in made.models], made.names


def bring(registry: Path, found: Reading, accept: bool) -> list[str]:
    folder = registry.parent / "download"
    return update("tiny", folder, registry, TODAY, lambda _: found, download=Download(DAY, part=True), accept=accept).lines()


def test_a_preview_of_a_model_is_a_spelling_of_it_unless_its_day_says_otherwise(registry: Path) -> None:
    name = "tiny-7b-preview"

    assert proposed(registry, reading(name)) == ([(name, "acme/tiny-7b")], [], [])
    near = StatedModel(name, "2024-03-20", "Acme")
    assert proposed(registry, reading(name, models=(near,))) == ([(name, "acme/tiny-7b")], [], [])
    far = StatedModel(name, "2025-01-20", "Acme")
    assert proposed(registry, reading(name, models=(far,))) == ([(name, f"acme/{name}")], [f"acme/{name}"], [])


def test_the_undated_name_of_a_model_of_the_same_day_and_maker_is_a_spelling_of_it(registry: Path) -> None:
    first = StatedModel("nova-2-2025-02-01", "2025-02-01", "Acme")
    second = StatedModel("Nova 2 (max)", "2025-02-01", "Acme")
    other = StatedModel("Nova 2.1", "2025-02-01", "Acme")
    aliases, models, _ = proposed(registry, reading(first.subject, second.subject, other.subject, models=(first, second, other)))

    assert models == ["acme/nova-2-2025-02-01", "acme/nova-2.1"]
    assert ("Nova 2 (max)", "acme/nova-2-2025-02-01") in aliases


def test_an_effort_or_a_precision_is_never_a_spelling_and_never_a_model(registry: Path) -> None:
    names = ("tiny-7b-fp8", "tiny-9b_high")
    stated = tuple(StatedModel(name, "2025-01-20", "Acme") for name in names)

    assert proposed(registry, reading(*names, models=stated)) == ([], [], list(names))


@pytest.mark.parametrize(
    "said",
    [
        StatedModel("nova", "", "Acme"),
        StatedModel("nova", "2025-02-01", ""),
        StatedModel("nova", "2025-05-01", "Acme"),  # after the day of the download
        StatedModel("nova", "spring", "Acme"),
        StatedModel("n\u043eva", "2025-02-01", "Acme"),
    ],
)
def test_what_the_upstream_does_not_state_is_asked(said: StatedModel, registry: Path) -> None:
    assert proposed(registry, reading(said.subject, models=(said,))) == ([], [], [said.subject])


def test_the_maker_of_its_line_stands_in_where_the_upstream_leaves_it_out(registry: Path) -> None:
    path = registry / "models.csv"
    path.write_text(path.read_text().replace(",base,,,,,", ",base,,nova,plain,,rule"))
    said = StatedModel("nova-3", "2025-02-01")

    assert proposed(registry, reading("nova-3", models=(said,))) == ([("nova-3", "acme/nova-3")], ["acme/nova-3"], [])


def test_nothing_is_taken_without_asking_and_the_refusal_lists_everything_at_once(registry: Path) -> None:
    names = ["tiny-7b-preview", "nova-3", *(f"nobody-{number}" for number in range(20))]
    found = reading(*names, models=(StatedModel("nova-3", "2025-02-01", "Acme", "Nova 3"),))
    before = {path: path.read_bytes() for path in registry.rglob("*") if path.is_file()}
    with pytest.raises(RecordError) as caught:
        bring(registry, found, accept=False)

    said = str(caught.value)
    assert "--accept takes the spellings, models and quantities into the record" in said
    assert "alias tiny-7b-preview of acme/tiny-7b: the same name without -preview" in said
    assert "model acme/nova-3: Acme, 2025-02-01" in said
    assert all(name in said for name in names)
    assert before == {path: path.read_bytes() for path in registry.rglob("*") if path.is_file()}


def test_accepted_names_are_written_with_their_rows_and_known_the_next_time(registry: Path) -> None:
    found = reading("tiny-7b-preview", "nova-3", models=(StatedModel("nova-3", "2025-02-01", "Acme", "Nova 3"),))
    lines = bring(registry, found, accept=True)
    catalogue, loaded = load.load(registry, ["tiny"])

    assert any("rows: 2 upstream in 1 tables, 2 taken, 0 left out" in line for line in lines)
    assert "accepted: alias tiny-7b-preview of acme/tiny-7b: the same name without -preview" in lines
    row = catalogue.known.models["acme/nova-3"]
    assert (row.released_on, row.release_source, row.family) == (date(2025, 2, 1), "tiny: nova-3", "Nova 3")
    assert (row.line, row.tier, row.release, row.line_source) == ("nova", "plain", "acme/2025-02-01", "rule")
    assert {row.alias: row.id for row in catalogue.aliases}["Nova 3"] == "acme/nova-3"
    assert {"acme/nova-3", "acme/tiny-7b"} <= set(loaded[0].frame.filter(known_on=DAY)["subject_id"])
    assert bring(registry, found, accept=False)[-1] == "tiny: 0 rows and 0 subjects appended"


def test_a_quantity_that_is_described_in_full_enters_with_its_rows(registry: Path) -> None:
    found = reading("acme/tiny-7b", quantity="tiny_new")
    with pytest.raises(RecordError, match="found tiny_new, expected a known quantity"):
        bring(registry, found, accept=True)
    stated = StatedQuantity("tiny_new", "New", "fraction", 0.0, 1.0, 0.25, "higher", "as stated", "scores.csv")
    found.quantities.append(stated)
    with pytest.raises(RecordError, match=r"quantity tiny_new: New, fraction, chance 0\.25"):
        bring(registry, found, accept=False)
    bring(registry, found, accept=True)

    assert load.read_catalogue(registry)[0].known.quantities["tiny_new"].resolver == "tiny"


def test_a_row_that_the_reader_loses_is_counted() -> None:
    found = reading("a", "b")

    assert row_count(found) == ["rows: 2 upstream in 1 tables, 2 taken, 0 left out"]
    found.rows["scores.csv"] = 5
    found.skipped["no score"] = 2
    assert "2 left out, 1 unaccounted for" in row_count(found)[0]


def test_models_and_spellings_are_added_by_one_line_each(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(registry.parent)
    shutil.copy(Path(__file__).parents[3] / "params.yaml", registry.parent)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, list(words))
        return done.exit_code, done.output

    add = ("models", "add", "acme/nova-8b", "--organisation", "Acme")
    dated = ("--released-on", "2025-02-01", "--release-source", "https://example.org")
    code, said = run(
        *add, *dated, "--params", "8e9", "--active", "8e9", "--tokens", "1e12", "--spelt", "Nova 8B (May)", "--source", "tiny"
    )
    assert (code, "line nova, tier 8b, release acme/2025-02-01" in said) == (0, True), said
    rows = {row.model_id: row for row in csv_files.read(registry / "models.csv", "m", formats.MODELS).items}
    assert rows["acme/nova-8b"].training_flops == 6 * 8e9 * 1e12
    for words, expected in (
        (add, "in models.csv already"),
        (("models", "add", "acme/nova8b", "--organisation", "Acme"), "differs from acme/nova-8b in case or punctuation only"),
        (("models", "add", "acme/other", "--organisation", "Acme", "--params", "8"), "check the unit"),
        (("models", "add", "acme/other", "--organisation", "Acme", "--released-on", "2025-02-01"), "without --release-source"),
        (("models", "add", "acme/other", "--organisation", "Acme", *("--released-on", "2099-02-01"), *dated[2:]), "still to come"),
        (("alias", "Nova 9", "acme/nova-9b"), "did you mean acme/nova-8b?"),
        (("alias", "Nova 8B (May)", "acme/tiny-7b", "--source", "tiny"), "expected acme/nova-8b, as it stands in tiny"),
        (("alias", "Nova 8B", "acme/nova-8b", "--source", "tinny"), "did you mean tiny?"),
    ):
        code, said = run(*words)
        assert (code > 0, expected in said, "Traceback" in said) == (True, True, False), said
    assert run("alias", "Nova Eight", "acme/nova-8b") == (0, "alias: Nova Eight is acme/nova-8b in every source from now on\n")
    assert run("alias", "Nova Eight", "acme/nova-8b") == (0, "alias: Nova Eight is acme/nova-8b in * already\n")
    assert run("sort") == (0, "sort: every file is in order\n")
