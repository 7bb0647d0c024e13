"""Targets resolved on made-up futures: every row of the rules' table, each kind, each void condition, and any order of arrival."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foresaid.errors import LedgerError
from foresaid.evaluation.resolution import Beside, Event, Facts, Nothing, Pending, Published, Release, Resolved, Voided, resolve
from foresaid.ledger.entries.schema import parse
from foresaid.ledger.entries.targets import Bound, Line, Named, NextRelease, RecordBy, TargetEntry, VoidIf, known_digest

KNOWN = ["acme/old", "acme/next-0"]
PRO = Line(maker="acme", line="next", tier="pro")
NEXT = NextRelease(lines=[PRO], ordinal=1)


def target(rule: Any = NEXT, **changes: Any) -> TargetEntry:
    made = TargetEntry(
        id="t", round="2027", rule=rule, benchmark="gpqa", protocol="v1", unit="fraction", direction="higher", min="0", max="1",
        chance="0.25", ceiling=None, resolution="0.0025", resolver="board", fallbacks=["other"], system="default",
        nearest_effort=False, opens="2027-01-01", closes="2027-06-30", publish_within=60, void_if=[],
        known=known_digest(KNOWN), levels=["0.1", "0.5", "0.9"],
        same_items=[], stated=[],
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def release(model: str, on: str, **more: Any) -> Release:
    return Release(model, "acme", more.pop("line", "next"), more.pop("tier", "pro"), date.fromisoformat(on), **more)


def value(model: str, number: str, on: str, **more: Any) -> Published:
    about = {"benchmark": "gpqa", "resolver": "board", "protocol": "v1", **more}
    return Published(model, value=Decimal(number), on=date.fromisoformat(on), **about)


READ = {"board": [date(2027, month, 28) for month in range(1, 13)]}


def facts(*items: Any, today: str = "2028-01-01", same: dict[str, str] | None = None, read: Any = READ) -> Facts:
    def of(kind: type) -> Any:
        return tuple(one for one in items if isinstance(one, kind))

    return Facts(date.fromisoformat(today), of(Release), of(Published), of(Event), same or {}, read)


def void(condition: Any, on: str | None = None) -> list[VoidIf]:
    return [VoidIf(condition=condition, on=on)]


def one(found: Any) -> tuple[str, str]:
    assert isinstance(found, Resolved)
    [only] = found.outcomes
    return only.subject, str(only.scored)


def test_a_preview_is_the_release_it_previews() -> None:
    january = release("acme/n1-preview", "2027-01-20", preview=True, launch="n1")
    march = release("acme/n1", "2027-03-01", launch="n1")
    found = resolve(target(), facts(january, march, value("acme/n1", "0.7", "2027-03-02")), KNOWN)

    assert one(found) == ("acme/n1", "0.7")
    assert found.outcomes[0].released_on == date(2027, 1, 20)  # type: ignore[union-attr]


def test_another_effort_waits_and_then_stands_in_only_if_the_rule_allows_it() -> None:
    high = value("acme/n1", "0.9", "2027-02-02", settings="high", effort=2, default=False)
    low = value("acme/n1", "0.6", "2027-02-03", settings="low", effort=-1, default=False)
    items = (release("acme/n1", "2027-02-01"), high, low)

    assert isinstance(resolve(target(), facts(*items, today="2027-03-01"), KNOWN), Pending)
    assert resolve(target(), facts(*items), KNOWN) == Nothing(date(2027, 4, 2))
    only = target(void_if=void("never_published"))
    assert resolve(only, facts(*items), KNOWN) == Voided("never_published", date(2027, 4, 3))
    assert one(resolve(target(nearest_effort=True), facts(*items), KNOWN)) == ("acme/n1", "0.6")
    assert one(resolve(target(system="highest_effort"), facts(*items), KNOWN)) == ("acme/n1", "0.9")
    assert isinstance(resolve(target(system="highest_effort"), facts(*items, today="2027-03-01"), KNOWN), Pending)
    assert one(resolve(target(system=["high"]), facts(*items), KNOWN)) == ("acme/n1", "0.9")
    each = resolve(target(system="each"), facts(*items), KNOWN)
    assert isinstance(each, Resolved)
    assert [str(item.value) for item in each.outcomes] == ["0.9", "0.6"]


def test_a_launch_whose_preview_was_known_is_not_the_next_one() -> None:
    items = (release("acme/old", "2026-12-01", launch="n1"), release("acme/n1", "2027-02-01", launch="n1"))
    values = (value("acme/n1", "0.7", "2027-02-02"), value("acme/n2", "0.8", "2027-03-02"))

    assert isinstance(resolve(target(), facts(*items, values[0]), KNOWN), Nothing)
    assert one(resolve(target(), facts(*items, release("acme/n2", "2027-03-01"), *values), KNOWN)) == ("acme/n2", "0.8")


def test_the_next_of_several_lines_counts_launches_over_all_of_them() -> None:
    frontier = [PRO, Line(maker="zeta", line="zed", tier="plain")]
    zed = Release("zeta/z1", "zeta", "zed", "plain", date(2027, 2, 1))
    items = (zed, release("acme/n1", "2027-02-01"), value("zeta/z1", "0.8", "2027-02-02"), value("acme/n1", "0.7", "2027-02-02"))
    found = [resolve(target(NextRelease(lines=frontier, ordinal=number)), facts(*items), KNOWN) for number in (1, 2)]

    assert [one(made) for made in found] == [("acme/n1", "0.7"), ("zeta/z1", "0.8")]


def test_siblings_of_the_launch_are_recorded_apart_and_the_same_questions_are_no_covariate() -> None:
    items = (
        release("acme/n1", "2027-02-01", launch="n1"),
        release("acme/n1-mini", "2027-02-01", tier="mini", launch="n1"),
        value("acme/n1", "0.7", "2027-02-05"),
        value("acme/n1", "0.6", "2027-02-05", benchmark="gpqa-cot"),
        value("acme/n1", "0.9", "2027-02-05", benchmark="mmlu"),
        value("acme/n1-mini", "0.5", "2027-02-03"),
        value("acme/n1", "0.4", "2027-02-04", settings="effort=low", default=False),
        value("acme/n1", "0.3", "2027-02-06", settings="effort=none", default=False),  # after the outcome
    )
    found = resolve(target(same_items=["gpqa-cot"]), facts(*items), KNOWN).outcomes[0]  # type: ignore[union-attr]

    beside = (
        Beside("acme/n1", "effort=low", "next", "pro", "gpqa", Decimal("0.4")),
        Beside("acme/n1-mini", "", "next", "mini", "gpqa", Decimal("0.5")),
    )
    assert (found.covariates, found.siblings) == ((("mmlu", Decimal("0.9")),), beside)


def test_the_first_value_counts_and_the_correction_is_shown() -> None:
    found = resolve(
        target(),
        facts(release("acme/n1", "2027-02-01"), value("acme/n1", "0.7", "2027-02-02"), value("acme/n1", "0.5", "2027-09-02")),
        KNOWN,
    )

    assert one(found) == ("acme/n1", "0.7")
    assert found.outcomes[0].later == (Decimal("0.5"),)  # type: ignore[union-attr]


def test_a_closed_board_voids_on_its_day_unless_the_value_was_there() -> None:
    closed = Event("board_closed", "board", date(2027, 2, 15))
    rule = target(void_if=void("board_closed"))
    late = value("acme/n1", "0.7", "2027-03-01")

    assert resolve(rule, facts(release("acme/n1", "2027-02-01"), closed, late), KNOWN) == Voided("board_closed", date(2027, 2, 15))
    early = replace(late, on=date(2027, 2, 3))
    assert one(resolve(rule, facts(release("acme/n1", "2027-02-01"), closed, early), KNOWN)) == ("acme/n1", "0.7")
    assert resolve(target(), facts(closed), KNOWN) == Nothing(date(2027, 6, 30))  # a condition that was not frozen is none


@pytest.mark.parametrize(("condition", "about"), [("board_closed", "board"), ("benchmark_retired", "gpqa"), ("renamed", "next")])
def test_each_event_voids_by_its_own_condition_from_the_day_it_names(condition: Any, about: str) -> None:
    event = Event(condition, about, date(2027, 2, 15))

    assert resolve(target(void_if=void(condition)), facts(event), KNOWN) == Voided(condition, date(2027, 2, 15))
    assert resolve(target(void_if=void(condition, "2027-03-01")), facts(event), KNOWN) == Voided(condition, date(2027, 3, 1))
    assert isinstance(resolve(target(void_if=void(condition, "2027-03-01")), facts(event, today="2027-02-20"), KNOWN), Pending)
    assert isinstance(resolve(target(void_if=void(condition)), facts(replace(event, about="x")), KNOWN), Nothing)


def test_a_release_before_the_freeze_that_was_found_later_voids() -> None:
    hidden = release("acme/n1", "2026-12-20")
    assert resolve(target(), facts(hidden, release("acme/n2", "2027-02-01")), KNOWN) == Voided(
        "already_released", date(2026, 12, 20)
    )
    named = target(Named(model="acme/n1"))
    assert resolve(named, facts(hidden), KNOWN) == Voided("already_released", date(2026, 12, 20))


def test_a_known_model_never_binds_under_any_name() -> None:
    items = (release("Acme Next Zero", "2027-02-01"), value("Acme Next Zero", "0.9", "2027-02-02"))
    names = {"Acme Next Zero": "acme/next-zero", "acme/next-zero": "acme/next-0"}

    assert isinstance(resolve(target(), facts(*items, same=names), KNOWN), Nothing)
    assert one(resolve(target(), facts(*items), KNOWN)) == ("Acme Next Zero", "0.9")
    assert isinstance(resolve(target(Bound(binds="model")), facts(*items, same=names), KNOWN), Nothing)
    with pytest.raises(LedgerError, match="the list of known models has SHA-256"):
        resolve(target(), facts(*items), KNOWN[:1])


def test_a_renamed_line_is_followed_where_the_rule_names_the_successor() -> None:
    new = release("acme/nova-1", "2027-02-01", line="nova")
    items = (new, value("acme/nova-1", "0.8", "2027-02-02"), Event("renamed", "next", date(2027, 1, 10)))
    follows = NextRelease(lines=[PRO, Line(maker="acme", line="nova", tier="pro")], ordinal=1)

    assert one(resolve(target(follows), facts(*items), KNOWN)) == ("acme/nova-1", "0.8")
    assert resolve(target(void_if=void("renamed")), facts(*items), KNOWN) == Voided("renamed", date(2027, 1, 10))


def test_a_new_version_of_the_benchmark_is_another_quantity() -> None:
    items = (release("acme/n1", "2027-02-01"), value("acme/n1", "0.9", "2027-02-02", protocol="v2"))
    assert isinstance(resolve(target(), facts(*items), KNOWN), Nothing)
    assert one(resolve(target(), facts(*items, value("acme/n1", "0.7", "2027-02-20")), KNOWN)) == ("acme/n1", "0.7")


@pytest.mark.parametrize(("number", "scored"), [("1.02", "1"), ("-0.1", "0")])
def test_a_value_beyond_the_scale_is_kept_scored_at_the_bound_and_flagged(number: str, scored: str) -> None:
    found = resolve(target(), facts(release("acme/n1", "2027-02-01"), value("acme/n1", number, "2027-02-02")), KNOWN)

    assert one(found) == ("acme/n1", scored)
    assert (str(found.outcomes[0].value), found.outcomes[0].flagged) == (number, True)  # type: ignore[union-attr]


def test_of_two_candidates_on_one_day_the_order_of_ids_decides() -> None:
    items = [release(name, "2027-02-01") for name in ("acme/n1b", "acme/n1a")]
    values = [value("acme/n1a", "0.6", "2027-02-02"), value("acme/n1b", "0.9", "2027-02-02")]

    assert one(resolve(target(), facts(*items, *values), KNOWN)) == ("acme/n1a", "0.6")
    second = msgspec.structs.replace(NEXT, ordinal=2)
    assert one(resolve(target(second), facts(*items, *values), KNOWN)) == ("acme/n1b", "0.9")


def test_nothing_by_the_last_day_is_resolved_as_none_or_void_where_the_line_says_so() -> None:
    assert isinstance(resolve(target(), facts(today="2027-06-30"), KNOWN), Pending)
    assert resolve(target(), facts(today="2027-07-01"), KNOWN) == Nothing(date(2027, 6, 30))
    assert resolve(target(void_if=void("no_release")), facts(), KNOWN) == Voided("no_release", date(2027, 7, 1))
    outside = (release("acme/n1", "2027-07-01"), value("acme/n1", "0.9", "2027-07-02"))
    assert isinstance(resolve(target(), facts(*outside), KNOWN), Nothing)


def test_a_release_nobody_measured_in_time_is_void_only_where_the_line_says_so() -> None:
    items = (release("acme/n1", "2027-02-01"), value("acme/n1", "0.9", "2027-04-03"))
    assert isinstance(resolve(target(), facts(*items), KNOWN), Nothing)
    assert resolve(target(void_if=void("never_published")), facts(*items), KNOWN) == Voided("never_published", date(2027, 4, 3))


def test_a_fallback_speaks_after_the_silence_of_the_resolver_and_never_over_it() -> None:
    other = value("acme/n1", "0.5", "2027-02-02", resolver="other")
    items = (release("acme/n1", "2027-02-01"), other)

    assert isinstance(resolve(target(), facts(*items, today="2027-03-01"), KNOWN), Pending)
    assert one(resolve(target(), facts(*items), KNOWN)) == ("acme/n1", "0.5")
    assert one(resolve(target(), facts(*items, value("acme/n1", "0.7", "2027-03-20")), KNOWN)) == ("acme/n1", "0.7")


def test_covariates_are_the_first_values_of_other_benchmarks_by_the_same_day() -> None:
    other = [value("acme/n1", number, on, benchmark="mmlu") for number, on in (("0.8", "2027-02-02"), ("0.85", "2027-02-05"))]
    late = value("acme/n1", "0.4", "2027-02-06", benchmark="math")
    found = resolve(target(), facts(release("acme/n1", "2027-02-01"), value("acme/n1", "0.7", "2027-02-05"), *other, late), KNOWN)

    assert found.outcomes[0].covariates == (("mmlu", Decimal("0.8")),)  # type: ignore[union-attr]


def test_the_record_is_the_best_value_or_the_mean_of_the_three_best_models() -> None:
    days = {"a": "2027-02-01", "b": "2027-02-01", "c": "2027-03-01", "late": "2027-06-02"}
    items = [release(name, on, open_weights=name != "a") for name, on in days.items()]
    numbers = {"a": "0.9", "b": "0.6", "c": "0.3", "late": "1"}
    items_and = (*items, *(value(name, number, "2027-06-10") for name, number in numbers.items()))

    def record(top: Any, scope: Any = "any") -> Any:
        rule = RecordBy(by="2027-06-01", scope=scope, top=top, record="0.2")
        return resolve(target(rule), facts(*items_and), KNOWN)

    assert one(record(1)) == ("", "0.9")
    assert one(record(3)) == ("", "0.6")
    assert one(record(1, "open_weights")) == ("", "0.6")
    waiting = resolve(
        target(RecordBy(by="2027-06-01", scope="any", top=1, record=None)), facts(*items_and, today="2027-07-31"), KNOWN
    )
    assert isinstance(waiting, Pending)


def test_a_record_that_nobody_breaks_in_time_is_the_record_that_stood() -> None:
    """Not reached: a better model released after the day, or published too late, changes nothing; known models do count."""
    rule = target(RecordBy(by="2027-03-31", scope="any", top=1, record="0.7"))
    old = (release("acme/old", "2026-05-01"), value("acme/old", "0.7", "2026-06-01"))
    after = (release("acme/n2", "2027-04-01"), value("acme/n2", "0.9", "2027-04-02"))
    late = (release("acme/n1", "2027-03-01"), value("acme/n1", "0.8", "2027-05-31"))
    reached = (release("acme/n1", "2027-03-01"), value("acme/n1", "0.8", "2027-05-30"), value("acme/n1", "0.75", "2027-06-20"))

    stood = resolve(rule, facts(*old, *after, *late), KNOWN)
    assert one(stood) == ("", "0.7")
    found = resolve(rule, facts(*old, *reached), KNOWN)
    assert one(found) == ("", "0.8")
    # The value of 2026 is the answer only when the day is over: a forecast frozen before it did not know the outcome.
    assert stood.outcomes[0].known_on == date(2027, 4, 1)  # type: ignore[union-attr]
    assert found.outcomes[0].known_on == date(2027, 5, 30)  # type: ignore[union-attr]
    assert found.outcomes[0].later == (Decimal("0.75"),)  # type: ignore[union-attr]


def test_a_record_that_nobody_looked_at_again_has_no_outcome() -> None:
    """That nobody read a board after the day and in time is no evidence that its record stood."""
    rule = target(RecordBy(by="2027-03-31", scope="any", top=1, record="0.7"))
    old = (release("acme/old", "2026-05-01"), value("acme/old", "0.7", "2026-06-01"))
    before, on, after, late = (date(2027, 3, 1), date(2027, 3, 31), date(2027, 4, 1), date(2027, 5, 31))

    for days in ([], [before], [before, on], [late]):
        found = resolve(rule, facts(*old, read={"board": days, "other": [after]}), KNOWN)
        assert found == Nothing(date(2027, 5, 30)), days
    assert one(resolve(rule, facts(*old, read={"board": [after]}), KNOWN)) == ("", "0.7")
    # A value of any model on the board shows as well that it was read.
    seen = (release("acme/n2", "2027-04-01"), value("acme/n2", "0.3", "2027-04-02"))
    assert one(resolve(rule, facts(*old, *seen, read={}), KNOWN)) == ("", "0.7")
    voided = msgspec.structs.replace(rule, void_if=void("never_published"))
    assert resolve(voided, facts(*old, read={}), KNOWN) == Voided("never_published", date(2027, 5, 31))


def test_a_record_on_a_board_that_closes_is_void_by_its_condition_alone() -> None:
    rule = RecordBy(by="2027-03-31", scope="any", top=1, record="0.7")
    items = (
        release("acme/old", "2026-05-01"),
        value("acme/old", "0.7", "2026-06-01"),
        Event("board_closed", "board", date(2027, 2, 1)),
    )

    assert resolve(target(rule, void_if=void("board_closed")), facts(*items), KNOWN) == Voided("board_closed", date(2027, 2, 1))
    assert one(resolve(target(rule), facts(*items), KNOWN)) == ("", "0.7")


def test_a_record_beyond_the_scale_is_kept_and_scored_at_the_bound() -> None:
    rule = RecordBy(by="2027-03-31", scope="any", top=1, record="0.7")
    found = resolve(target(rule), facts(release("a", "2027-02-01"), value("a", "1.03", "2027-03-02")), KNOWN)

    assert one(found) == ("", "1")
    assert found.outcomes[0].flagged  # type: ignore[union-attr]


def test_a_record_of_open_weights_waits_where_nobody_says_which_models_have_them() -> None:
    """Unknown is neither open nor closed: an outcome, once entered, stands for ever."""
    rule = RecordBy(by="2027-03-31", scope="open_weights", top=1, record=None)
    items = (value("a", "0.9", "2027-03-02"), value("b", "0.6", "2027-03-02"), release("b", "2027-02-01", open_weights=True))

    found = resolve(target(rule), facts(release("a", "2027-02-01"), *items), KNOWN)
    settled = resolve(target(rule), facts(release("a", "2027-02-01", open_weights=False), *items), KNOWN)

    assert found == Pending("whether a has open weights is not on record")
    assert one(settled) == ("", "0.6")
    clear = facts(
        release("a", "2027-02-01"), release("c", "2027-02-01", open_weights=True), *items, value("c", "0.95", "2027-03-02")
    )
    assert one(resolve(target(rule), clear, KNOWN)) == ("", "0.95")  # a model below the record decides nothing


def test_a_curve_binds_every_model_that_is_released_while_it_is_open() -> None:
    days = {"a": "2027-01-01", "b": "2027-01-02", "c": "2027-06-30", "d": "2027-07-01"}
    items = [item for name, on in days.items() for item in (release(name, on), value(name, "0.5", "2027-07-02"))]
    found = resolve(target(Bound(binds="model"), publish_within=300), facts(*items), KNOWN)

    assert isinstance(found, Resolved)
    assert [item.subject for item in found.outcomes] == ["b", "c"]


@pytest.mark.parametrize(
    ("rule", "bound"),
    [
        ({"kinds": ["base"]}, ["a", "b"]),
        ({"families": ["next"]}, ["a", "c"]),
        ({"scope": "open_weights"}, ["a"]),  # of d nobody says it
        ({"needs": ["flops"]}, ["a"]),  # of c it came after the outcome
        ({"kinds": ["base"], "needs": ["flops"]}, ["a"]),
    ],
)
def test_a_curve_may_bind_some_models_alone(rule: dict[str, Any], bound: list[str]) -> None:
    cards: dict[str, dict[str, Any]] = {
        "a": {"kind": "base", "family": "next", "open_weights": True},
        "b": {"kind": "base", "family": "other", "open_weights": False},
        "c": {"kind": "instruct", "family": "next", "open_weights": False},
        "d": {"kind": "instruct", "family": "other"},
    }
    items: list[Any] = [release(name, "2027-02-01", **card) for name, card in cards.items()]
    items += [value(name, "0.5", "2027-03-02") for name in cards]
    items += [value("a", "1e24", "2027-03-01", benchmark="flops"), value("c", "1e24", "2027-03-03", benchmark="flops")]
    found = resolve(target(Bound(binds="model", **rule)), facts(*items), KNOWN)

    assert isinstance(found, Resolved)
    assert [item.subject for item in found.outcomes] == bound


@pytest.mark.parametrize(
    "rule",
    [
        {"binds": "run", "series": "s", "kinds": ["base"]},
        {"binds": "model", "kinds": []},
        {"binds": "model", "needs": ["b", "a"]},
        {"binds": "model", "kinds": ["closed"]},
        {"binds": "model", "needs": ["gpqa"]},  # what is asked
    ],
)
def test_a_rule_that_binds_nothing_or_contradicts_itself_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(LedgerError):
        parse({**msgspec.to_builtins(target()), "rule": {"kind": "curve", **rule}})


MODELS = ["acme/n1", "acme/n2", "acme/n3", "alias/n1"]
DAYS = [f"2027-{month:02d}-{day:02d}" for month in range(1, 8) for day in (1, 15)]
RELEASES = st.builds(release, st.sampled_from(MODELS), st.sampled_from(DAYS), launch=st.sampled_from(["", "x", "y"]))
VALUES = st.builds(
    value, st.sampled_from(MODELS), st.sampled_from(["0.1", "0.5", "0.9"]), st.sampled_from(DAYS),
    settings=st.sampled_from(["", "high"]), benchmark=st.sampled_from(["gpqa", "mmlu"]),
    resolver=st.sampled_from(["board", "other"]),
)  # fmt: skip
EVENTS = st.builds(Event, st.just("board_closed"), st.just("board"), st.sampled_from(DAYS).map(date.fromisoformat))
RULES: list[Any] = [
    NEXT, Named(model="acme/n1"), Bound(binds="model"), RecordBy(by="2027-06-01", scope="any", top=1, record=None),
]  # fmt: skip


@settings(max_examples=60)
@given(st.lists(RELEASES | VALUES | EVENTS, max_size=14), st.sampled_from(RULES), st.randoms(use_true_random=False))
def test_any_order_in_which_snapshots_arrive_gives_the_same_resolution(items: list[Any], rule: Any, chance: Any) -> None:
    shuffled = [*items, *items[: len(items) // 2]]  # a snapshot may say again what an earlier one said
    chance.shuffle(shuffled)
    about = target(rule, void_if=void("board_closed"), system="each")
    same = {"alias/n1": "acme/n1"}

    assert resolve(about, facts(*shuffled, same=same), KNOWN) == resolve(about, facts(*items, same=same), KNOWN)


@settings(max_examples=60)
@given(st.lists(RELEASES | VALUES, max_size=14), st.sampled_from(RULES), st.sampled_from(DAYS))
def test_what_is_dated_after_today_changes_nothing(items: list[Any], rule: Any, today: str) -> None:
    there = [one for one in items if one.on <= date.fromisoformat(today)]
    assert resolve(target(rule), facts(*items, today=today), KNOWN) == resolve(target(rule), facts(*there, today=today), KNOWN)
