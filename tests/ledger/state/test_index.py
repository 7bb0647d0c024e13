"""When a score was known: whatever is said later can only make it earlier."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from foresaid.ledger.entries.schema import RoundEntry
from foresaid.ledger.state.index import Facts, in_time, moment

AIM = ("r", "t")
START = datetime(2026, 11, 1, tzinfo=UTC)
ROUND = RoundEntry(
    id="r", deadline="2026-12-01T00:00:00Z", reveal_by="2027-06-01T00:00:00Z", revision="first", score="wis", reports="all",
    unit_of_count="target", universe="all",
)  # fmt: skip


def test_ten_thousand_sequences_of_evidence_only_ever_move_the_end_earlier() -> None:
    chance = random.Random(24)
    for _ in range(10_000):
        facts, told = Facts(rounds={"r": ROUND}), list[tuple[str, datetime]]()
        for _ in range(chance.randrange(1, 8)):
            before = {subject: facts.end(AIM, subject) for subject in ("", "x", "y")}
            about, at = chance.choice(["", "x", "y"]), START + timedelta(hours=chance.randrange(2000))
            facts.know(AIM, about, at)
            told.append((about, at))
            for subject, old in before.items():
                new = facts.end(AIM, subject)
                mine = [when - timedelta(seconds=1) for whom, when in told if whom in ("", subject)]

                assert new is not None
                assert old is not None
                assert new <= old
                assert new == min([*mine, moment(ROUND.deadline)])


def test_a_day_begins_where_it_begins_first_and_the_second_before_a_score_still_counts() -> None:
    facts = Facts()
    assert facts.end(AIM) is None
    facts.know(AIM, "", moment("2026-12-01"))

    known = datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert (in_time(known, facts.end(AIM)), in_time(known - timedelta(seconds=1), facts.end(AIM))) == (False, True)
    assert not in_time(None, facts.end(AIM))
