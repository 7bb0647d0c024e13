"""Attacks on the meaning of entries, every byte in order: each went unseen before, and is refused, named or kept in a mean now.

The names B1 to B25 are those of the table in docs/campaign.md; tests of the log and of the commands stand beside what they test,
by the same names.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.attacks.build import ORIGIN, ROUND, TIME
from tests.evaluation.test_ledger_scores import batch, forecast, lines, proved, resolution, score
from tests.ledger.test_store import OPENING, target, write

from foresaid.canonical_json import dump_line
from foresaid.errors import LeakError, LedgerError
from foresaid.evaluation.ledger_scores import score_ledger
from foresaid.ledger import store, training_snapshots
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.resolutions import Challenge, Redaction, Void
from foresaid.ledger.entries.schema import (
    Amendment,
    CurvePrediction,
    Data,
    Entry,
    ForecastEntry,
    Quantiles,
    TargetEntry,
    Withdrawal,
    parse,
)
from foresaid.ledger.entries.targets import Bound, known_digest
from foresaid.ledger.provenance import adopted_digest
from foresaid.ledger.state.accounting import accounts, universe
from foresaid.ledger.state.index import Clock, gather
from foresaid.ledger.verify import page
from foresaid.ledger.verify.verify import Evidence, VerificationResult, verify
from foresaid.params import RoundSettings
from foresaid.pipeline import freeze
from foresaid.pipeline.outcomes import keep_known
from foresaid.pipeline.score import figures, prospective, with_exits
from foresaid.registry.same_model import names
from foresaid.scoring.levels import LEVELS
from foresaid.text import number

LEVEL_TEXTS = [f"{level:g}" for level in LEVELS]
KNOWN = ["acme/known"]
BOUND = msgspec.structs.replace(
    target("arc"), id="arc", rule=Bound(binds="model"), levels=LEVEL_TEXTS, known=known_digest(KNOWN), same_items=["arc-cot"]
)
LATER = datetime(2027, 7, 1, tzinfo=UTC)
ROWS = [{"known_on": "2026-11-18", "subject_id": "acme/trained", "target_id": "arc", "y": "0.4"}]
BODY = b"".join(map(dump_line, ROWS))
TRAINING = {"as_of": "2026-11-20", "max_known_on": "2026-11-18", "rows": 1, "bytes": len(BODY), "sha256": sha256(BODY).hexdigest()}
DATA = Data(name="m", sha256=TRAINING["sha256"], bytes=len(BODY), rows=1, max_observed_on="2026-11-18")  # type: ignore[arg-type]
CURVE: dict[str, Any] = {
    "law": "l", "quantity_id": "arc", "series": "", "resolver": "board", "lower": "0", "upper": "1", "covariates": [],
    "training": TRAINING,
}  # fmt: skip


def on_arc(name: str = "m", value: str = "0.5") -> ForecastEntry:
    prediction = Quantiles(levels=LEVEL_TEXTS, values=[value] * len(LEVELS))
    return ForecastEntry(id=f"2026q4/arc/{name}", target="arc", method=name, primary=name == "m", prediction=prediction)


def curve(**changes: Any) -> ForecastEntry:
    return msgspec.structs.replace(on_arc("c"), prediction=CurvePrediction(curve={**CURVE, **changes}))


def outcome(subject: str, value: str = "0.6", **more: Any) -> Entry:
    return resolution(value, "arc", subject=subject, **more)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A record of names alone, with a ledger that asks one question and holds one forecast fitted on acme/trained."""
    (tmp_path / "aliases.csv").write_text("alias,source_id,kind,id\nKnown (beta),board,model,acme/known\n", encoding="utf-8")
    merges = "model_id,kept_as,decided_on,reason\nacme/renamed,acme/trained,2026-11-21,one model\n"
    (tmp_path / "merges.csv").write_text(merges, encoding="utf-8")
    store.create(tmp_path / "ledger", ORIGIN)
    training_snapshots.keep(tmp_path / "snapshots", BODY)
    keep_known(tmp_path, KNOWN)
    write(tmp_path / "ledger", [ROUND, BOUND], data=[])
    write(tmp_path / "ledger", [on_arc()], minutes=1, data=[DATA])
    return tmp_path


