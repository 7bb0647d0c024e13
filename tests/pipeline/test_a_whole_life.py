"""Two rounds of a ledger from the freeze to the scores, and a stranger's clone that verifies and reproduces every one of them.

Two authors with keys, open and sealed forecasts, an amendment, a withdrawal, a late one; a next release, a record, a closing board;
outcomes as the record brings them, one corrected later. The record is made up: what is tested is the way, not the world.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from foresaid.evaluation.joint_forecasts import joint_quantiles
from foresaid.evaluation.ledger_scores import BESIDE, GIVEN, Scores, score_ledger
from foresaid.evaluation.resolution import Event
from foresaid.ledger import store, training_snapshots
from foresaid.ledger.entries import commitment
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.forecasts import Sibling
from foresaid.ledger.entries.schema import Code, Data, Entry, ForecastEntry, Inner, JointPrediction, Quantiles, Sealed
from foresaid.ledger.log import policy
from foresaid.ledger.log.signed_note import LOG, Signer
from foresaid.ledger.state.accounting import totals
from foresaid.ledger.state.index import Clock, moment
from foresaid.ledger.verify.verify import Evidence, verify
from foresaid.pipeline.outcomes import Record, keep_known, proposed
from foresaid.pipeline.score import with_exits
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score

ORIGIN = "example.org/life"
ALICE, BOB = "example.org/alice", "example.org/bob"
KEYS = {ALICE: Signer(ALICE, LOG, b"\x11" * 32), BOB: Signer(BOB, LOG, b"\x12" * 32)}
LOG_KEY = Signer(ORIGIN, LOG, b"\x13" * 32)
TEXTS = [f"{level:g}" for level in LEVELS]
ROWS = b'{"known_on":"2026-11-20","subject_id":"acme/old"}\n'
TRAINED = entries.Training(as_of="2026-11-30", max_known_on="2026-11-20", rows=1, bytes=len(ROWS), sha256=sha256(ROWS).hexdigest())
DATA = Data(name="joint", sha256=TRAINED.sha256, bytes=len(ROWS), rows=1, max_observed_on="2026-11-20")
JOINT = JointPrediction(
    days=["2026-12-01", "2027-12-01"], benchmarks=["gpqa", "mmlu"], chance=["0.25", "0.25"], ceiling=["1", "1"],
    items=["198", None],
    siblings=[Sibling(line="next", tier="pro", system="effort=low", benchmark="gpqa")],
    mean=[["0.4", "0.9", "0.2"], ["0.9", "1.2", "0.7"]], covariance=[["0.09", "0.05", "0.06", "0.08", "0.05", "0.09"]] * 2,
    noise_variance=["0.001", "0.001"], factor="1.1", training=TRAINED,
)  # fmt: skip
END = datetime(2027, 8, 1, tzinfo=UTC)


def quantiles(middle: float, width: float = 0.1) -> Quantiles:
    return Quantiles(levels=TEXTS, values=[f"{middle + width * (level - 0.5):.4f}" for level in LEVELS])


def opened(name: str, deadline: str, reveal_by: str) -> Entry:
    made: Entry = of(
        "round/v1", id=name, deadline=deadline, reveal_by=reveal_by, revision="last-before-deadline", score="wis", reports="all",
        unit_of_count="target", universe=f"every target/v1 line of round {name}",
    )  # fmt: skip
    return made


def of(kind: str, **values: Any) -> Any:
    return entries.parse({"type": kind, **values})


def asked(round_id: str, name: str, known: str, opens: str, rule: dict[str, Any], **more: Any) -> Entry:
    line = {
        "id": name, "round": round_id, "rule": rule, "benchmark": "gpqa", "protocol": "v1", "unit": "fraction",
        "direction": "higher",
        "min": "0", "max": "1", "chance": "0.25", "ceiling": None, "resolution": "0.0025", "resolver": "board", "fallbacks": [],
        "system": "default", "nearest_effort": False, "opens": opens, "closes": "2027-06-30", "publish_within": 30, "void_if": [],
        "known": known, "levels": TEXTS, "same_items": [], "stated": [],
    }  # fmt: skip
    made: Entry = of("target/v1", **{**line, **more})
    return made


def next_of(maker: str) -> dict[str, Any]:
    return {"kind": "next_release", "lines": [{"maker": maker, "line": "next", "tier": "pro"}], "ordinal": 1}


def said(round_id: str, target: str, method: str, prediction: entries.Prediction, primary: bool = False) -> ForecastEntry:
    return ForecastEntry(id=f"{round_id}/{target}/{method}", target=target, method=method, primary=primary, prediction=prediction)


def sealed(author: str, made: ForecastEntry) -> tuple[Sealed, commitment.Secret]:
    inner = Inner(
        author=author, id=made.id, method=made.method, origin=ORIGIN, prediction=made.prediction, primary=made.primary,
        target=made.target,
    )  # fmt: skip
    nonce = sha256(made.id.encode()).digest()
    shut = msgspec.convert(msgspec.to_builtins(commitment.seal(inner, nonce, "2026-12-22T00:00:00Z")), Sealed)
    return shut, commitment.Secret(nonce, inner)


@dataclass(frozen=True)
class Desk:
    """A registry with a ledger whose policy has the keys of the log and of both authors."""

    registry: Path

    @property
    def ledger(self) -> Path:
        return self.registry / "ledger"

    def add(self, author: str, at: str, lines: list[Entry], data: list[Data] | None = None) -> None:
        """Freeze, sign in the author's name, and put into the log."""
        when = datetime.fromisoformat(at).replace(tzinfo=UTC)
        path = store.write_batch(
            self.ledger, lines, origin=ORIGIN, author=author, as_of=when.date(), frozen_at=when, data=data or [],
            code=Code(git=None, dirty=False, version="1"),
        )  # fmt: skip
        store.sign_batch(self.ledger, path.stem, KEYS[author])
        store.sequence(self.ledger, ORIGIN, LOG_KEY)


