"""How a target resolves itself: from its frozen rule and plain records of releases and published values, with nobody's judgement.

The records are sets of dated facts; nothing depends on the order in which they arrived. Ties are broken by the rule (tier, then
id), the first value a resolver published counts, and a day that is not over yet leaves the target pending. What may be asked of
the registry (aliases, merges, renamings) comes in as one mapping of names; which models were known at the freeze as a list whose
digest must be the one the target froze.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from foresaid.errors import LedgerError
from foresaid.ledger.entries.targets import Bound, Condition, Named, NextRelease, RecordBy, TargetEntry, known_digest
from foresaid.registry import systems


@dataclass(frozen=True)
class Release:
    """A model as one piece of evidence has it: on which day it was available, and of which launch it is part ("" : its own)."""

    model: str
    maker: str
    line: str
    tier: str
    on: date
    launch: str = ""
    preview: bool = False
    open_weights: bool | None = None  # None: not on record
    kind: str = ""
    family: str = ""
    series: str = ""
    binds: str = "model"


@dataclass(frozen=True)
class Published:
    """A value that a resolver published: of which model, run with which settings and effort (higher is more), since which day."""

    model: str
    benchmark: str
    resolver: str
    value: Decimal
    on: date
    protocol: str = ""
    settings: str = ""
    effort: float = 0.0
    default: bool = True


@dataclass(frozen=True)
class Event:
    """Something that makes a target void: a board closed, a benchmark retired, a line renamed; `about` is its name."""

    condition: Condition
    about: str
    on: date


@dataclass(frozen=True)
class Facts:
    """All that is on record by `today`; `same` leads every other name to its id, `read` has the days of reading."""

    today: date
    releases: Collection[Release] = ()
    published: Collection[Published] = ()
    events: Collection[Event] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, Collection[date]] = field(default_factory=dict)

    def name(self, model: str) -> str:
        """The id of a model, through aliases and merges however long; a circle ends at its smallest name."""
        seen = [model]
        while (following := self.same.get(seen[-1])) is not None:
            if following in seen:
                return min(seen[seen.index(following) :])
            seen.append(following)
        return seen[-1]

    @cached_property
    def models(self) -> dict[str, _Model]:
        """One entry a model, by the earliest evidence of its release, whatever name it stood under."""
        found: dict[str, _Model] = {}
        for release in sorted((one for one in self.releases if one.on <= self.today), key=_order):
            found.setdefault(self.name(release.model), _Model(release, release.on))
        return found


@dataclass(frozen=True)
class Beside:
    """What another system of a launch scored: its model and settings, with line and tier as the record has them."""

    model: str
    system: str
    line: str
    tier: str
    benchmark: str
    value: Decimal


@dataclass(frozen=True)
class Outcome:
    """The value of one subject ("" for a record): as published, as scored within the bounds, flagged where the two differ."""

    subject: str
    value: Decimal
    scored: Decimal
    known_on: date
    released_on: date | None
    settings: str = ""
    covariates: tuple[tuple[str, Decimal], ...] = ()
    siblings: tuple[Beside, ...] = ()  # other systems of the launch
    later: tuple[Decimal, ...] = ()  # corrections, in the order of their days; shown, never scored

    @property
    def flagged(self) -> bool:
        """Whether the value lies beyond the scale of its target."""
        return self.value != self.scored


@dataclass(frozen=True)
class Resolved:
    """The outcomes there are; `final` once no further one can come."""

    outcomes: tuple[Outcome, ...]
    final: bool


@dataclass(frozen=True)
class Pending:
    """Nothing can be said yet, and why."""

    reason: str


@dataclass(frozen=True)
class Voided:
    """The target is void by one of its own conditions, since a day, for every author at once."""

    condition: Condition
    on: date


@dataclass(frozen=True)
class Nothing:
    """Nothing came by the last day: no score, and counted as such."""

    on: date


Resolution: TypeAlias = Resolved | Pending | Voided | Nothing


@dataclass(frozen=True)
class _Model:
    release: Release
    on: date  # the earliest evidence


def resolve(target: TargetEntry, facts: Facts, known: Collection[str]) -> Resolution:
    """What a target resolves to by `facts.today`. Raises LedgerError where `known` is not the list that was frozen."""
    if known_digest(known) != target.known:
        raise LedgerError(
            f"target {target.round}/{target.id}: the list of known models has SHA-256 {known_digest(known)}, "
            f"expected {target.known}; give the list of the freeze"
        )
    models = facts.models
    before = {facts.name(name) for name in known}
    if isinstance(target.rule, Named):
        return _named(target, target.rule, models, facts)
    if isinstance(target.rule, NextRelease):
        return _next_release(target, target.rule, models, facts, before)
    if isinstance(target.rule, RecordBy):
        return _record_by(target, target.rule, models, facts)
    return _bound(target, target.rule, models, facts, before)


def _order(release: Release) -> tuple[date, bool, str, str, str]:
    return release.on, release.preview, release.tier, release.model, repr(release)


def _last(target: TargetEntry) -> tuple[date, date]:
    closes = date.fromisoformat(target.closes)
    return closes, closes + timedelta(days=target.publish_within)


def _void(target: TargetEntry, facts: Facts, condition: Condition, about: Iterable[str]) -> Voided | None:
    """The first day on which a condition that the target froze was met by something on record."""
    allowed = {item.condition: item.on for item in target.void_if}
    if condition not in allowed:
        return None
    names = set(about)
    days = [one.on for one in facts.events if one.condition == condition and one.about in names and one.on <= facts.today]
    if not days:
        return None
    since = date.fromisoformat(limit) if (limit := allowed[condition]) is not None else min(days)
    on = max(min(days), since)
    return Voided(condition, on) if on <= facts.today else None


def _closed(target: TargetEntry, facts: Facts) -> Voided | None:
    """The board or the benchmark is gone, or a line of the rule was renamed."""
    lines = [one.line for one in target.rule.lines] if isinstance(target.rule, NextRelease) else []
    found = [
        _void(target, facts, "board_closed", [target.resolver]),
        _void(target, facts, "benchmark_retired", [target.benchmark]),
        _void(target, facts, "renamed", lines),
    ]
    return min((one for one in found if one is not None), key=lambda one: (one.on, one.condition), default=None)


def _silence(target: TargetEntry, facts: Facts, condition: Condition, end: date) -> Resolution:
    """Nothing was released (or published) by the end: void where the target says so, else resolved as none."""
    if facts.today <= end:
        return Pending(f"open until {end}")
    for item in target.void_if:
        if item.condition == condition:
            on = max(end + timedelta(days=1), date.fromisoformat(item.on)) if item.on is not None else end + timedelta(days=1)
            return Voided(condition, on) if on <= facts.today else Pending(f"void by {condition} on {on}")
    return Nothing(end)


def _named(target: TargetEntry, rule: Named, models: Mapping[str, _Model], facts: Facts) -> Resolution:
    model = models.get(facts.name(rule.model))
    closes, _ = _last(target)
    if model is None or model.on > closes:
        return _closed(target, facts) or _silence(target, facts, "no_release", closes)
    if model.on <= date.fromisoformat(target.opens):
        return _already(target, model.on)
    return _measured(target, [facts.name(rule.model)], model.on, models, facts)


def _already(target: TargetEntry, on: date) -> Resolution:
    # A model that was out when the target opened was no forecast: that is void whether or not the line says so.
    return Voided("already_released", on)


def _next_release(
    target: TargetEntry, rule: NextRelease, models: Mapping[str, _Model], facts: Facts, before: Collection[str]
) -> Resolution:
    opens, (closes, _) = date.fromisoformat(target.opens), _last(target)
    place = {(one.maker, one.line, one.tier): number for number, one in enumerate(rule.lines)}
    mine = {name: one.release for name, one in models.items() if (one.release.maker, one.release.line, one.release.tier) in place}
    launches: dict[str, list[str]] = {}
    for name in sorted(mine, key=lambda one: (place[mine[one].maker, mine[one].line, mine[one].tier], _order(mine[one]))):
        launches.setdefault(mine[name].launch or name, []).append(name)
    # A launch begins with the first of its models to be available, a preview included; one of them known is all of it known.
    begins = {
        launch: min(models[name].on for name in names)
        for launch, names in launches.items()
        if not any(name in before for name in names)
    }
    early = [on for on in begins.values() if on <= opens]
    if early and len(early) >= rule.ordinal:
        return Voided("already_released", min(early))

    def turn(launch: str) -> tuple[date, int, str]:
        first = mine[launches[launch][0]]
        return begins[launch], place[first.maker, first.line, first.tier], launches[launch][0]

    ahead = sorted((launch for launch, on in begins.items() if opens < on <= closes), key=turn)
    if len(ahead) < rule.ordinal:
        return _closed(target, facts) or _silence(target, facts, "no_release", closes)
    launch = ahead[rule.ordinal - 1]
    return _measured(target, launches[launch], begins[launch], models, facts)


def _measured(target: TargetEntry, names: list[str], released: date, models: Mapping[str, _Model], facts: Facts) -> Resolution:
    """The first value of the system that the rule names, among what the resolvers measured in time of the models of a launch."""
    end = released + timedelta(days=target.publish_within)
    gone = _closed(target, facts)
    if gone is not None:
        end = min(end, gone.on)
    measured = _first(target, facts, _values(target, facts, set(names), end))
    chosen = _systems(target, measured)
    if not chosen and facts.today > end and target.nearest_effort:
        chosen = _nearest(target, measured)
    if not chosen:
        if gone is not None:
            return gone
        return _silence(target, facts, "never_published", end)
    if target.system == "highest_effort" and facts.today <= end:
        return Pending(f"a higher effort may be measured until {end}")
    outcomes = tuple(_outcome(target, facts, models, one, released, later) for one, later in chosen)
    return Resolved(outcomes, facts.today > end or target.system != "each")


Series: TypeAlias = tuple[Published, tuple[Decimal, ...]]  # the first value of a system, and what replaced it later


def _values(target: TargetEntry, facts: Facts, names: Collection[str], end: date) -> list[Published]:
    """What the first resolver that published anything by the end says of these models under the target's protocol."""
    for resolver in (target.resolver, *target.fallbacks):
        mine = [
            one
            for one in facts.published
            if (one.resolver, one.benchmark) == (resolver, target.benchmark)
            and one.protocol == target.protocol
            and facts.name(one.model) in names
            and one.on <= facts.today
        ]
        if any(one.on <= end for one in mine):
            first = {(facts.name(one.model), one.settings) for one in mine if one.on <= end}
            return [one for one in mine if (facts.name(one.model), one.settings) in first]
        if facts.today <= end:
            return []  # the resolver may still publish; a fallback speaks only after its silence
    return []


