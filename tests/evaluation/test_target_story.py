"""What a target says of itself in words: each kind of rule, and forecasts of each form."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.evaluation.test_resolution import target, void
from tests.pipeline.test_a_whole_life import JOINT, TEXTS, quantiles

from foresaid.evaluation.target_story import Said, lines
from foresaid.ledger.entries.schema import Quantiles
from foresaid.ledger.entries.targets import Bound, Line, Named, NextRelease, RecordBy

TODAY = date(2027, 2, 1)


def told(rule: Any, *said: Said, **changes: Any) -> dict[str, str]:
    found = [line.split(": ", 1) for line in lines(target(rule, **changes), said, TODAY)]
    return {head: "; ".join(text for name, text in found if name == head) for head, _ in found}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (NextRelease(lines=[Line(maker="acme", line="next", tier="pro")], ordinal=2), "launch 2 of acme next pro after 2027-01-01"),
        (RecordBy(by="2027-03-31", scope="any", top=1, record="0.7"), "released by 2027-03-31; it stood at 0.7 when"),
        (
            RecordBy(by="2027-03-31", scope="maker", top=3, record=None, maker="acme"),
            "mean of the best three values on gpqa of any",
        ),
        (Named(model="acme/next-1"), "the score on gpqa of acme/next-1 (its default settings)"),
        (Bound(binds="run", series="ladder"), "every run of ladder released while the target is open"),
    ],
)
def test_each_kind_says_what_is_asked(rule: Any, words: str) -> None:
    found = told(rule)
    assert words in found["what"]
    assert "in fraction, 0 to 1, chance 0.25" in found["what"]
    assert found["surprise"] == "no forecast says quantiles"


def test_by_when_and_by_what_rule() -> None:
    found = told(RecordBy(by="2027-03-31", scope="any", top=1, record=None), void_if=void("board_closed", "2027-03-01"))
    assert found["by when"] == "values count that board publishes by 2027-05-30, 60 days after 2027-03-31; settled the day after"
    assert "the first value that board publishes, else other under: v1" in found["rule"]
    assert "void if board_closed from 2027-03-01" in found["rule"]
    assert "settled by 2027-08-29 at the latest" in told(Named(model="acme/next-1"))["by when"]


def test_the_primary_comes_first_and_says_what_would_be_a_surprise() -> None:
    said = (Said("alice", "a", False, quantiles(0.6)), Said("alice", "z", True, quantiles(0.8)))
    found = told(Named(model="acme/next-1"), *said)

    assert found["how sure"].startswith(
        "z by alice, primary: median 0.8, 50 % 0.775 to 0.825, 80 % 0.76 to 0.84, 95 % 0.7525 to 0.8475"
    )
    assert found["surprise"] == "below 0.7525 or above 0.8475: z gives each one chance in forty"


def test_a_joint_is_read_for_a_release_on_a_named_day_and_other_levels_are_no_bands() -> None:
    named = Named(model="acme/next-1")
    assert "for a release on 2027-02-01" in told(named, Said("alice", "joint", True, JOINT))["how sure"]
    few = Quantiles(levels=["0.1", "0.9"], values=["0.4", "0.6"])
    assert "at other levels than these bands need" in told(named, Said("bob", "few", True, few))["how sure"]
    assert len(TEXTS) == 23
