"""The tables of docs/results-evaluation.md are those of the metrics files, figure by figure."""

from __future__ import annotations

import re

import pytest
from tests.documented_figures import BLOCKS, PAGE, ROOT, UNKNOWN, marks, written


def differing(said: str, made: str) -> list[str]:
    """The lines that differ; a figure the metrics file does not know may be any."""
    if made == UNKNOWN:
        return []
    each, expected = said.split("\n"), made.split("\n")
    patterns = ["[^|]*".join(map(re.escape, line.split(UNKNOWN))) for line in expected]
    if len(each) != len(expected):
        return [f"{len(each)} lines in the document, {len(expected)} from the metrics"]
    return [
        f"{line}\n{other}" for line, pattern, other in zip(each, patterns, expected, strict=True) if not re.fullmatch(pattern, line)
    ]


@pytest.mark.parametrize("name", BLOCKS)
def test_the_document_says_what_the_metrics_say(name: str) -> None:
    found = differing(written(PAGE.read_text(encoding="utf-8"), name), BLOCKS[name](ROOT))

    assert found == [], "run python -m tests.documented_figures"


@pytest.mark.parametrize("name", ["known on the day", "by release date", "headline numbers"])
def test_a_changed_figure_is_seen(name: str) -> None:
    made = BLOCKS[name](ROOT)
    ratios = re.findall(r" (\.\d\d) ?[|(o]", made.replace(UNKNOWN, ""))

    assert len(ratios) >= 10
    for ratio in set(ratios):
        moved = f"{(float(ratio) * 100 + 7) % 100 / 100:.2f}"[1:]
        assert differing(made.replace(f" {ratio}", f" {moved}"), made)
    assert differing(made.rsplit("\n", 1)[0], made)


def test_every_block_stands_once_between_its_marks() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert sorted(re.findall(r"<!-- figures: ([a-z ]+) -->", page)) == sorted(BLOCKS)
    assert all(page.count(mark) == 1 for name in BLOCKS for mark in marks(name))