def enter(registry: Path, *entries: Entry) -> None:
    write(registry / "ledger", entries, frozen_at=LATER, data=[])
    store.sequence(registry / "ledger", ORIGIN)


def checked(registry: Path, now: datetime | None = None) -> VerificationResult:
    evidence = Evidence(
        data=registry / "snapshots", known_models=registry / "known", aliases=names(registry), asked=frozenset({"V16"}), now=now
    )
    return verify(registry / "ledger", ORIGIN, evidence=evidence)


def standings(registry: Path) -> dict[str, str]:
    """The standing of each outcome subject of the one forecast."""
    return {name: row["standing"] for row in prospective(registry, LATER).table for name in row["subjects"]}


def test_b1_a_forecast_trained_on_the_model_that_resolves_it_is_a_leak_under_any_name(registry: Path) -> None:
    enter(registry, outcome("acme/renamed"), outcome("acme/new"))

    assert checked(registry).exit_code() == 6
    assert standings(registry) == {"acme/renamed": "barred", "acme/new": "claimed"}


def test_b1_rows_other_than_the_curve_was_fitted_on_are_a_finding(registry: Path) -> None:
    other = {**TRAINING, "sha256": "e" * 64}
    write(registry / "ledger", [curve(training=other)], minutes=2, data=[DATA])

    (finding,) = checked(registry).findings
    assert (finding.code, finding.what) == ("V16", "fitted on other rows than the batch names")


def test_b2_an_outcome_is_an_entry_and_needs_no_record(registry: Path) -> None:
    enter(registry, outcome("acme/new"), outcome("acme/new", "0.9"))
    before = prospective(registry, LATER).table
    for name in ("aliases.csv", "merges.csv"):
        (registry / name).unlink()

    assert prospective(registry, LATER).table == before
    assert [row["absolute_error"] for row in before] == [pytest.approx(0.1)]  # the first value, not the later one


def test_b3_a_model_that_was_out_or_known_is_no_outcome(registry: Path) -> None:
    with pytest.raises(LedgerError, match="not released while the target was open"):
        enter(registry, msgspec.structs.replace(outcome("acme/old"), released_on="2026-11-01"))
    enter(registry, outcome("acme/known"))

    assert standings(registry)["acme/known"] == "barred"
    result = checked(registry)
    assert (result.exit_code(), {item.found for item in result.findings}) == (6, {"acme/known"})
    (registry / "known" / f"{BOUND.known}.txt").unlink()
    assert checked(registry).exit_code() == 5  # named, and nobody's scores stop
    assert standings(registry)["acme/known"] == "claimed"


def test_b4_a_claim_is_no_proof(registry: Path) -> None:
    enter(registry, outcome("acme/new"))
    done = prospective(registry, LATER)

    assert (done.rows.height, standings(registry), [one.state for one in done.accounts]) == (
        0,
        {"acme/new": "claimed"},
        ["claimed"],
    )
    batches = store.read(registry / "ledger")
    assert score_ledger(batches, proved(batches)).rows.height == 1


def test_b5_a_batch_may_not_be_older_than_its_parent_nor_come_from_the_future(registry: Path) -> None:
    ledger = registry / "ledger"
    with pytest.raises(LedgerError, match="frozen_at before that of a parent"):
        write(
            ledger,
            [Withdrawal(withdraws=on_arc().id, reason="backdated")],
            frozen_at=TIME - timedelta(days=400),
            as_of=date(2025, 1, 1),
            data=[],
        )
    write(ledger, [Withdrawal(withdraws=on_arc().id, reason="a slow clock")], frozen_at=TIME - timedelta(minutes=2), data=[])
    assert store.read(ledger)[-1].header.frozen_at == store.read(ledger)[1].header.frozen_at  # its parent's time
    write(ledger, [on_arc("late")], frozen_at=datetime(2099, 1, 1, tzinfo=UTC), data=[])

    store.sequence(ledger, ORIGIN)
    assert checked(registry, LATER).exit_code() == 6
    assert checked(registry, datetime(2099, 1, 2, tzinfo=UTC)).exit_code() == 0


