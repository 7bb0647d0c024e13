"""A licence stands with each quantity, and the gate keeps figures nobody granted out of the record."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from tests.worlds.upstream import REGISTRY

from foresaid.errors import RecordError
from foresaid.registry import csv_files, formats, licences
from foresaid.registry import load as ingest
from foresaid.registry.formats import LicenceRow
from foresaid.registry.source_card import read as read_card
from foresaid.registry.source_card import source_names, spelling
from foresaid.registry.update.update import update


def stated() -> list[LicenceRow]:
    return csv_files.read(REGISTRY / "licences.csv", "licences.csv", formats.LICENCES).items


def test_every_quantity_of_epochs_four_sources_has_its_own_statement() -> None:
    resolved = csv_files.read(REGISTRY / "quantities.csv", "quantities.csv", formats.QUANTITIES).items
    wanted = {
        (row.resolver, row.quantity_id)
        for row in resolved
        if row.resolver in ("epoch-hub", "epoch-hub-external", "epoch-eci", "epoch-eci-external")
    }

    assert wanted == set(licences.grants(stated()))
    assert {row.grant for row in stated() if row.source_id in ("epoch-hub", "epoch-eci")} == {"granted"}


def test_forbidden_boards_are_those_whose_publishers_refuse() -> None:
    assert {row.quantity_id for row in stated() if row.grant == "forbidden"} == {
        *("epoch_arc_agi", "epoch_arc_agi_2", "epoch_webdev_arena_elo"),
        *("epoch_eci_arc_agi", "epoch_eci_arc_agi_2", "epoch_eci_cursorbench", "epoch_eci_frontiercode"),
    }


def test_no_embedded_source_holds_figures_without_a_grant() -> None:
    catalogue, _ = ingest.read_catalogue(REGISTRY)
    found = licences.grants(catalogue.licences)
    for name in source_names(REGISTRY):
        path = REGISTRY / "sources" / name / "observations.csv"
        if path.exists():
            rows = csv_files.read(path, name, formats.OBSERVATIONS).items
            assert licences.refused(name, True, (row.quantity_id for row in rows), found, name) == []


def test_a_row_without_a_grant_stops_the_stage_and_the_update(mirror: Path, tmp_path: Path) -> None:
    shutil.copytree(REGISTRY, tmp_path / "registry", ignore=shutil.ignore_patterns("ledger", "experiments"))
    path = tmp_path / "registry" / "licences.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("epoch_chess_puzzles,Epoch AI", "epoch_chess_puzzles,Somebody"), encoding="utf-8"
    )
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(
        "".join(line.replace(",granted,", ",not_found,") if "epoch_chess_puzzles" in line else line for line in text),
        encoding="utf-8",
    )
    expected = r"epoch_chess_puzzles, not found by .*, expected figures whose licence grants a copy; remove its rows"

    with pytest.raises(RecordError, match=expected):
        ingest.load(tmp_path / "registry", ["epoch-hub"])
    with pytest.raises(RecordError, match=expected):
        update("epoch-hub", mirror, tmp_path / "registry", date(2026, 11, 28))


def test_a_statement_about_nothing_is_refused() -> None:
    table = csv_files.parse(
        b"source_id,quantity_id,publisher,licence,grant,evidence\nnowhere,nothing,Acme,,granted,a page\n",
        "licences.csv",
        formats.LICENCES,
    )

    assert [problem.column for problem in licences.check(table, {}, [])] == ["quantity_id", "source_id"]


def test_the_listing_says_quantity_word_publisher_and_where_it_was_read() -> None:
    lines = licences.listing(stated())

    assert len(lines) == len(stated())
    assert any(line.startswith("epoch-hub-external  epoch_arc_agi  forbidden  ARC Prize") for line in lines)


def test_the_day_of_a_download_is_kept_apart_from_the_day_it_became_public() -> None:
    card = read_card(REGISTRY / "sources/epoch-eci/source.toml", "epoch-eci/source.toml", "epoch-eci")

    assert card.vintages[0].downloaded_on == date(2026, 8, 11)
    assert spelling(REGISTRY, "epoch-eci-external") == ("epoch-eci-external", "epoch-eci", "epoch-hub")


def test_a_download_after_it_was_public_and_a_circle_of_spellings_are_refused(tmp_path: Path) -> None:
    home = tmp_path / "sources" / "a"
    home.mkdir(parents=True)
    text = (REGISTRY / "sources/epoch-eci/source.toml").read_text(encoding="utf-8")
    (home / "source.toml").write_text(text.replace("downloaded_on = 2026-08-11", "downloaded_on = 2026-08-12"), encoding="utf-8")
    with pytest.raises(RecordError, match="downloaded_on: found 2026-08-12, expected a day up to known_on 2026-08-11"):
        read_card(home / "source.toml", "a/source.toml", "a")
    (home / "source.toml").write_text(text.replace('spelt_like = "epoch-hub"', 'spelt_like = "a"'), encoding="utf-8")
    with pytest.raises(RecordError, match="found a circle"):
        spelling(tmp_path, "a")


def test_every_committed_row_has_a_granted_licence_and_share_alike_figures_their_notice() -> None:
    """By its own statement where there is one, and by the card of its source where there is none."""
    catalogue, _ = ingest.read_catalogue(REGISTRY)
    stated = licences.grants(catalogue.licences)
    rows = 0
    for one in licences.kept(REGISTRY, catalogue.quantities):
        path = REGISTRY / "sources" / one.source.name / "observations.csv"
        if not path.exists():
            assert one.rows == 0
            continue
        found = csv_files.read(path, one.source.name, formats.OBSERVATIONS).items
        grants = {licences.word(one.source, stated.get((one.source.name, row.quantity_id))) for row in found}
        rows += len(found)

        assert grants <= licences.EMBEDDED, one.source.name
        assert len(found) == one.rows
        assert one.source.licence.strip()
        if "share_alike" in grants:
            assert "stay under it" in one.notice, one.source.name
    assert rows > 100_000


def test_a_word_for_each_kind_of_card() -> None:
    cards = {name: read_card(REGISTRY / f"sources/{name}/source.toml", name, name) for name in source_names(REGISTRY)}

    assert licences.word(cards["forecastbench"]) == "share_alike"
    assert licences.word(cards["aider"]) == "granted"
    assert licences.word(cards["arena-daily"]) == "forbidden"
    assert licences.word(cards["livebench"]) == "not_found"


def test_forbidden_quantities_are_those_of_the_statements_and_of_refused_sources() -> None:
    catalogue, _ = ingest.read_catalogue(REGISTRY)
    kept = licences.kept(REGISTRY, catalogue.quantities)
    found = licences.forbidden([one.source for one in kept], catalogue.quantities, catalogue.licences)

    assert {"epoch_arc_agi", "epoch_eci_cursorbench", "arena_daily_text"} <= found
    assert not found & {"epoch_gpqa_diamond", "epoch_hle", "lmarena_text_elo"}


def test_the_summary_says_what_an_update_adds() -> None:
    catalogue, _ = ingest.read_catalogue(REGISTRY)
    lines = licences.summary(licences.kept(REGISTRY, catalogue.quantities))

    assert "an update adds 49 quantities to 2026-05-14: foresaid update epoch-hub-external --from FOLDER" in lines
    assert any(line.startswith("forecastbench  share alike  9784 rows in registry/") for line in lines)