def _first(target: TargetEntry, facts: Facts, values: Iterable[Published]) -> list[Series]:
    """By model and settings the first value, and the later ones that differ from it; of several on one day the worse counts."""
    sign = 1 if target.direction == "higher" else -1
    groups: dict[tuple[str, str], list[Published]] = {}
    for one in sorted(values, key=lambda one: (one.on, sign * one.value, repr(one))):
        groups.setdefault((facts.name(one.model), one.settings), []).append(one)
    return [
        (group[0], tuple(dict.fromkeys(one.value for one in group if one.value != group[0].value))) for group in groups.values()
    ]


def _systems(target: TargetEntry, measured: list[Series]) -> list[Series]:
    if target.system == "each":
        return sorted(measured, key=_rank)
    if target.system == "highest_effort":
        return [min(measured, key=lambda item: (-item[0].effort, *_rank(item)))] if measured else []
    if target.system == "default":
        wanted = [item for item in measured if item[0].default]
    else:
        wanted = [item for item in measured if item[0].settings in target.system]
    return [min(wanted, key=_rank)] if wanted else []


def _nearest(target: TargetEntry, measured: list[Series]) -> list[Series]:
    """The measured effort nearest to the one that was asked for (of a default: none); the lower of two equally near."""
    asked = 0.0
    if isinstance(target.system, list):
        words = dict(part.split("=", 1) for part in target.system[0].split(";") if "=" in part)
        asked = systems.effort_number(words.get("effort", "")) or 0.0
    return [min(measured, key=lambda item: (abs(item[0].effort - asked), item[0].effort, *_rank(item)))] if measured else []


