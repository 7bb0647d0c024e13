"""Everything the ledger says of one forecast, in one place: the target, the forecast, the outcome, what is proven.

A proof that nobody can read beside the number it proves is worth little; `foresaid show` prints this. The entries are given as they
stand, so that a field of a later version is shown as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from foresaid import canonical_json
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.schema import Prediction
from foresaid.ledger.state import evidence
from foresaid.ledger.state.accounting import Account
from foresaid.ledger.state.index import Aim, Clock, Facts, Key, gather
from foresaid.ledger.state.versions import versions
from foresaid.ledger.verify.verify import VerificationResult


@dataclass(frozen=True)
class Told:
    """What all batches say, and every version of every forecast: read once for the stories of many forecasts."""

    facts: Facts
    versions: Mapping[Key, Sequence[tuple[str, Prediction, bool]]]


def read(batches: Sequence[Batch], clock: Clock) -> Told:
    """Read full batches in the order of the log, not outlines."""
    return Told(gather(batches), versions(batches, clock))


def of(read_once: Told, author: str, name: str) -> dict[str, Any]:
    """The round, the target, every version with the one that counts, and the outcomes entered for its target."""
    return {
        "author": author,
        "id": name,
        **asked(read_once, aim_of(name)),
        "versions": [
            {"batch": batch, "counts": counts, "prediction": msgspec.to_builtins(made)}
            for batch, made, counts in read_once.versions.get((author, name), [])
        ],
    }


def whole(
    read_once: Told,
    result: VerificationResult,
    account: Account,
    by_name: Mapping[str, Batch],
    scores: Sequence[Mapping[str, Any]],
    crossings: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The same with its state, every score of it among `scores` and `crossings`, and what is proven of it and what not."""
    about = evidence.of(result, account, by_name)
    mine = (account.author, account.id)
    return {
        **of(read_once, *mine),
        "state": account.state,
        "reason": account.reason,
        "primary": account.primary,
        "scores": [dict(row) for row in scores if (row["author"], row["id"]) == mine],
        "crossings": [dict(row) for row in crossings if (row["author"], row["id"]) == mine],
        "proven": list(about.have),
        "not_proven": [*about.lack, *evidence.NEVER],
    }


PROOFS = ("proven", "not_proven")


def asked(read_once: Told, aim: Aim) -> dict[str, Any]:
    """What is the same for every forecast of a target: its round, the target itself, the outcomes entered for it."""
    facts = read_once.facts
    opened, target = facts.rounds.get(aim[0]), facts.targets.get(aim)
    return {
        "round": msgspec.to_builtins(opened) if opened is not None else None,
        "target": msgspec.to_builtins(target) if target is not None else None,
        "outcomes": [
            {"subject": subject, **msgspec.to_builtins(entry), "counts": place == 0}
            for subject, found in sorted(facts.outcomes(aim).items())
            for place, entry in enumerate(found)
        ],
    }


def of_target(shared: dict[str, Any], told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a target's forecasts share (`asked`), and their stories (`whole`) as one: proofs once for those that share them.

    The matrices of a joint are named by the SHA-256 of their canonical line and not repeated: they stand whole in the batch, and in
    the story of the one forecast.
    """
    proofs: list[dict[str, Any]] = []
    forecasts = []
    for one in told:
        about = {name: one[name] for name in PROOFS}
        same = next((row for row in proofs if {name: row[name] for name in PROOFS} == about), None)
        if same is None:
            same = {"ids": [], **about}
            proofs.append(same)
        same["ids"].append(f"{one['author']} {one['id']}")
        rest = {name: value for name, value in one.items() if name not in (*shared, *PROOFS)}
        made = [{**row, "prediction": _without_matrices(row["prediction"])} for row in one["versions"]]
        forecasts.append({**rest, "versions": made})
    return {**shared, "forecasts": forecasts, "proofs": proofs}


def _without_matrices(prediction: dict[str, Any]) -> dict[str, Any]:
    if "covariance" not in prediction:
        return prediction
    digest = sha256(canonical_json.dump_line({"covariance": prediction["covariance"]})).hexdigest()
    return {**prediction, "covariance": {"sha256": digest}}


def spoken(value: object) -> str:
    """A value of an entry as one reads it aloud.

    >>> spoken({"kind": "curve", "binds": "model"}), spoken(["0.05", "0.5"]), spoken([]), spoken(None), spoken(False)
    ('kind curve, binds model', '0.05, 0.5', 'none', 'none', 'no')
    """
    if isinstance(value, dict):
        return ", ".join(f"{name} {spoken(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(spoken, value)) or "none"
    return "none" if value is None else ("no", "yes")[value] if isinstance(value, bool) else str(value)


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The same in lines for a terminal: fields of round and target, quantiles of each version, outcomes.

    A curve or a joint is named, not printed: it is a rule for many cases, and stands whole in its batch and in `--json`.
    """
    for what in ("round", "target"):
        entry = told[what]
        if entry is None:
            yield f"{what}: not in the ledger"
            continue
        yield from (f"{what} {field}: {spoken(value)}" for field, value in entry.items() if field not in ("type", "id"))
    for number, version in enumerate(told["versions"], start=1):
        made = version["prediction"]
        head = f"version {number}, batch {version['batch'][:12]}{', counts' if version['counts'] else ''}"
        if made.get("kind") == "quantiles":
            said = ", ".join(f"{level}: {value}" for level, value in zip(made["levels"], made["values"], strict=True))
            yield f"{head}: quantiles {said}"
        elif made.get("kind") == "joint":
            days, names = made["days"], ", ".join(made["benchmarks"])
            beside = len(made["siblings"])
            yield f"{head}: a joint of {names} and {beside} siblings' cells, on {len(days)} days from {days[0]} to {days[-1]}"
        else:
            curve = made.get("curve", {})
            rows = curve.get("training", {}).get("rows")
            yield f"{head}: a curve of {curve.get('law')} on {rows} rows, {curve.get('status')}"
    if not told["versions"]:
        yield "versions: none that can be read (sealed, or redacted)"
    for one in told["outcomes"]:
        yield (
            f"outcome {one['subject']}: {one['value']}, known {one['known_at']}, "
            f"{one['source']}{', counts' if one['counts'] else ''}"
        )
    if not told["outcomes"]:
        yield "outcome: none in the ledger yet"
    for row in told.get("scores", []):
        wis = "none" if row["wis"] is None else f"{row['wis']:.6g}"
        knew = f", told {row['told']}" if row["told"] else ""
        yield f"score of version {row['version']}, {row['standing']}{knew}: WIS {wis} on {row['n']} outcomes"
    for row in told.get("crossings", []):
        came = "reached" if row["reached"] else "not reached"
        about = f"version {row['version']}, {row['standing']}: {row['threshold']}"
        yield f"crossing of {about} with probability {row['probability']:.4g}, {came} by {row['subject']}: Brier {row['brier']:.4g}"
