"""What `verify` accepts, scoring finishes and a page can be written for: entries are for ever, so no line may stop all work.

Ledgers are drawn from lines that are lawful and awkward: curves of a law that does not exist, with a probe that no longer holds,
about nothing the record knows; ids as long as they may be; outcomes of unknown models; and a redaction of all forecasts.
"""

from __future__ import annotations

import copy
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Built

from foresaid import canonical_json
from foresaid.fitting.frozen_curve import from_plain
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.resolutions import Redaction
from foresaid.ledger.verify import verify
from foresaid.pipeline import score
from foresaid.report.texts import page_name

ORIGIN = "example.org/lm"
AT = datetime(2024, 6, 1, tzinfo=UTC)
LATER = datetime(2024, 8, 1, tzinfo=UTC)
DATA = entries.Data(name="observational", sha256="0" * 64, bytes=1, rows=1, max_observed_on="2024-05-31")
CODE = entries.Code(git=None, dirty=False, version="0.1.0")
ODD = (
    "as it is",
    "unknown law",
    "wrong probe",
    "no draws",
    "other settings",
    "huge point",
)


def odd_curve(curve: dict[str, Any], how: str) -> dict[str, Any]:
    """The curve with one lawful oddity."""
    made = copy.deepcopy(curve)
    if how == "unknown law":
        made["law"] = "no_such_law"
    elif how == "wrong probe":
        made["probe"]["y"] = ["0.987654321" for _ in made["probe"]["y"]]
    elif how == "no draws":
        made["draws"] = []
    elif how == "other settings":
        made["settings"] = {}
    elif how == "huge point":
        made["point"] = ["1" + "0" * 17 for _ in made["point"]]
    return made


class Stage:
    """A curve of the real record; without a repr of its own each failure would print all of it."""

    def __init__(self, curve: dict[str, Any]) -> None:
        self.curve = curve

    def __repr__(self) -> str:
        return "Stage"


@pytest.fixture(scope="module")
def stage(built: Built) -> Stage:
    curves = canonical_json.parse_lines((built.build / "fits" / "observational" / "curves.jsonl").read_bytes())
    curve = dict(next(curve for curve in curves if curve["target_id"] == "gsm8k_cot"))
    curve["training"] = {**curve["training"], "as_of": "2024-05-31", "max_known_on": "2024-05-31"}
    return Stage(curve)


def write(place: Path, author: str, lines: list[Any], at: datetime = AT) -> str:
    path = store.write_batch(
        place,
        lines,
        origin=ORIGIN,
        author=author,
        as_of=date(2024, 5, 31),
        frozen_at=at,
        data=[DATA],
        code=CODE,
        check_curve=from_plain,
    )
    return path.stem


def of(kind: str, **values: Any) -> Any:
    return entries.parse({"type": kind, **values})


def target(name: str, curve: dict[str, Any], benchmark: str) -> Any:
    return of(
        "target/v1", id=name, round="r", rule={"kind": "curve", "binds": "model"}, benchmark=benchmark, protocol="p",
        unit="fraction", direction="higher", min=curve["lower"], max=curve["upper"], chance=None, ceiling=None, resolution=None,
        resolver=curve["resolver"], fallbacks=[], system="default", nearest_effort=False, opens="2024-06-01", closes="2024-12-31",
        publish_within=30, void_if=[], known="0" * 64, levels=["0.5"], same_items=[], stated=[],
    )  # fmt: skip


@settings(max_examples=20)
@given(
    hows=st.lists(st.sampled_from(ODD), min_size=1, max_size=4),
    long=st.booleans(),
    redacts=st.booleans(),
    subjects=st.lists(st.sampled_from(["qwen/qwen2-72b", "no/such-model", "a" * 128]), unique=True, max_size=3),
)
def test_b13_what_verify_accepts_scoring_finishes(
    hows: list[str], long: bool, redacts: bool, subjects: list[str], stage: Stage
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ledger"
        store.create(place, ORIGIN)
        method = "m" * 62 if long else "m"
        author, name = ("l" + "a" * 127, "t" * 128) if long else ("lab", "gsm8k_cot")
        opening = of(
            "round/v1", id="r", deadline="2024-12-31T00:00:00Z", reveal_by="2024-12-31T00:00:00Z", revision="first", score="wis",
            reports="all", unit_of_count="target", universe="u",
        )  # fmt: skip
        benchmark = "no_such_benchmark" if long else "gsm8k_cot"
        write(place, author, [opening, target(name, stage.curve, benchmark)])
        made = [
            of("forecast/v1", id=f"r/{name}/{method}{i}", target=name, method=f"{method}{i}", primary=i == 0,
               prediction={"kind": "curve", "curve": odd_curve({**stage.curve, "quantity_id": benchmark}, how)})
            for i, how in enumerate(hows)
        ]  # fmt: skip
        forecasts = write(place, author, made)
        outcomes = [
            of(
                "resolution/v1",
                round="r",
                target=name,
                subject=one,
                value="0.5",
                known_at="2024-07-01",
                released_on="2024-06-20",
                snapshot="0" * 64,
                source="s",
                covariates=[],
            )
            for one in subjects
        ]
        if outcomes:
            write(place, author, outcomes, LATER)
        store.sequence(place, ORIGIN)
        if redacts:
            gone = Redaction(batch=forecasts, author=author, forecasts=sorted(one.id for one in made), reason="law")
            write(place, author, [gone], LATER)
            store.sequence(place, ORIGIN)
            store.redact(place, forecasts)

        assert verify.verify(place, ORIGIN, from_plain).exit_code() in (0, 5)
        done = score.prospective(place.parent, datetime(2027, 1, 1, tzinfo=UTC), "lab")

        assert len(done.accounts) == len(made)
        refused = {"unknown law", "wrong probe"} & set(hows)
        if refused and subjects and not redacts:
            assert any("cannot be applied" in status for status in done.no_forecast["status"])
        for one in done.accounts:
            (Path(folder) / f"{page_name(one.author, one.id)}.html").write_bytes(b"")