def _rank(item: Series) -> tuple[date, str, str]:
    return item[0].on, item[0].model, item[0].settings


def _outcome(
    target: TargetEntry,
    facts: Facts,
    models: Mapping[str, _Model],
    one: Published,
    released: date,
    later: tuple[Decimal, ...],
) -> Outcome:
    subject = facts.name(one.model)
    launch = models[subject].release.launch if isinstance(target.rule, NextRelease) else ""
    others = {name for name, model in models.items() if launch and model.release.launch == launch and name != subject}
    told = _told(target, facts, {subject}, one)
    return Outcome(
        subject,
        one.value,
        _within(target, one.value),
        one.on,
        released,
        one.settings,
        tuple((benchmark, value) for (_, benchmark), value in told.items() if _usable(target, benchmark)),
        _siblings(target, facts, models, {subject, *others}, one) if isinstance(target.rule, NextRelease | Named) else (),
        later,
    )


def _within(target: TargetEntry, value: Decimal) -> Decimal:
    return min(max(value, Decimal(target.min)), Decimal(target.max))


def _usable(target: TargetEntry, benchmark: str) -> bool:
    """Whether a score of the same model may be a covariate: no other protocol of the same questions, unless it was stated."""
    return benchmark != target.benchmark and (benchmark not in target.same_items or benchmark in target.stated)


