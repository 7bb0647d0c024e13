"""Pages that leave a forecast out, show it twice, or show another state: `verify-report` must say so (exit 7, or 6)."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from tests.campaign import build
from tests.campaign.mutate import room
from tests.campaign.table import Scale, Tally, timed

from foresaid import ledger, report_check
from foresaid.snapshot import Evidence
from foresaid.verify import Result, verify

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def page(data: dict[str, Any], rows: list[tuple[str, str]]) -> bytes:
    """A page as the ledger page is: a row for each forecast, and the data as text."""
    body = "".join(f'<tr data-forecast="{html.escape(name)}" data-state="{state}"><td>{name}</td></tr>\n' for name, state in rows)
    text = html.escape(json.dumps(data))
    return f'<!doctype html><table>{body}</table><pre id="{report_check.ELEMENT}">{text}</pre>'.encode()


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """The data with totals and digest that fit them: whoever drops a forecast can fix those too."""
    body = {key: value for key, value in data.items() if key != "digest"}
    states = [state for *_, state in body["forecasts"]]
    body["totals"] = {name: states.count(name) for name in body["totals"]} | {"forecasts": len(states)}
    return {**body, "digest": sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()}


def spoiled(data: dict[str, Any], rows: list[tuple[str, str]], place: int, kind: str) -> bytes:
    """The page with one forecast mistreated."""
    forecasts, shown = [*data["forecasts"]], [*rows]
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
    return page(sealed({**data, "forecasts": forecasts}), shown)


KINDS = (
    "row removed", "data removed, all sums fixed", "row and data removed, all sums fixed", "shown twice, all sums fixed",
    "another state, all sums fixed", "another batch, all sums fixed",
)  # fmt: skip


def attacks(scale: Scale) -> Iterator[Tally]:
    """Every forecast of a ledger of a hundred, mistreated in every way."""
    number = scale.of(6, 100, 100)
    with room() as place:
        folder = build.create(place / "ledger")
        build.write(folder, build.entries_of(0))
        for batch in range(0, number, 10):
            lines = [build.forecast(f"m{order}", primary=order == 0) for order in range(batch, min(batch + 10, number))]
            build.write(folder, [*lines], minutes=batch)
        ledger.sequence(folder, build.ORIGIN)

        def check(report: bytes | None) -> Result:
            return verify(folder, build.ORIGIN, evidence=Evidence(now=NOW, report=report))

        sound = check(None)
        data = report_check.embedded(sound.listed, sound.checkpoint, sound.accounts, "2026-11-22T00:00:00Z")
        rows = [(report_check.name(account.author, account.id), account.state) for account in sound.accounts]
        if (code := check(page(data, rows)).exit_code()) != 0 or len(rows) != number:
            raise AssertionError(f"the true page of {len(rows)} forecasts does not pass: exit {code}")
        for kind in KINDS:
            with timed(Tally(f"a page with one forecast wrong: {kind}")) as tally:
                for order in range(number):
                    tally.count(check(spoiled(data, rows, order, kind)).exit_code() == 7, f"forecast {order}")
            yield tally
