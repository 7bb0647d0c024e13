"""What would make the unknown names of a download known: spellings of models of the record, and models its files state.

A proposal is made from what the upstream says (day, maker, scale), never from likeness alone, and enters the record only where
the user accepts it. A name with an effort or a precision is never proposed as a spelling: that is a setting, for the reader.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from foresaid.confusables import stranger
from foresaid.registry import additions, lineage
from foresaid.registry.checks.rows import MODEL_ID
from foresaid.registry.formats import AliasRow, ModelRow, QuantityRow
from foresaid.registry.load import Catalogue
from foresaid.registry.model_names import DATED, ORNAMENT, Names, Suggestion, setting_of, tidy
from foresaid.sources._reading import Reading, StatedModel

SAME = re.compile(r"the same without the organisation|the same name without (-|the date )")
APART = 45  # days by which two stated release dates of one model differ at most: boards give the day of a preview or of its end
SURE = 0.8  # share of the models of a line that must have one maker before a new one of it is taken to have it
SHOWN = 40  # unknown names listed in full


@dataclass
class Proposals:
    """Rows that would make names known, and why; `names` are still unknown after them."""

    models: list[ModelRow] = field(default_factory=list)
    aliases: list[AliasRow] = field(default_factory=list)
    quantities: list[QuantityRow] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """What is proposed, one line a row, and what nothing is known of."""
        lines = list(self.reasons)
        if self.names:
            listed = ", ".join(self.names[:SHOWN]) + (f", and {len(self.names) - SHOWN} more" if len(self.names) > SHOWN else "")
            lines.append(f"{len(self.names)} names no file states a day and a maker of: {listed}")
        return lines

    def __bool__(self) -> bool:
        return bool(self.models or self.aliases or self.quantities)


def propose(catalogue: Catalogue, spelling: Sequence[str], source: str, reading: Reading, known_on: date) -> Proposals:
    """Propose rows for every model name and quantity of a reading that the record does not know.

    `spelling` are the sources whose aliases hold, `source` the one that would get new ones, `known_on` the day of the download: a
    model whose stated day is later is not proposed.
    """
    made = Proposals()
    _quantities(made, catalogue, source, reading)
    names = Names(spelling, catalogue.known.models, catalogue.aliases)
    runs = {subject.subject_id for subject in reading.subjects}
    unknown = dict.fromkeys(score.subject for score in reading.scores if score.subject not in runs)
    unknown = {name: None for name in unknown if not isinstance(names.resolve(name, ("", None)), str)}
    stated = {tidy(one.subject): one for one in sorted(reading.models, key=_fullness)}
    titles = Counter(additions.BRACKET.sub("", one.title) for one in stated.values())
    makers = _makers(catalogue.models)
    models = list(catalogue.models)
    for name in unknown:
        said = _with_maker(stated.get(tidy(name)), makers)
        twin = _spelling(names.suggestions.of(name), said, catalogue.known.models) or _launched_together(said, models)
        if twin:
            made.aliases.append(AliasRow(tidy(name), source, "model", twin.model_id))
            made.reasons.append(f"alias {tidy(name)} of {twin.model_id}: {twin.reason}")
            continue
        row = _model(said, source, models, known_on)
        if row is None or row.model_id in catalogue.known.models:
            made.names.append(tidy(name))
            continue
        if row not in made.models:
            made.models.append(row)
            models.append(row)
            made.reasons.append(
                f"model {row.model_id}: {row.organisation}, {said.released_on if said else ''}, line {row.line}, tier {row.tier}"
            )
        made.aliases.append(AliasRow(tidy(name), source, "model", row.model_id))
        title = additions.BRACKET.sub("", said.title if said else "")
        if title and titles[title] == 1 and not isinstance(names.resolve(title, ("", None)), str):
            made.aliases.append(AliasRow(title, source, "model", row.model_id))
    made.aliases = list({row[:3]: row for row in made.aliases}.values())
    return made


def _makers(models: Iterable[ModelRow]) -> dict[str, str]:
    """The maker of each line that the record has of one maker (up to the two names a lab may have)."""
    found: dict[str, Counter[str]] = {}
    for row in models:
        found.setdefault(row.line, Counter())[row.organisation] += 1
    return {
        line: counts.most_common(1)[0][0] for line, counts in found.items() if counts.most_common(1)[0][1] >= SURE * counts.total()
    }


def _with_maker(said: StatedModel | None, makers: Mapping[str, str]) -> StatedModel | None:
    """What is stated of a model, with the maker of its line where the upstream leaves the maker out."""
    if said is None or said.organisation.strip():
        return said
    line, _ = lineage.propose(tidy(said.subject).lower(), "")
    return replace(said, organisation=makers.get(line, ""))


def _launched_together(said: StatedModel | None, models: Iterable[ModelRow]) -> Suggestion | None:
    """The one model of the same maker and stated day whose name is this one but for a date, a preview or a point.

    A preview and the model it became, or a dated and an undated name, are one model only where both came out on that day.
    """
    day = additions.read_day(said.released_on)[0] if said else None
    if said is None or day is None or not said.organisation.strip():
        return None
    start, bare = additions.prefix(said.organisation, models := list(models)), _bare(said.subject)
    twins = {
        row.model_id
        for row in models
        if row.released_on == day and row.model_id.split("/")[0] == start and _bare(row.model_id) == bare
    }
    reason = f"the same name but for a date, a preview or a point, out on the same day {day}"
    return Suggestion(next(iter(twins)), reason) if len(twins) == 1 else None


def _bare(name: str) -> str:
    """A name without maker, bracket, day and ornaments, and without marks: `kimi-k2p5` and `Kimi K2.5` are one.

    >>> _bare("moonshotai/kimi-k2p5") == _bare("Kimi K2.5"), _bare("gpt-5.2-2025-12-11") == _bare("openai/gpt-5.2")
    (True, True)
    """
    bare = additions.BRACKET.sub("", name).lower().rsplit("/", 1)[-1]
    for pattern in (DATED, ORNAMENT):
        bare = pattern.sub("", bare)
    return re.sub(r"[^a-z0-9]", "", re.sub(r"(?<=\d)p(?=\d)", ".", bare))


def _fullness(one: StatedModel) -> tuple[bool, bool, bool]:
    return (bool(one.released_on), bool(one.organisation), bool(one.title))


def _spelling(found: Iterable[Suggestion], said: StatedModel | None, models: Mapping[str, ModelRow]) -> Suggestion | None:
    """A model of the record that a name differs from by maker, date or an ornament such as -preview, where no day contradicts."""
    for one in found:
        if SAME.match(one.reason):
            stands = models[one.model_id].released_on
            day = additions.read_day(said.released_on)[0] if said else None
            if stands is None or day is None or abs((day - stands).days) <= APART:
                return one
    return None


def _model(said: StatedModel | None, source: str, models: Sequence[ModelRow], known_on: date) -> ModelRow | None:
    """The row of a model as the upstream states it; nothing where it lacks a day, a maker or a name that can be an id."""
    if said is None or not said.organisation.strip() or setting_of(said.subject):
        return None
    day, _ = additions.read_day(said.released_on)
    if day is None or day > known_on or stranger(said.organisation) or stranger(said.subject):
        return None
    last = re.sub(r"[^a-z0-9._-]+", "-", tidy(said.subject).rsplit("/", 1)[-1].lower()).strip("-._")
    model_id = f"{additions.prefix(said.organisation, models)}/{last}"
    if not last or not MODEL_ID.fullmatch(model_id):
        return None
    family = additions.family_of(said.title or said.subject)
    about = (model_id, " ".join(said.organisation.split()), said.released_on, f"{source}: {tidy(said.subject)}")
    return additions.model_row(*about, family=family, open_weights=said.open_weights)


def _quantities(made: Proposals, catalogue: Catalogue, source: str, reading: Reading) -> None:
    """Quantities that the upstream describes in full and the record lacks."""
    wanted = {score.quantity_id for score in reading.scores} - set(catalogue.known.quantities)
    for one in reading.quantities:
        if one.quantity_id in wanted:
            row = QuantityRow(
                *(one.quantity_id, one.title, one.kind, one.unit, one.lower, one.upper, one.chance, one.direction),
                *(None, one.protocol, one.reference, source),
            )
            made.quantities.append(row)
            made.reasons.append(f"quantity {one.quantity_id}: {one.title}, {one.unit}, chance {one.chance}")