def _told(target: TargetEntry, facts: Facts, models: Collection[str], measured: Published) -> dict[tuple[str, str], Decimal]:
    """By model and benchmark the first value published by the day of the outcome: of the resolvers in order, then of anybody.

    Of the same system where each system is an outcome, of the plain one where the rule takes defaults, and of the highest effort
    where it takes that.
    """
    found: dict[tuple[str, str], Decimal] = {}
    order = {name: place for place, name in enumerate((target.resolver, *target.fallbacks))}
    system = systems.split(measured.settings)[0]

    def rank(one: Published) -> tuple[int, float, date, Decimal, str]:
        effort = -one.effort if target.system == "highest_effort" else 0.0
        return order.get(one.resolver, len(order)), effort, one.on, one.value, repr(one)

    for one in sorted((one for one in facts.published if one.on <= measured.on), key=rank):
        other = target.system == "each" and systems.split(one.settings)[0] != system
        if other or (target.system == "default" and not one.default):
            continue
        if (name := facts.name(one.model)) in models:
            found.setdefault((name, one.benchmark), one.value)
    return dict(sorted(found.items()))


def _siblings(
    target: TargetEntry, facts: Facts, models: Mapping[str, _Model], launch: Collection[str], measured: Published
) -> tuple[Beside, ...]:
    """What the other systems of a launch scored by the day of the outcome: other efforts of its model, and its other models.

    By model, system and benchmark the first value, of the resolvers in order, then of anybody; on the target's own benchmark only
    under the protocol of the outcome.
    """
    order = {name: place for place, name in enumerate((target.resolver, *target.fallbacks))}
    own, protocol = systems.split(measured.settings)
    found: dict[tuple[str, str, str], Decimal] = {}

    def rank(one: Published) -> tuple[int, date, Decimal, str]:
        return order.get(one.resolver, len(order)), one.on, one.value, repr(one)

    for one in sorted((one for one in facts.published if one.on <= measured.on), key=rank):
        name, (system, way) = facts.name(one.model), systems.split(one.settings)
        same_system = (name, system) == (facts.name(measured.model), own)
        if name in launch and not same_system and (one.benchmark != target.benchmark or way == protocol):
            found.setdefault((one.benchmark, name, system), one.value)
    cards = {name: models[name].release for name in launch if name in models}
    return tuple(
        Beside(name, system, cards[name].line if name in cards else "", cards[name].tier if name in cards else "", benchmark, value)
        for (benchmark, name, system), value in sorted(found.items())
    )


