"""A second program's validator takes and refuses the same lines.

That the file is current is tested with those of all other formats, in tests/report/test_schemas.py.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from tests.conftest import ROOT
from tests.ledger.entries.test_schema import FORECAST, JOINT, LINES, TARGET

from foresaid.ledger.entries.json_schema import schema

FILE = ROOT / "docs" / "schemas" / "ledger-line.json"
RESOLUTION = {
    "type": "resolution/v1", "round": "2026q4", "target": "gpqa/next", "value": "0.71", "known_at": "2027-02-03",
    "released_on": "2027-02-01", "snapshot": "a" * 64, "source": "board", "subject": "acme/next",
    "covariates": [{"benchmark": "mmlu", "value": "0.9"}, {"benchmark": "mmlu", "value": "0.8", "sibling": "acme/next-mini"}],
}  # fmt: skip

ABOUT = {"round": "2026q4", "target": "gpqa/next"}
REST = [
    {"type": "challenge/v1", **ABOUT, "known_at": "2026-12-01", "evidence": "a" * 64, "reason": "an archived page"},
    {"type": "void/v1", **ABOUT, "condition": "board_closed", "on": "2027-02-01", "evidence": "a" * 64, "reason": "closed"},
    {
        "type": "redaction/v1",
        "batch": "a" * 64,
        "author": "example.org/alice",
        "forecasts": ["2026q4/gpqa/next/m"],
        "reason": "law",
    },
    {"type": "key/v1", "vkey": f"example.org/log+0123abcd+{'A' * 44}", "status": "added", "reason": "a new machine"},
]


@pytest.mark.parametrize("line", [*LINES, RESOLUTION, *REST], ids=lambda line: line["type"])
def test_another_validator_takes_every_line_and_refuses_what_is_too_much_or_too_little(line: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))

    assert validator.is_valid(line)
    assert not validator.is_valid({**line, "extra": 1})
    assert not any(
        validator.is_valid({other: line[other] for other in line if other != name}) for name in line if name != "subject"
    )


@pytest.mark.parametrize(
    "line",
    [
        {**TARGET, "rule": {"kind": "guess"}},
        {**TARGET, "min": 0},
        {**TARGET, "void_if": "never"},
        {**FORECAST, "prediction": {"kind": "quantiles", "levels": ["0.5"]}},
        {**JOINT, "prediction": {**JOINT["prediction"], "training": None}},
        {**RESOLUTION, "released_on": "soon"},
    ],
)
def test_it_refuses_what_the_records_refuse(line: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(schema()).is_valid(line)