def test_b6_a_withdrawal_after_the_outcome_takes_nothing_away() -> None:
    made, known = batch([*OPENING, forecast("a")]), batch([resolution("0.6", known_at="2026-11-25")], 2)
    gone = Withdrawal(withdraws=forecast("a").id, reason="it was bad")
    late = score(made, batch([gone], 1, datetime(2026, 11, 28, tzinfo=UTC)), known)
    early = score(made, batch([gone], 1, datetime(2026, 11, 22, tzinfo=UTC)), known)

    assert ([one.state for one in late.accounts], late.rows.height) == (["scored"], 1)
    assert ([one.state for one in early.accounts], early.rows.height) == (["withdrawn"], 0)
    assert with_exits(early.table)[0]["n_with_exits"] == 1


def test_b6_a_withdrawal_between_two_outcomes_takes_away_the_later_one_alone() -> None:
    """Each model that a rule binds has a moment of its own, so what is judged by the target's alone would all vanish."""
    made = batch([ROUND, BOUND, on_arc()])
    known = batch([outcome("acme/a", known_at="2026-11-25"), outcome("acme/b", known_at="2026-12-20")], 2, LATER)
    gone = batch([Withdrawal(withdraws=on_arc().id, reason="it was bad")], 1, datetime(2026, 11, 28, tzinfo=UTC))
    done = score(made, gone, known)

    assert [one.state for one in done.accounts] == ["scored"]
    assert done.rows["subject_id"].to_list() == ["acme/a"]
    assert lines(done)[on_arc().id, 1, "withdrawn"]["subjects"] == ["acme/b"]


def void(**changes: Any) -> Void:
    about = {
        "round": "2026q4",
        "target": "arc",
        "condition": "no_release",
        "on": "2027-06-02",
        "evidence": "0" * 64,
        "reason": "we did badly",
    }
    return Void(**{**about, **changes})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"condition": "board_closed", "on": "2026-12-01"}, "a condition that the target does not have"),
        ({"on": "2026-12-01"}, "void by no_release too early"),
        ({"condition": "already_released", "on": "2026-12-01"}, "void as already released"),
        ({"on": "2027-08-01"}, "on after its own batch"),
    ],
)
def test_b7_a_void_needs_a_condition_of_its_target(registry: Path, changes: dict[str, str], reason: str) -> None:
    with pytest.raises(LedgerError, match=reason):
        enter(registry, void(**changes))


def test_b7_a_target_with_an_outcome_is_never_void(registry: Path) -> None:
    enter(registry, outcome("acme/new"))
    with pytest.raises(LedgerError, match="no void after a resolution"):
        enter(registry, void())


def test_b7_a_challenge_names_its_evidence_by_digest_and_both_means_are_kept() -> None:
    about = {"type": "challenge/v1", "round": "2026q4", "target": "arc", "known_at": "1970-01-01", "reason": "someone told me"}
    with pytest.raises(LedgerError, match="evidence"):
        parse({**about, "evidence": "someone told me"})
    doubt = Challenge(
        round="2026q4", target="arc", known_at="1970-01-01", evidence="0" * 64, reason="someone told me", subject="acme/b"
    )
    made = batch([ROUND, BOUND, on_arc()])
    done = score(made, batch([outcome("acme/a", "0.5"), outcome("acme/b", "0.9")], 1), batch([doubt], 2))

    (kept,) = with_exits(done.table)
    assert (kept["n"], kept["wis"], kept["n_with_exits"]) == (1, pytest.approx(0.0), 2)
    assert kept["wis_with_exits"] == pytest.approx(0.2)


