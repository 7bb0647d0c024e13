"""Pages that leave a forecast out, show it twice, or show another state: `verify-report` must say so (exit 7, or 6)."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from tests.attacks import build
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed

from foresaid.ledger import store
from foresaid.ledger.state import accounting
from foresaid.ledger.verify import page as report_check
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import VerificationResult, verify

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def page(data: dict[str, Any], rows: list[tuple[str, str]], no_shows: list[str]) -> bytes:
    """A page as the ledger page is: a row for each forecast, each target without one by name, and the data as text."""
    body = "".join(f'<tr data-forecast="{html.escape(name)}" data-state="{state}"><td>{name}</td></tr>\n' for name, state in rows)
    text = html.escape(json.dumps(data))
    body += "".join(f'<p data-no-show="{html.escape(name)}">{name}</p>\n' for name in no_shows)
    return f'<!doctype html><table>{body}</table><pre id="{report_check.ELEMENT}">{text}</pre>'.encode()


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """The data with totals and digest that fit them: whoever drops a forecast can fix those too."""
    body = {key: value for key, value in data.items() if key != "digest"}
    states = [state for *_, state in body["forecasts"]]
    body["totals"] = {name: states.count(name) for name in body["totals"]} | {"forecasts": len(states)}
    return {**body, "digest": sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()}


def spoiled(data: dict[str, Any], rows: list[tuple[str, str]], no_shows: list[str], place: int, kind: str) -> bytes:
    """The page with one forecast, or one target without a forecast, mistreated."""
    forecasts, shown, named = [*data["forecasts"]], [*rows], [*no_shows]
    [(round_id, author, targets, missing)] = data["universe"]
    if kind in ("target taken off the page", "target taken off page and data, all sums fixed"):
        del named[place]
    if kind in ("target taken out of the data, all sums fixed", "target taken off page and data, all sums fixed"):
        missing, targets = [*missing[:place], *missing[place + 1 :]], targets - 1
    if kind == "target said to have a forecast":
        missing = [*missing[:place], *missing[place + 1 :]]
        del named[place]
    if kind in ("row removed", "row and data removed, all sums fixed"):
        del shown[place]
    if kind in ("data removed, all sums fixed", "row and data removed, all sums fixed"):
        del forecasts[place]
    if kind == "shown twice, all sums fixed":
        shown.append(shown[place])
        forecasts.append(forecasts[place])
    if kind == "another state, all sums fixed":
        author, name, batch, _ = forecasts[place]
        forecasts[place] = [author, name, batch, "withdrawn" if rows[place][1] != "withdrawn" else "void"]
        shown[place] = (shown[place][0], forecasts[place][3])
    if kind == "another batch, all sums fixed":
        author, name, _, state = forecasts[place]
        forecasts[place] = [author, name, "0" * 64, state]
    universe = [[round_id, author, targets, missing]]
    return page(sealed({**data, "forecasts": forecasts, "universe": universe}), shown, named)


KINDS = (
    "row removed", "data removed, all sums fixed", "row and data removed, all sums fixed", "shown twice, all sums fixed",
    "another state, all sums fixed", "another batch, all sums fixed",
)  # fmt: skip
UNIVERSE = (
    "target taken off the page", "target taken out of the data, all sums fixed", "target taken off page and data, all sums fixed",
    "target said to have a forecast",
)  # fmt: skip


def attacks(scale: Scale) -> Iterator[Tally]:
    """Every forecast of a ledger of a hundred, and every one of a hundred targets without one, mistreated in every way."""
    number = scale.of(6, 100, 100)
    with room() as place:
        folder = build.create(place / "ledger")
        build.write(folder, [build.ROUND, build.target("mmlu-pro"), *(build.target(f"left-out-{n}") for n in range(number))])
        for batch in range(0, number, 10):
            lines = [build.forecast(f"m{order}", primary=order == 0) for order in range(batch, min(batch + 10, number))]
            build.write(folder, [*lines], minutes=batch)
        store.sequence(folder, build.ORIGIN)

        def check(report: bytes | None) -> VerificationResult:
            return verify(folder, build.ORIGIN, evidence=Evidence(now=NOW, report=report))

        sound = check(None)
        universe = accounting.universe(sound.batches, sound.accounts)
        data = report_check.embedded(sound.listed, sound.checkpoint, sound.accounts, "2026-11-22T00:00:00Z", universe)
        no_shows = [report_check.no_show(row["author"], row["round"], one) for row in universe for one in row["no_shows"]]
        rows = [(report_check.name(account.author, account.id), account.state) for account in sound.accounts]
        if (code := check(page(data, rows, no_shows)).exit_code()) != 0 or len(rows) != number or len(no_shows) != number:
            raise AssertionError(f"the true page of {len(rows)} forecasts and {len(no_shows)} no-shows does not pass: exit {code}")
        for kind in (*KINDS, *UNIVERSE):
            with timed(Tally(f"a page with one {'forecast' if kind in KINDS else 'no-show'} wrong: {kind}")) as tally:
                for order in range(number):
                    tally.count(check(spoiled(data, rows, no_shows, order, kind)).exit_code() == 7, f"{kind} {order}")
            yield tally
