"""From stated forecasts to the entries that a batch takes, with all that is wrong with them told at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import ID, NAME
from foresaid.ledger.entries.forecasts import Amendment, ForecastEntry
from foresaid.ledger.state.index import gather
from foresaid.ledger.submission.form import Form
from foresaid.ledger.submission.objections import Objection, ObjectionError
from foresaid.ledger.submission.open_targets import find, states
from foresaid.ledger.submission.stated import quantiles


@dataclass(frozen=True)
class Prepared:
    """The entries that stated forecasts become, and what there is to say of them."""

    entries: Sequence[ForecastEntry | Amendment]
    objections: Sequence[Objection]


def author_of(form: Form, option: str, where: str) -> str:
    """Whose forecasts these are: the file says it or the option does, and both the same. Raises ObjectionError."""
    author = option or form.author
    if not author:
        expected = "your name: --author NAME, FORESAID_AUTHOR, or a line `author: NAME` in the file"
        raise ObjectionError("author_missing", where, "no author", expected)
    if form.author and option and form.author != option:
        raise ObjectionError("author_invalid", where, f"{form.author} in the file and {option} beside it", "one author")
    if not re.fullmatch(ID, author):
        raise ObjectionError("author_invalid", where, repr(author[:60]), "lower-case letters, digits and . _ / - between them")
    return author


def prepare(form: Form, author: str, batches: Sequence[Batch], now: datetime, reason: str = "") -> Prepared:
    """The forecast/v1 lines of a form for the targets that are open now; with a reason, amendments of the author's own forecasts.

    The first forecast of an author for a target is the primary one, unless it says otherwise.
    """
    open_now = states(batches, now)
    facts = gather(batches)
    mine = {name: entry for (who, name), (_, entry) in facts.forecasts.items() if who == author}
    has_primary = {name.rsplit("/", 1)[0] for name, entry in mine.items() if not isinstance(entry, ForecastEntry) or entry.primary}
    made: dict[str, ForecastEntry | Amendment] = {}
    told: list[Objection] = list(form.objections)
    for item in form.entries:
        try:
            target = find(open_now, item.target, item.where).target
            if not re.fullmatch(NAME, item.method):
                expected = "one word of lower-case letters, digits, _ and -"
                raise ObjectionError("method_invalid", f"{item.where}, method", repr(item.method[:40]), expected)
            name = f"{target.round}/{target.id}/{item.method}"
            if name in made:
                raise ObjectionError("forecast_twice", item.where, f"{name} again", "one forecast of a target by one method")
            if (name in mine) != bool(reason):
                expected = "--amend REASON to change it, or another --method" if name in mine else "an earlier forecast to amend"
                raise ObjectionError(
                    "forecast_exists", item.where, f"{name} by {author}" if name in mine else f"no {name}", expected
                )
            prediction, notes = quantiles(item.stated, target, item.where, item.unit)
        except ObjectionError as error:
            told.append(error.told)
            continue
        told += notes
        if reason:
            made[name] = Amendment(amends=name, reason=reason, prediction=prediction)
            continue
        about = f"{target.round}/{target.id}"
        primary = item.primary if item.primary is not None else about not in has_primary
        if primary:
            has_primary.add(about)
        made[name] = ForecastEntry(id=name, target=target.id, method=item.method, primary=primary, prediction=prediction)
    return Prepared(list(made.values()), told)
