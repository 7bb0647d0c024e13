"""Pages that leave a forecast out, show it twice, or show another state or score: `verify-report` must say so (exit 7, or 6)."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from tests.attacks import build
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed

from foresaid.evaluation.ledger_scores import score_ledger
from foresaid.ledger import store
from foresaid.ledger.entries.resolutions import Resolution
from foresaid.ledger.entries.schema import Amendment, ForecastEntry, Quantiles, Sealed, Withdrawal
from foresaid.ledger.state import accounting
from foresaid.ledger.state.index import Clock, moment
from foresaid.ledger.verify import page as report_check
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import VerificationResult, verify
from foresaid.pipeline.score import with_exits
from foresaid.scoring.levels import LEVELS
from foresaid.text import number as spelt

NOW = datetime(2027, 2, 1, tzinfo=UTC)


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


Numbers = dict[str, list[str | None]]  # the scores of a page as it embeds them


def scored_ledger(folder: Path, number: int) -> None:
    """Forecasts of one target with an outcome: in time, amended, withdrawn, late, and sealed and never opened."""
    levels = [f"{level:g}" for level in LEVELS]
    asked = msgspec.structs.replace(build.target("mmlu-pro"), levels=levels, resolution="0.001", crossings=["0.6"])

    def made(name: str, middle: float) -> ForecastEntry:
        values = [f"{middle + 0.1 * (level - 0.5):.4f}" for level in LEVELS]
        return msgspec.structs.replace(build.forecast(name), prediction=Quantiles(levels=levels, values=values))

    mine = [made(f"m{order}", 0.3 + 0.4 * order / number) for order in range(number)]
    build.write(folder, [build.ROUND, asked])
    build.write(folder, [*mine], minutes=1)
    lost = f"2026q4/{asked.id}/lost"
    build.write(folder, [Sealed(id=lost, target=asked.id, commit=build.SEALED, reveal_by="2026-12-02T00:00:00Z")], minutes=2)
    better = msgspec.structs.replace(mine[0].prediction, values=made("x", 0.55).prediction.values)  # type: ignore[union-attr]
    build.write(folder, [Amendment(amends=mine[0].id, reason="a run was corrected", prediction=better)], minutes=3)
    build.write(folder, [Withdrawal(withdraws=mine[1].id, reason="a wrong unit")], minutes=4)
    build.write(folder, [made("late", 0.61)], frozen_at=datetime(2026, 12, 20, tzinfo=UTC))
    known = Resolution(
        round="2026q4", target=asked.id, value="0.61", known_at="2027-01-05", released_on="2026-12-31", snapshot="0" * 64,
        source="board", covariates=[],
    )  # fmt: skip
    build.write(folder, [known], frozen_at=datetime(2027, 1, 6, tzinfo=UTC))
    store.sequence(folder, build.ORIGIN)


def numbers(folder: Path, clock: Clock) -> dict[str, list[float | None]]:
    """The scores of that ledger, to a reader to whom all of it is proved in time."""
    batches = store.read(folder)
    proved = {one.sha256: moment(one.header.frozen_at) for one in batches}
    done = score_ledger(batches, Clock(clock.now, wanted=True, proved=proved))
    return report_check.figures(done.table, with_exits(done.table), done.crossings)


def falsified(true: Numbers, name: str) -> Iterator[tuple[str, Numbers]]:
    """Ways in which a row of scores or means is made to say something else that a row may lawfully say."""
    row = true[name]
    places = [place for place, one in enumerate(row) if one is not None]
    for place in places:
        number = float(row[place] or 0)
        changes = {"a tenth better": number * 0.9, "half": number / 2, "one more": number + 1.0}
        for words, value in changes.items():
            if value != number:
                yield words, {**true, name: [*row[:place], f"{value:.6g}", *row[place + 1 :]]}
        if number:
            yield "nothing", {**true, name: [*row[:place], None, *row[place + 1 :]]}
    yield "row left out", {one: found for one, found in true.items() if one != name}
    for standing, other in (("late", "scored"), ("withdrawn", "scored"), ("penalised", "superseded"), ("scored", "superseded")):
        if name.endswith(f" {standing}"):
            yield "another standing", {name.removesuffix(standing) + other if one == name else one: x for one, x in true.items()}
    twin = next((one for one, found in true.items() if one.split()[0] == name.split()[0] and found != row), None)
    if twin is not None:
        yield "the numbers of another row", {**true, name: true[twin]}
    if name.startswith("mean") and row[2:] != row[:2] and row[0] != "0":
        yield "exits left out of the second mean", {**true, name: [*row[:2], *row[:2]]}


def drawn(rows: Numbers) -> str:
    """Rows of scores as a person sees them, spelt as the site spells numbers."""
    return "".join(
        f'<tr data-figures="{html.escape(name)}">'
        + "".join(f"<td data-figure>{spelt(None if x is None else float(x))}</td>" for x in found)
        + "</tr>\n"
        for name, found in rows.items()
    )


def false_scores(scale: Scale) -> Iterator[Tally]:
    """Every row of scores and means made false, in the data, in sight, and in both with all sums fixed."""
    with room() as place:
        folder = build.create(place / "ledger")
        scored_ledger(folder, scale.of(4, 12, 40))

        computed = cache(lambda now: numbers(folder, Clock(now)))  # once a moment; every page is of one

        def check(report: bytes) -> int:
            evidence = Evidence(now=NOW, report=report, figures=lambda clock: computed(clock.now))
            return verify(folder, build.ORIGIN, evidence=evidence).exit_code()

        sound = verify(folder, build.ORIGIN, evidence=Evidence(now=NOW))
        universe = accounting.universe(sound.batches, sound.accounts)
        on = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
        scores = numbers(folder, Clock(NOW))
        data = report_check.embedded(sound.listed, sound.checkpoint, sound.accounts, on, universe, scores)
        true: Numbers = data["figures"]
        no_shows = [report_check.no_show(row["author"], row["round"], one) for row in universe for one in row["no_shows"]]
        rows = [(report_check.name(account.author, account.id), account.state) for account in sound.accounts]

        def shown(told: Numbers, seen: Numbers) -> bytes:
            made = page(sealed({**data, "figures": told}), rows, no_shows)
            return made.replace(b"</table>", f"{drawn(seen)}</table>".encode())

        if (code := check(shown(true, true))) != 0 or not any(name.startswith("mean") for name in true):
            raise AssertionError(f"the true page of {len(true)} rows of scores does not pass: exit {code}")
        for title, told, seen in (
            ("in data and in sight, all sums fixed", True, True),
            ("in the data alone, all sums fixed", True, False),
            ("in sight alone", False, True),
        ):
            with timed(Tally(f"a page with one score, mean or standing false: {title}")) as tally:
                for name in true:
                    for words, false in falsified(true, name):
                        report = shown(false if told else true, false if seen else true)
                        if not told and drawn(false) == drawn(true):
                            continue  # beyond the digits that a cell shows
                        tally.count(check(report) == 7, f"{name}: {words}")
            yield tally


def attacks(scale: Scale) -> Iterator[Tally]:
    """Every forecast, every target without one, and every score, mistreated in every way."""
    yield from left_out(scale)
    yield from false_scores(scale)


def left_out(scale: Scale) -> Iterator[Tally]:
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
        data = report_check.embedded(sound.listed, sound.checkpoint, sound.accounts, f"{NOW:%Y-%m-%dT%H:%M:%SZ}", universe)
        no_shows = [report_check.no_show(row["author"], row["round"], one) for row in universe for one in row["no_shows"]]
        rows = [(report_check.name(account.author, account.id), account.state) for account in sound.accounts]
        if (code := check(page(data, rows, no_shows)).exit_code()) != 0 or len(rows) != number or len(no_shows) != number:
            raise AssertionError(f"the true page of {len(rows)} forecasts and {len(no_shows)} no-shows does not pass: exit {code}")
        for kind in (*KINDS, *UNIVERSE):
            with timed(Tally(f"a page with one {'forecast' if kind in KINDS else 'no-show'} wrong: {kind}")) as tally:
                for order in range(number):
                    tally.count(check(spoiled(data, rows, no_shows, order, kind)).exit_code() == 7, f"{kind} {order}")
            yield tally