def test_b7_questions_are_never_redacted_and_redacted_forecasts_are_scored_worst(registry: Path) -> None:
    ledger = registry / "ledger"
    store.sequence(ledger, ORIGIN)
    asked, said = store.read(ledger)
    with pytest.raises(LedgerError, match="redaction of a batch that holds round/v1, target/v1"):
        enter(registry, Redaction(batch=asked.sha256, author=asked.header.author, forecasts=[], reason="law"))
    enter(
        registry,
        Redaction(batch=said.sha256, author=said.header.author, forecasts=[on_arc().id], reason="law"),
        outcome("acme/new"),
    )
    store.redact(ledger, said.sha256)

    done = prospective(registry, LATER)
    assert (checked(registry).exit_code(), done.rows["wis"].to_list()) == (5, [pytest.approx(0.6)])


def test_b10_an_amendment_passes_the_guard_like_a_forecast(registry: Path) -> None:
    ledger = registry / "ledger"
    write(ledger, [curve()], minutes=2, data=[DATA])
    better = CurvePrediction(curve={**CURVE, "training": {**TRAINING, "as_of": "2027-03-01", "max_known_on": "2027-03-01"}})
    change = Amendment(amends="2026q4/arc/c", reason="better", prediction=better)
    with pytest.raises(LedgerError, match="fitted with a later as_of"):
        write(ledger, [change], minutes=3, data=[DATA])
    same = msgspec.structs.replace(change, prediction=CurvePrediction(curve=CURVE))
    with pytest.raises(LedgerError, match="fitted on data that the batch does not name"):
        write(ledger, [same], minutes=3, data=[])
    write(ledger, [same], minutes=3, data=[DATA])
    assert checked(registry).exit_code() == 0


@pytest.mark.parametrize(
    ("names_of", "reason"),
    [(["arc"], "curve with the answer as a covariate"), (["mmlu", "arc-cot"], "the answer under another protocol")],
)
def test_b11_the_answer_is_no_covariate(registry: Path, names_of: list[str], reason: str) -> None:
    with pytest.raises(LedgerError, match=reason):
        write(registry / "ledger", [curve(covariates=[{"quantity_id": name} for name in names_of])], minutes=2, data=[DATA])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"quantity_id": "subtraction"}, "quantity_id"),
        ({"lower": "0.25"}, "lower"),
        ({"resolver": "another"}, "resolver"),
        ({"series": "pythia"}, "series"),
    ],
)
def test_b12_a_curve_is_about_the_quantity_of_its_target(registry: Path, changes: dict[str, str], what: str) -> None:
    with pytest.raises(LedgerError, match=f"curve with another {what} than its target"):
        write(registry / "ledger", [curve(**changes)], minutes=2, data=[DATA])


def test_b17_what_could_not_be_opened_is_not_sealed(registry: Path) -> None:
    outside = msgspec.structs.replace(on_arc("s"), prediction=Quantiles(levels=LEVEL_TEXTS, values=["1.2"] * len(LEVELS)))
    with pytest.raises(LedgerError, match="value outside its target"):
        store.may_add(registry / "ledger", [outside], "example.org/alice")
    second = msgspec.structs.replace(on_arc("s"), primary=True)
    with pytest.raises(LedgerError, match="second primary"):
        store.may_add(registry / "ledger", [second], "example.org/alice")
    store.may_add(registry / "ledger", [on_arc("s")], "example.org/alice")
    store.may_add(registry / "ledger", [curve()], "example.org/alice")


def test_b22_a_round_names_models_that_the_record_knows_and_merged_ids_are_guarded(registry: Path) -> None:
    def guard(name: str) -> None:
        opened = RoundSettings("r", date(2026, 11, 20), "2026-12-01T00:00:00Z", targets=(name,))
        rows = [{**ROWS[0], "law": "l"}]
        freeze.check_leaks(
            rows, {"acme/trained": date(2026, 1, 1), "acme/known": None}, names(registry), opened, date(2026, 11, 21), {}
        )

    guard("acme/known")
    with pytest.raises(LeakError, match="belongs to target acme/renamed"):
        guard("acme/renamed")
    with pytest.raises(LeakError, match="which the record does not know; did you mean acme/trained"):
        guard("acme/trainedd")


