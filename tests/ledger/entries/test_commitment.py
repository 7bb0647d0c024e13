"""Seals: the worked example to the byte, no other opening, and what is not opened is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.attacks.build import ORIGIN
from tests.ledger.test_store import OPENING, SEALED, folder, forecast, target, whole, write

from foresaid.errors import LedgerError
from foresaid.ledger import store
from foresaid.ledger.entries import commitment
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.resolutions import Challenge, Resolution, Void
from foresaid.ledger.entries.schema import Amendment, Inner, Quantiles, Reveal, Withdrawal
from foresaid.ledger.state import accounting, versions
from foresaid.ledger.state.accounting import STATES
from foresaid.ledger.state.index import Clock, moment

__all__ = ["folder"]  # a fixture
NONCE = bytes(range(32))
INNER = Inner(
    author="example.org/alice", id=SEALED.id, method="obs-v3", origin=ORIGIN, primary=True, target=SEALED.target,
    prediction=Quantiles(levels=["0.05", "0.5", "0.95"], values=["0.380", "0.440", "0.515"]),
)  # fmt: skip
OPENED = Reveal(opens=SEALED.id, nonce=NONCE.hex(), forecast=INNER)
NOW = datetime(2027, 7, 1, tzinfo=UTC)


def test_the_worked_example_of_the_trust_model_comes_out() -> None:
    assert commitment.seal(INNER, NONCE, SEALED.reveal_by) == SEALED
    assert commitment.opens(OPENED, SEALED)


def test_a_thousand_other_openings_are_refused(folder: Path) -> None:
    write(folder, [*OPENING, SEALED])
    refused = 0
    for number in range(1000):
        values = ["0.380", f"0.{400 + number % 100}", "0.515"]
        nonce = NONCE if number >= 500 else (number + 1).to_bytes(32, "big")
        other = (
            INNER
            if number < 300
            else msgspec.structs.replace(INNER, prediction=Quantiles(levels=["0.05", "0.5", "0.95"], values=values))
        )
        if number % 100 == 40 and number >= 500:
            other = msgspec.structs.replace(other, primary=False)
        refused += not commitment.opens(Reveal(opens=SEALED.id, nonce=nonce.hex(), forecast=other), SEALED)
    assert refused == 1000
    bad = msgspec.structs.replace(OPENED, nonce="0" * 64)
    with pytest.raises(LedgerError, match="opens to another hash"):
        write(folder, [bad], minutes=1)
    assert whole(folder).counts["opened"] == 0
    write(folder, [OPENED], minutes=1)
    with pytest.raises(LedgerError, match="opened twice"):
        write(folder, [OPENED], minutes=2)


def test_another_author_cannot_copy_a_seal_and_open_it(folder: Path) -> None:
    write(folder, [*OPENING, SEALED])
    write(folder, [SEALED], minutes=1, author="example.org/mallory")

    with pytest.raises(LedgerError, match="the line inside the seal is another's"):
        write(folder, [OPENED], minutes=2, author="example.org/mallory")


def test_nonces_have_32_bytes_and_secrets_stay_outside_the_repository(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="expected 32"):
        commitment.commit(b"short", INNER)
    commitment.write_secret(tmp_path / "one.seal", commitment.Secret(NONCE, INNER))
    assert commitment.read_secret(tmp_path / "one.seal") == commitment.Secret(NONCE, INNER)
    assert (tmp_path / "one.seal").stat().st_mode & 0o777 == 0o600
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    with pytest.raises(LedgerError, match="inside the repository"):
        commitment.write_secret(tmp_path / "clone" / "one.seal", commitment.Secret(NONCE, INNER))


def proved(batches: Sequence[Batch], now: datetime | None = NOW) -> Clock:
    """A clock by which every batch is proved to have existed when it says it was frozen."""
    return Clock(now, proved={one.sha256: moment(one.header.frozen_at) for one in batches})


def moved(median: str) -> Quantiles:
    return Quantiles(levels=["0.05", "0.25", "0.5", "0.75", "0.95"], values=["0.412", "0.451", median, "0.95", "0.99"])


def state(folder: Path, name: str, now: datetime | None = NOW, clock: Clock | None = None) -> str:
    batches = store.read(folder)
    found = accounting.accounts(batches, clock or proved(batches, now))
    counts = accounting.totals(found)
    assert counts["forecasts"] == sum(counts[one] for one in STATES)
    return next(one.state for one in found if one.id == name)


def test_an_unopened_seal_is_named_and_a_late_opening_does_not_help(folder: Path) -> None:
    write(folder, [*OPENING, SEALED])
    assert state(folder, SEALED.id) == "unopened"
    assert state(folder, SEALED.id, datetime(2027, 5, 1, tzinfo=UTC)) == "pending"
    write(folder, [OPENED], frozen_at=datetime(2027, 6, 2, tzinfo=UTC), as_of=datetime(2027, 6, 1).date())
    assert state(folder, SEALED.id) == "unopened"


def outcome(known_at: str, released_on: str = "2026-12-31") -> Resolution:
    return Resolution(
        round="2026q4", target="mmlu-pro/model-x", value="0.5", known_at=known_at, released_on=released_on, snapshot="0" * 64,
        source="s", covariates=[],
    )  # fmt: skip


def test_every_state_is_reached_and_they_add_up(folder: Path) -> None:
    names = {one: forecast(one) for one in ("plain", "gone", "gone-late", "moved")}
    write(folder, [*OPENING, target("arc"), target("drop"), *names.values(), forecast("v", benchmark="drop"), SEALED])
    write(folder, [Withdrawal(withdraws=names["gone"].id, reason="why")], minutes=2)
    write(folder, [forecast("late")], frozen_at=datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC))
    write(folder, [Withdrawal(withdraws=names["gone-late"].id, reason="why")], frozen_at=datetime(2026, 12, 2, tzinfo=UTC))
    void = Void(round="2026q4", target="drop/model-x", condition="no_release", on="2027-06-02", evidence="0" * 64, reason="why")
    write(folder, [void], frozen_at=datetime(2027, 6, 3, tzinfo=UTC))
    assert state(folder, names["plain"].id) == "pending"
    write(folder, [outcome("2027-01-05")], frozen_at=datetime(2027, 6, 4, tzinfo=UTC))
    batches = store.read(folder)
    found = accounting.accounts(batches, proved(batches))

    assert {one.id.rsplit("/", 1)[1]: one.state for one in found} == {
        "plain": "scored", "moved": "scored", "gone": "withdrawn", "gone-late": "scored", "v": "void", "obs-v3": "unopened",
        "late": "late",
    }  # fmt: skip
    assert accounting.universe(store.read(folder), found)[0]["no_shows"] == ["arc/model-x", "drop/model-x", "mmlu-pro/model-x"]


def test_a_challenge_can_only_make_a_score_known_earlier(folder: Path) -> None:
    write(folder, [*OPENING, forecast("a")])
    later = datetime(2027, 6, 4, tzinfo=UTC)
    write(folder, [outcome("2026-11-22", "2026-11-22")], frozen_at=later)
    assert state(folder, forecast("a").id) == "scored"
    about = {"round": "2026q4", "target": "mmlu-pro/model-x", "evidence": "0" * 64}
    write(folder, [Challenge(known_at="2027-03-01", reason="later", **about)], frozen_at=later)
    assert state(folder, forecast("a").id) == "scored"
    write(folder, [Challenge(known_at="2026-11-21", reason="earlier", **about)], frozen_at=later)
    assert state(folder, forecast("a").id) == "late"


def test_what_the_policy_wants_proved_and_is_not_is_late_after_the_deadline(folder: Path) -> None:
    name = write(folder, [*OPENING, forecast("a")])
    before, after = datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)

    assert state(folder, forecast("a").id, clock=Clock(before, wanted=True)) == "pending"
    assert state(folder, forecast("a").id, clock=Clock(after, wanted=True)) == "late"
    assert state(folder, forecast("a").id, clock=Clock(after, True, {name: before})) == "pending"
    assert state(folder, forecast("a").id, clock=Clock(after, True, {name: after})) == "late"


@pytest.mark.parametrize(("revision", "counts"), [("first", "0.471"), ("last-before-deadline", "0.6")])
def test_the_round_says_which_version_counts_and_all_are_kept(folder: Path, revision: str, counts: str) -> None:
    opened = msgspec.structs.replace(OPENING[0], revision=revision)
    write(folder, [opened, *OPENING[1:], forecast("a")])
    for minutes, value in ((1, "0.55"), (2, "0.6")):
        write(folder, [Amendment(amends=forecast("a").id, reason="r", prediction=moved(value))], minutes)
    late = Amendment(amends=forecast("a").id, reason="r", prediction=moved("0.9"))
    write(folder, [late], frozen_at=datetime(2026, 12, 2, tzinfo=UTC))
    (made,) = versions.versions(store.read(folder), Clock(NOW)).values()

    assert len(made) == 4
    (chosen,) = [prediction for _, prediction, one in made if one]
    assert isinstance(chosen, Quantiles)
    assert counts in chosen.values