def _record_by(target: TargetEntry, rule: RecordBy, models: Mapping[str, _Model], facts: Facts) -> Resolution:
    by = date.fromisoformat(rule.by)
    end = by + timedelta(days=target.publish_within)
    gone = _closed(target, facts)
    if gone is not None and gone.on <= end:
        return gone
    if facts.today <= end:
        return Pending(f"open until {end}")
    top = _best(target, rule, models, facts, by, end)
    # A model of which nobody says whether its weights are open holds the answer up only where it would be part of it.
    unsure = [facts.name(item[0].model) for item in top if models[facts.name(item[0].model)].release.open_weights is None]
    if rule.scope == "open_weights" and unsure:
        return Pending(f"whether {', '.join(unsure)} has open weights is not on record")
    if len(top) < rule.top or not _read(top[0][0].resolver, by, end, facts):
        return _silence(target, facts, "never_published", end)
    value = _mean(top)
    # A value that stood when the question was put is its answer only once no release can change it: the day after `by`.
    known = max(by + timedelta(days=1), *(item[0].on for item in top))
    later = tuple(dict.fromkeys(value for item in top for value in item[1]))
    settings = ", ".join(facts.name(item[0].model) for item in top)
    return Resolved((Outcome("", value, _within(target, value), known, None, settings, later=later),), True)


def standing_record(target: TargetEntry, rule: RecordBy, facts: Facts) -> Decimal | None:
    """The record among what is known by `facts.today`, scored within its scale; None with fewer models than the rule takes."""
    top = _best(target, rule, facts.models, facts, facts.today, facts.today)
    return _within(target, _mean(top)) if len(top) == rule.top else None


def _best(target: TargetEntry, rule: RecordBy, models: Mapping[str, _Model], facts: Facts, by: date, end: date) -> list[Series]:
    """The best system of each of the best models that were released by a day, among values published by the end."""
    scope = {
        name
        for name, model in models.items()
        if model.on <= by
        and (rule.scope != "open_weights" or model.release.open_weights is not False)
        and (rule.scope != "maker" or model.release.maker == rule.maker)
    }
    values = _values(target, facts, scope, end)
    best: dict[str, Series] = {}
    sign = 1 if target.direction == "higher" else -1
    for name in sorted(scope):
        mine = _systems(target, _first(target, facts, (one for one in values if facts.name(one.model) == name)))
        if mine:
            best[name] = min(mine, key=lambda item: (-sign * item[0].value, *_rank(item)))
    return sorted(best.values(), key=lambda item: (-sign * item[0].value, *_rank(item)))[: rule.top]


def _mean(top: Sequence[Series]) -> Decimal:
    return sum((item[0].value for item in top), Decimal(0)) / len(top)


def _read(resolver: str, by: date, end: date, facts: Facts) -> bool:
    """Whether the record read a resolver after the day and in time: that nobody looked is no evidence that a record stood."""
    days = {*facts.read.get(resolver, ()), *(one.on for one in facts.published if one.resolver == resolver)}
    return any(by < day <= min(end, facts.today) for day in days)


def _bound(target: TargetEntry, rule: Bound, models: Mapping[str, _Model], facts: Facts, before: Collection[str]) -> Resolution:
    opens, (closes, end) = date.fromisoformat(target.opens), _last(target)
    outcomes: list[Outcome] = []
    for name, model in sorted(models.items()):
        release = model.release
        if name in before or not opens < model.on <= closes or not _binds(rule, release):
            continue
        found = _measured(target, [name], model.on, models, facts)
        if isinstance(found, Resolved):
            outcomes += [one for one in found.outcomes if _has(rule, one)]
    if outcomes:
        return Resolved(tuple(outcomes), facts.today > end)
    return _closed(target, facts) or _silence(target, facts, "never_published", end)


def _binds(rule: Bound, release: Release) -> bool:
    """Whether a release is one of those that a rule is about; weights of which nobody says whether they are open are not open."""
    return (
        release.binds == rule.binds
        and (not isinstance(rule.series, str) or release.series == rule.series)
        and (not isinstance(rule.kinds, list) or release.kind in rule.kinds)
        and (not isinstance(rule.families, list) or release.family in rule.families)
        and (rule.scope != "open_weights" or release.open_weights is True)
    )


def _has(rule: Bound, outcome: Outcome) -> bool:
    """Whether every quantity that a rule needs was published with an outcome, or before it."""
    return not isinstance(rule.needs, list) or set(rule.needs) <= {benchmark for benchmark, _ in outcome.covariates}