def child(made: Batch, *parents: Batch) -> Batch:
    return replace(made, header=msgspec.structs.replace(made.header, parents=sorted(one.sha256 for one in parents)))


def disputed(*after: Batch) -> tuple[Sequence[Batch], Batch, Batch]:
    made = batch([ROUND, BOUND, on_arc()])
    honest = child(batch([outcome("acme/a", "0.812"), outcome("acme/b", "0.5")], 2), made)
    ground = child(batch([outcome("acme/a", "0.5")], 1), made)  # the lower name comes first in the log
    return [made, ground, honest, *after], ground, honest


def test_b23_two_branches_that_enter_different_outcomes_dispute_them_whichever_hash_is_lower() -> None:
    batches, ground, honest = disputed()
    done = score_ledger(batches, proved(batches))

    assert gather(batches).disputed(("2026q4", "arc")) == {"acme/a"}
    assert done.rows["subject_id"].to_list() == ["acme/b"]
    assert lines(done)[on_arc().id, 1, "disputed"]["subjects"] == ["acme/a"]
    assert with_exits(done.table)[0]["n_with_exits"] == 2

    settled = child(batch([outcome("acme/a", "0.812")], 3), ground, honest)
    batches, _, _ = disputed(settled)
    found = score_ledger(batches, proved(batches)).rows
    assert dict(found.select("subject_id", "observed").iter_rows()) == {"acme/a": 0.812, "acme/b": 0.5}


def test_b23_a_correction_that_knew_the_first_is_no_dispute() -> None:
    made = batch([ROUND, BOUND, on_arc()])
    first = child(batch([outcome("acme/a", "0.7")], 1), made)
    second = child(batch([outcome("acme/a", "0.6")], 2), first)

    assert score(made, first, second).rows["observed"].to_list() == [0.7]


@pytest.fixture
def shown(registry: Path) -> tuple[Path, dict[str, Any]]:
    """A registry with an outcome, and the data of a true page of its ledger."""
    enter(registry, outcome("acme/new"), outcome("acme/newer", "0.9"))
    result = checked(registry)
    told = page.embedded(
        result.listed, result.checkpoint, accounts(result.batches, Clock(LATER)), "2027-07-01T00:00:00Z",
        universe(result.batches, result.accounts), figures(registry, Clock(LATER)),
    )  # fmt: skip
    return registry, told


def drawn(told: dict[str, Any], change: Callable[[str], str] = lambda text: text) -> bytes:
    """A page with these data and, in sight, what they say, its cells spelt as the site spells them, then changed."""
    rows = "".join(
        f'<tr data-forecast="{author} {name}" data-state="{state}"><td>{name}</td></tr>'
        for author, name, _, state in told["forecasts"]
    )
    rows += "".join(
        f'<tr data-figures="{name}">{"".join(f"<td data-figure>{change(cell(x))}</td>" for x in found)}</tr>'
        for name, found in told["figures"].items()
    )
    gone = "".join(f'<p data-no-show="{page.no_show(a, r, t)}">{t}</p>' for r, a, _, missing in told["universe"] for t in missing)
    body = {name: value for name, value in told.items() if name != "digest"}
    body["digest"] = sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    text = html.escape(json.dumps(body))
    return f'<table>{rows}</table>{gone}<pre id="{page.ELEMENT}">{text}</pre>'.encode()


def cell(number_of: str | None) -> str:
    return number(None if number_of is None else float(number_of))


def report_code(registry: Path, report: bytes, adopted: str = "", computed: bool = True) -> int:
    evidence = Evidence(report=report, figures=partial(figures, registry) if computed else None, adopted=adopted, now=LATER)
    return verify(registry / "ledger", ORIGIN, evidence=evidence).exit_code()