def world(registry: Path, day: date) -> Record:
    """What a board and a maker had published by a day, as the record keeps it."""
    values = [
        ("acme/next-1", "gpqa", "", date(2027, 1, 25), 0.8),
        ("acme/next-1", "gpqa", "effort=low", date(2027, 1, 24), 0.5),
        ("acme/next-1", "mmlu", "", date(2027, 1, 22), 0.9),
        ("acme/next-1", "gpqa", "", date(2027, 4, 2), 0.78),  # corrected
        ("acme/old", "gpqa", "", date(2026, 6, 1), 0.7),
    ]
    released = {"acme/next-1": date(2027, 1, 20), "acme/old": date(2026, 5, 1)}
    rows = [
        (model, quantity, setting, "board", on, value, True, "model", None, "next", released[model])
        for model, quantity, setting, on, value in values
        if on <= day
    ]
    columns = (
        "subject_id",
        "quantity_id",
        "setting",
        "source_id",
        "known_on",
        "value",
        "counts",
        "kind",
        "run",
        "family",
        "released_on",
    )
    models = pl.DataFrame(
        [(name, "Acme", "next", "pro", f"acme/{on}", "yes", "base", "next", on) for name, on in released.items() if on <= day],
        schema={
            **dict.fromkeys(("model_id", "organisation", "line", "tier", "release", "open_weights", "kind", "family"), pl.String()),
            "released_on": pl.Date(),
        },
        orient="row",
    )
    closed = [Event("board_closed", "dying", date(2027, 2, 1))]
    return Record(pl.DataFrame(rows, schema=columns, orient="row"), models, {}, [one for one in closed if one.on <= day], registry)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The whole life: two rounds, all that two people did in them, and the outcomes as they came."""
    here = Desk(tmp_path_factory.mktemp("life") / "registry")
    store.create(here.ledger, ORIGIN)
    lines = [
        f"log {LOG_KEY.verifier.vkey}",
        *(f"author {name} {key.verifier.vkey}" for name, key in KEYS.items()),
        "quorum none",
        "",
    ]
    store.write_files(here.ledger, {"policy.txt": "\n".join(lines).encode()})
    known = keep_known(here.registry, ["acme/old"])
    training_snapshots.keep(here.registry / "snapshots", ROWS)
    record = {"kind": "record_by", "by": "2027-03-31", "scope": "any", "top": 1, "record": "0.7"}
    dying = {"resolver": "dying", "void_if": [{"condition": "board_closed", "on": None}]}
    here.add(ALICE, "2026-12-01T00:00:00", [
        opened("2026-12", "2026-12-08T00:00:00Z", "2026-12-22T00:00:00Z"),
        asked("2026-12", "next", known, "2026-12-01", next_of("acme")),
        asked("2026-12", "best", known, "2026-12-01", record),
        asked("2026-12", "dead", known, "2026-12-01", next_of("zeta"), **dying),
        asked("2026-12", "never", known, "2026-12-01", next_of("zeta")),
    ])  # fmt: skip
    here.add(ALICE, "2026-12-02T00:00:00", [
        said("2026-12", "next", "a", quantiles(0.6), primary=True),
        said("2026-12", "next", "joint", JOINT),
        said("2026-12", "next", "gone", quantiles(0.3)),
        said("2026-12", "best", "a", quantiles(0.8), primary=True),
        said("2026-12", "dead", "a", quantiles(0.5), primary=True),
        said("2026-12", "never", "a", quantiles(0.5), primary=True),
    ], [DATA])  # fmt: skip
    kept, secret = sealed(BOB, said("2026-12", "next", "b", quantiles(0.77), primary=True))
    lost, _ = sealed(BOB, said("2026-12", "best", "b", quantiles(0.9), primary=True))
    here.add(BOB, "2026-12-03T00:00:00", [kept, lost])
    change = of("amendment/v1", amends="2026-12/next/a", reason="a unit", prediction=msgspec.to_builtins(quantiles(0.75)))
    here.add(ALICE, "2026-12-05T00:00:00", [change])
    here.add(ALICE, "2026-12-06T00:00:00", [of("withdrawal/v1", withdraws="2026-12/next/gone", reason="a wrong table")])
    here.add(BOB, "2026-12-10T00:00:00", [said("2026-12", "next", "late", quantiles(0.8))])
    here.add(BOB, "2026-12-20T00:00:00", [secret.reveal()])
    here.add(ALICE, "2027-01-05T00:00:00", [
        opened("2027-01", "2027-01-10T00:00:00Z", "2027-01-24T00:00:00Z"),
        asked("2027-01", "next", known, "2027-01-05", next_of("acme")),
        said("2027-01", "next", "a", quantiles(0.79), primary=True),
    ])  # fmt: skip
    for day in (date(2027, 3, 1), date(2027, 5, 2), date(2027, 7, 31)):
        lines_of, differences = proposed(store.read(here.ledger), world(here.registry, day), day)
        assert differences == []
        here.add(BOB, f"{day}T12:00:00", list(lines_of))
    return here


def scored(place: Path, claimed: bool = False) -> Scores:
    """The scores, by claims alone, or by a clock for which every batch was proved to be there when it says."""
    batches = store.read(place)
    proofs = {} if claimed else {one.sha256: moment(one.header.frozen_at) for one in batches}
    return score_ledger(batches, Clock(END, not claimed, proofs), ALICE)


def test_every_target_ends_as_its_rule_says_and_every_forecast_has_a_state(desk: Desk) -> None:
    done = scored(desk.ledger)
    states = {f"{one.author[-5:]} {one.id}".strip("/"): one.state for one in done.accounts}

    assert states == {
        "alice 2026-12/next/a": "scored",
        "alice 2026-12/next/joint": "scored",
        "alice 2026-12/next/gone": "withdrawn",
        "alice 2026-12/best/a": "scored",
        "alice 2026-12/dead/a": "void",
        "alice 2026-12/never/a": "unanswered",
        "g/bob 2026-12/next/b": "scored",
        "g/bob 2026-12/best/b": "unopened",
        "g/bob 2026-12/next/late": "late",
        "alice 2027-01/next/a": "scored",
    }
    assert totals(done.accounts)["forecasts"] == len(done.accounts) == 10


def test_scores_are_those_of_the_first_value_and_of_the_version_that_counts(desk: Desk) -> None:
    done = scored(desk.ledger)
    wis = {(row["case"], row["target_id"], row["law"]): (row["observed"], row["wis"]) for row in done.rows.to_dicts()}

    def expected(middle: float, value: float) -> Any:
        made = np.array([[float(text) for text in quantiles(middle).values]])
        return (value, pytest.approx(float(weighted_interval_score(made, LEVELS, np.array([value])).wis[0])))

    assert wis["2026-12", "next", "a"] == expected(0.75, 0.8)  # amended in time; 0.8 stands though it was corrected
    assert wis["2026-12", "best", "a"] == expected(0.8, 0.8)
    assert wis["2026-12", "next", f"{BOB}:b"] == expected(0.77, 0.8)
    assert wis["2027-01", "next", "a"] == expected(0.79, 0.8)
    assert wis["2026-12", "best", f"{BOB}:b"] == (0.8, pytest.approx(0.8))  # never opened: worst
    assert wis["2026-12", "next", "joint"][1] > wis["2026-12", "next", f"joint{GIVEN}"][1] > 0
    assert wis["2026-12", "next", f"joint{BESIDE}"][1] not in (0, wis["2026-12", "next", f"joint{GIVEN}"][1])
    assert len(wis) == 8
    apart = {row["told"]: row["n"] for row in done.table if row["id"] == "2026-12/next/joint"}
    assert apart == {"nothing": 1, "other benchmarks": 1, "siblings too": 1}  # three numbers that no mean mixes
    (target,) = [
        entry
        for batch in store.read(desk.ledger)
        for entry in batch.entries
        if isinstance(entry, entries.TargetEntry) and (entry.round, entry.id) == ("2026-12", "next")
    ]
    middle, made = joint_quantiles(JOINT, target, date(2027, 1, 20), {})
    assert made[len(made) // 2] == middle
    row = weighted_interval_score(np.array([made]), LEVELS, np.array([0.8]))
    assert wis["2026-12", "next", "joint"] == (0.8, pytest.approx(float(row.wis[0])))


def test_what_left_the_mean_stays_in_the_second_one(desk: Desk) -> None:
    kept = {(row["author"], row["method"]): row for row in with_exits(scored(desk.ledger).table)}

    assert (kept[ALICE, "gone"]["n"], kept[ALICE, "gone"]["n_with_exits"]) == (0, 1)
    assert (kept[BOB, "late"]["n"], kept[BOB, "late"]["n_with_exits"]) == (0, 1)
    assert kept[ALICE, "gone"]["wis_with_exits"] > 0.3


def test_a_strangers_clone_verifies_and_reproduces_every_score(desk: Desk, tmp_path: Path) -> None:
    shutil.copytree(desk.registry, tmp_path / "registry")
    clone = tmp_path / "registry"
    wanted = policy.load(desk.ledger / "policy.txt")
    evidence = Evidence(policy=wanted, data=clone / "snapshots", known_models=clone / "known", asked=frozenset({"V16"}), now=END)
    result = verify(clone / "ledger", ORIGIN, evidence=evidence)

    assert (result.findings, result.incomplete, result.exit_code(strict=True)) == ((), (), 0)
    assert len(result.signed) == result.counts["batches"] == len(result.batches)
    assert scored(clone / "ledger").rows.equals(scored(desk.ledger).rows)
    assert scored(clone / "ledger").table == scored(desk.ledger).table
    alone = scored(clone / "ledger", claimed=True)
    assert alone.rows.filter(pl.col("status") != "unopened").height == 0  # nobody proved when anything was there
    assert {"claimed", "late", "withdrawn", "void"} >= {row["standing"] for row in alone.table} - {"penalised", "superseded"}


def test_the_record_has_nothing_more_to_enter(desk: Desk) -> None:
    assert proposed(store.read(desk.ledger), world(desk.registry, date(2027, 7, 31)), date(2027, 7, 31)) == ([], [])
