"""Five later downloads of the hub and the index come in by `update` alone: typed lines are counted, every row is accounted for.

The record is taken back to the day of the first vintage: without later rows and vintages, without every model released after it
and every spelling of those. What `update --accept` makes of the downloads is then compared with the record as people wrote it.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from tests.conftest import ROOT

from foresaid.errors import RecordError
from foresaid.registry import additions, csv_files, formats, source_card
from foresaid.registry.formats import ObservationRow
from foresaid.registry.model_names import Names
from foresaid.registry.source_card import Vintage
from foresaid.registry.update.update import Download, update

REGISTRY = ROOT / "registry"
FIRST, TODAY = date(2025, 12, 3), date(2026, 11, 28)
SOURCES = ("epoch-hub", "epoch-hub-external", "epoch-eci", "epoch-eci-external")
# The one name of whose day, maker and line no file of the six says anything.
TYPED = ("xiaoyi-deepresearch",)


@dataclass
class Loaded:
    """The record after the six downloads, what each said, and the lines a person typed."""

    registry: Path
    build: Path
    typed: list[str] = field(default_factory=list)
    said: dict[tuple[str, date], list[str]] = field(default_factory=dict)
    seconds: dict[date, float] = field(default_factory=dict)


def taken_back(registry: Path) -> list[tuple[str, Vintage]]:
    """Copy the record as of the first vintage; return the later vintages of the four sources in the order of their days."""
    shutil.copytree(REGISTRY, registry, ignore=shutil.ignore_patterns("ledger", "experiments", "adopted", "protocols"))
    models = csv_files.read(registry / "models.csv", "models.csv", formats.MODELS).items
    later = {row.model_id for row in models if row.released_on is not None and row.released_on > FIRST}
    aliases = csv_files.read(registry / "aliases.csv", "aliases.csv", formats.ALIASES).items
    (registry / "models.csv").write_bytes(csv_files.dump([row for row in models if row.model_id not in later], formats.MODELS))
    (registry / "aliases.csv").write_bytes(csv_files.dump([row for row in aliases if row.id not in later], formats.ALIASES))
    steps = []
    for name in SOURCES:
        path = registry / "sources" / name / "source.toml"
        card = source_card.read(path, path.name, name)
        steps += [(name, vintage) for vintage in card.vintages if vintage.known_on > FIRST]
        head, *entries = path.read_text(encoding="utf-8").split("\n[[vintage]]")
        first = [entry for entry in entries if f"known_on = {FIRST}" in entry]
        text = "\n[[vintage]]".join([head, *first]) if first else f"vintage = []\n{head}\n"
        path.write_text(text, encoding="utf-8")
        rows = path.parent / "observations.csv"
        if rows.exists():
            kept = [row for row in csv_files.read(rows, rows.name, formats.OBSERVATIONS).items if row.known_on <= FIRST]
            rows.write_bytes(csv_files.dump(kept, formats.OBSERVATIONS))
    return sorted(steps, key=lambda step: (step[1].known_on, step[0]))


@pytest.fixture(scope="module")
def six(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    home = tmp_path_factory.mktemp("six")
    done = Loaded(home / "registry", home / "build")
    steps = taken_back(done.registry)
    update("epoch-hub-external", mirror, done.registry, TODAY, build=done.build)
    for name, vintage in steps:
        start = time.process_time()
        download, folder = Download(vintage.known_on, vintage.commit, vintage.part), mirror / vintage.directory
        for _ in range(2):
            done.typed.append(f"foresaid update {name} --from {vintage.directory} --known-on {vintage.known_on} --accept")
            try:
                change = update(name, folder, done.registry, TODAY, download=download, build=done.build, accept=True)
            except RecordError as error:
                said = str(error)
            else:
                done.said[name, vintage.known_on] = change.lines()
                break
            for unknown in TYPED:  # the refusal names all that is unknown, so one round of typing is enough
                assert unknown in said
                done.typed.append(f"foresaid models add huawei/{unknown} --organisation Huawei --spelt {unknown}")
                row = additions.model_row(f"huawei/{unknown}", "Huawei", "", "")
                additions.add_model(done.registry, row, [(unknown, name)])
        spent = time.process_time() - start
        done.seconds[vintage.known_on] = done.seconds.get(vintage.known_on, 0.0) + spent
    return done


def rows(path: Path) -> list[ObservationRow]:
    return csv_files.read(path, path.name, formats.OBSERVATIONS).items


def test_six_downloads_take_one_line_a_source_and_one_for_the_name_nobody_states(six: Loaded) -> None:
    commands = [line for line in six.typed if line.startswith("foresaid update")]
    added = [line for line in six.typed if line not in commands]
    print("\n".join(six.typed))
    for day, seconds in sorted(six.seconds.items()):
        print(f"{day}: {sum(str(day) in line for line in commands)} commands, {seconds:.0f} s of the processor")

    assert len({day for _, day in six.said}) == 6
    assert (len(six.said), len(commands), len(added)) == (12 - 1, 12, 1)  # the index of July holds no collected board
    assert max(six.seconds.values()) < 120


def test_every_upstream_row_is_taken_or_left_out_for_a_reason(six: Loaded) -> None:
    for (name, day), lines in six.said.items():
        account = [line.strip() for line in lines if line.strip().startswith("rows: ")]
        print(name, day, *account)

        assert len(account) == 1, (name, day)
        assert "unaccounted" not in account[0], (name, day)


def test_the_values_are_those_of_the_record_as_people_wrote_it(six: Loaded) -> None:
    for name in ("epoch-hub", "epoch-eci"):
        place = Path("sources") / name / "observations.csv"
        ours, theirs = (
            Counter((row.quantity_id, row.setting, row.known_on, row.value, row.status) for row in rows(home / place))
            for home in (six.registry, REGISTRY)
        )

        assert ours == theirs


def test_accepted_names_mean_the_models_a_person_chose(six: Loaded) -> None:
    """Two names of ours that a person gave one model, or the other way round, would split or join its series."""
    tables = [
        (
            csv_files.read(home / "models.csv", "m", formats.MODELS).items,
            csv_files.read(home / "aliases.csv", "a", formats.ALIASES).items,
        )
        for home in (six.registry, REGISTRY)
    ]
    names = [Names(["epoch-eci", "epoch-hub"], [row.model_id for row in models], aliases) for models, aliases in tables]
    fresh = {row.alias for row in tables[0][1]} - {row.alias for row in tables[1][1]} | {
        row.alias for row in tables[0][1] if row.id not in {model.model_id for model in tables[1][0] if model.released_on is None}
    }
    before = {row.model_id for row in tables[1][0] if row.released_on is not None and row.released_on <= FIRST}
    pairs: dict[str, set[str]] = {}
    back: dict[str, set[str]] = {}
    for name in sorted(fresh):
        mine, theirs = (one.resolve(name, ("", None)) for one in names)
        if isinstance(mine, str) and isinstance(theirs, str) and theirs not in before:
            pairs.setdefault(mine, set()).add(theirs)
            back.setdefault(theirs, set()).add(mine)
    joined = {mine: theirs for mine, theirs in pairs.items() if len(theirs) > 1}
    split = {theirs: mine for theirs, mine in back.items() if len(mine) > 1}
    print(f"{len(pairs)} models accepted, {len(joined)} join two of the record: {joined}; {len(split)} split: {split}")

    assert len(pairs) > 60
    assert (joined, split) == ({}, {})
