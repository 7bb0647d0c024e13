"""A slice of the campaign in seconds, and proof that the campaign can fail: a blind verifier is seen to be blind."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.attacks import ATTACKS, MODULES, blind, build, faults, mutate, parsers, table, unfixed
from tests.attacks.table import Scale, Tally
from tests.conftest import ROOT

SLICE = Scale("slice", workers=1)
SLOW = ("faults", "markup")  # they take longer than the rest together: `make campaign-short`


@pytest.mark.parametrize(("name", "attacks"), [pytest.param(*item, id=item[0]) for item in ATTACKS() if item[0] not in SLOW])
def test_no_attack_goes_unnoticed_where_it_must_not(name: str, attacks: table.Attack) -> None:
    tallies = list(attacks(SLICE))

    breaches = list(table.lines([tally for tally in tallies if tally.breach]))[1:]

    assert breaches == []
    assert sum(tally.tried for tally in tallies if not tally.skipped) > 0


def test_the_page_names_every_module_of_the_campaign_and_no_test_that_is_not_there() -> None:
    page = (ROOT / "docs" / "campaign.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    cited = {name for row in re.findall(r"\| ([^|]*) \|$", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    tests = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}

    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} >= set(MODULES)
    assert cited - set(MODULES) <= tests


def test_every_fix_that_is_taken_out_stands_where_it_is_taken_out_and_in_the_table() -> None:
    """A patch that does not apply would silence nothing; one of equal length might leave the compiled file in place."""
    assert unfixed.missing() == []
    assert all(len(one.text) != len(one.without) for one in unfixed.FIXES)
    page = (ROOT / "docs" / "campaign.md").read_text(encoding="utf-8")
    rows = {row[0]: row[1] for row in re.findall(r"^\| (B\d+) \|.*\| ([^|]*) \| [^|]* \|$", page, re.MULTILINE)}
    places = {attack: {one.place for one in unfixed.FIXES if one.attack == attack} for attack in rows}

    assert rows.keys() == {one.attack for one in unfixed.FIXES}
    assert {attack: set(re.findall(r"`(\w+)`", cell)) for attack, cell in rows.items()} == places


def test_a_test_that_passes_without_its_fix_is_noticed(tmp_path: Path) -> None:
    fix = next(one for one in unfixed.FIXES if one.attack == "B12")
    harmless = replace(fix, without=f"{fix.text}  # the same")
    shutil.copytree(unfixed.PACKAGE, tmp_path / "foresaid", ignore=shutil.ignore_patterns("__pycache__"))

    assert unfixed.unfixed(tmp_path, harmless)
    assert unfixed.missing([replace(fix, text="moved")]) == [f"B12: {fix.file} holds 0 times: moved"]


def test_a_verifier_that_sees_nothing_is_seen_to_see_nothing(tmp_path: Path) -> None:
    files = build.files(build.build(tmp_path / "ledger", 3))

    def nothing(folder: Path) -> int:
        return 0

    for mutants in (blind.deletions, blind.tails, blind.swaps, blind.copies, blind.odd):
        tally = mutate.try_all(SLICE, "x", files, lambda mutants=mutants: mutants(files), nothing)  # type: ignore[misc]
        assert (tally.tried, tally.breach) == (tally.undetected, True)


def test_an_exception_that_nobody_declared_is_a_breach(tmp_path: Path) -> None:
    files = build.files(build.build(tmp_path / "ledger", 2))
    tries = 0

    def crash(folder: Path) -> int:
        nonlocal tries
        tries += 1
        if tries == 2:
            raise KeyError("x")
        return 0 if tries == 1 or (folder / "log/MANIFEST").read_bytes() == files["log/MANIFEST"] else 1

    tally = mutate.try_all(SLICE, "x", files, lambda: blind.tails(files), crash)

    assert tally.breach
    assert tally.undetected == 0


def test_every_mutant_changes_something(tmp_path: Path) -> None:
    files = build.files(build.build(tmp_path / "ledger", 4))
    kinds = [
        blind.flips(files, 1, (5, 5)),
        blind.cuts(files, 1, (5, 5)),
        blind.insertions(files, 1, (5, 5)),
        blind.deletions(files),
    ]
    kinds += [blind.tails(files), blind.swaps(files), blind.copies(files)]

    for mutant in (mutant for kind in kinds for mutant in kind):
        assert any(files.get(name) != data for name, data in mutant.changes.items()), mutant.name


def test_the_ledger_is_put_back_after_every_mutant(tmp_path: Path) -> None:
    files = build.files(build.build(tmp_path / "ledger", 2))
    for mutant in [*blind.deletions(files), *blind.copies(files), *blind.odd(files)]:
        with mutate.mutated(tmp_path / "ledger", files, mutant):
            pass
        assert build.files(tmp_path / "ledger") == files, mutant.name


def test_what_is_remembered_from_try_to_try_changes_no_answer(tmp_path: Path) -> None:
    files = build.files(build.build(tmp_path / "ledger", 3))
    before = [getattr(module, name) for module, name in mutate.PURE]

    def mutants() -> Iterator[mutate.Mutant]:
        yield mutate.Mutant("nothing")
        for kind in (blind.flips, blind.cuts, blind.insertions):
            yield from kind(files, 8, (40, 40))

    plain, bulk = (mutate.try_all(SLICE, "", files, mutants, build.check, bulk=bulk) for bulk in (False, True))

    assert (plain.tried, plain.undetected, plain.other) == (bulk.tried, bulk.undetected, bulk.other)
    assert plain.examples == bulk.examples == ["unnoticed: nothing"]
    assert [getattr(module, name) for module, name in mutate.PURE] == before


def test_a_memory_that_lies_is_noticed(tmp_path: Path) -> None:
    files = build.files(build.build(tmp_path / "ledger", 3))
    answers = iter([1, 0])
    memory = mutate.Memory()
    folder = mutate.put(tmp_path / "copy", files)
    tally = Tally("")
    mutate.try_again(tally, folder, mutate.Mutant("bent"), lambda _: next(answers), memory)

    assert (tally.tried, tally.undetected, tally.other) == (1, 0, 1)
    assert tally.breach


def test_a_row_that_tried_nothing_is_a_breach_unless_it_says_why() -> None:
    assert Tally("x").breach
    assert not table.skip("x", "no strace").breach
    assert not Tally("x", tried=5).breach
    assert Tally("x", tried=5, undetected=1).breach
    assert not Tally("x", expected=None, tried=5, undetected=5).breach
    assert Tally("x", expected=None, tried=5, undetected=4).breach


def test_a_freeze_that_loses_what_it_acknowledged_is_noticed(tmp_path: Path) -> None:
    folder = build.build(tmp_path / "ledger", 2)

    assert faults.sound(folder, set()) == ""
    assert faults.sound(folder, {"0" * 64}) == "1 acknowledged batches are lost"


def test_a_parser_that_crashes_is_noticed() -> None:
    def crash(data: bytes) -> None:
        if b"[" in data:
            raise KeyError("x")

    tally = Tally("x")
    parsers.hypothesis_run(parsers.Parser("x", crash, (b"[]",)), tally, 50, 1)

    assert tally.other > 0