def test_b24_scores_on_a_page_are_computed_anew(shown: tuple[Path, dict[str, Any]]) -> None:
    registry, told = shown
    (line,) = [name for name in told["figures"] if name.startswith("score")]
    assert [float(x) for x in told["figures"][line][:3]] == [2, 0, pytest.approx(0.25)]  # |0.5 - 0.6| and |0.5 - 0.9|
    assert report_code(registry, drawn(told)) == 0

    for place, false in ((0, "3"), (2, "0.0025"), (2, None)):  # a hundredth of the WIS, as the attack had it
        made = [*told["figures"][line]]
        made[place] = false
        forged = {**told, "figures": {**told["figures"], line: made}}
        assert report_code(registry, drawn(forged)) == 7
        assert report_code(registry, drawn(forged), computed=False) == 0  # which is why they are computed
    for figures_left in ({}, {**told["figures"], line.replace("claimed", "scored"): told["figures"][line]}):
        assert report_code(registry, drawn({**told, "figures": figures_left})) == 7


def test_b24_what_is_in_sight_is_what_the_data_say(shown: tuple[Path, dict[str, Any]]) -> None:
    registry, told = shown

    assert report_code(registry, drawn(told, lambda text: text.replace("0.25", "0.025"))) == 7
    assert report_code(registry, drawn(told, lambda text: "better than all")) == 7
    assert report_code(registry, drawn(told).replace(b'<tr data-figures="score', b'<tr data-else="score')) == 7


def test_b24_adopted_forms_that_a_batch_named_are_named_once_they_change(registry: Path) -> None:
    folder = registry / "adopted" / "paper"
    folder.mkdir(parents=True)
    (folder / "adopted.toml").write_text("published_on = 2024-05-31\n", encoding="utf-8")
    before = adopted_digest(registry / "adopted")
    code = msgspec.structs.replace(store.read(registry / "ledger")[0].header.code, adopted=before)
    write(registry / "ledger", [on_arc("n")], minutes=4, data=[DATA], code=code)
    store.sequence(registry / "ledger", ORIGIN)
    (folder / "adopted.toml").write_text("published_on = 2020-05-31\n", encoding="utf-8")
    after = adopted_digest(registry / "adopted")

    said = [verify(registry / "ledger", ORIGIN, evidence=Evidence(adopted=digest)).notes for digest in (before, after)]
    assert said[0] == ()
    assert "the adopted forms are not those that batch" in said[1][0]
    result = checked(registry)
    told = page.embedded(
        result.listed, result.checkpoint, accounts(result.batches, Clock(LATER)), "2027-07-01T00:00:00Z",
        universe(result.batches, result.accounts), figures(registry, Clock(LATER)),
    )  # fmt: skip
    assert [report_code(registry, drawn(told), digest) for digest in (before, after)] == [0, 5]


def test_b25_pages_for_readers_that_are_no_plain_files_are_named(registry: Path) -> None:
    store.sequence(registry / "ledger", ORIGIN)
    (registry / "ledger" / "verify.sh").symlink_to("/bin/true")

    assert any("verify.sh is no plain file" in note for note in checked(registry).notes)


def test_a_target_that_ended_without_an_outcome_is_counted_as_such() -> None:
    none = msgspec.structs.replace(resolution("0"), target="arc", value=None, released_on=None)
    batches = [batch([ROUND, BOUND, on_arc()]), batch([none], 1)]
    done = score_ledger(batches, Clock(LATER))

    assert ([one.state for one in done.accounts], done.rows.height) == (["unanswered"], 0)


def test_a_record_forecast_may_not_lie_below_the_record(registry: Path) -> None:
    record = {"kind": "record_by", "by": "2027-03-31", "scope": "any", "top": 1, "record": "0.7"}
    line = parse({**msgspec.to_builtins(BOUND), "id": "best", "rule": record})
    assert isinstance(line, TargetEntry)
    below = ForecastEntry(
        id="2026q4/best/m",
        target="best",
        method="m",
        primary=True,
        prediction=Quantiles(levels=LEVEL_TEXTS, values=["0.69"] * len(LEVELS)),
    )
    write(registry / "ledger", [line], minutes=2)
    with pytest.raises(LedgerError, match="worse than the record at the freeze"):
        write(registry / "ledger", [below], minutes=3)
