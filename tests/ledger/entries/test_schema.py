from typing import Any

import pytest

from foresaid import canonical_json
from foresaid.canonical_json import dump_line
from foresaid.errors import LedgerError
from foresaid.ledger.entries.schema import CurvePrediction, ForecastEntry, Header, Quantiles, RoundEntry, TargetEntry, encode, parse

HEADER: dict[str, Any] = {
    "type": "batch/v1",
    "origin": "example.org/lm-forecasts",
    "author": "example.org/alice",
    "parents": ["a" * 64, "b" * 64],
    "as_of": "2026-11-20",
    "frozen_at": "2026-11-21T02:00:00Z",
    "data": [{"name": "scores", "sha256": "c" * 64, "bytes": 10, "rows": 2, "max_observed_on": "2026-11-18"}],
    "code": {"git": "3f" * 20, "dirty": False, "version": "0.1.0"},
    "n": 3,
}
ROUND: dict[str, Any] = {
    "type": "round/v1",
    "id": "2026q4",
    "deadline": "2026-12-01T00:00:00Z",
    "reveal_by": "2027-06-01T00:00:00Z",
    "revision": "last-before-deadline",
    "score": "wis",
    "reports": "all",
    "unit_of_count": "target",
    "universe": "every target/v1 line with round 2026q4",
}
TARGET: dict[str, Any] = {
    "type": "target/v1",
    "id": "gpqa/model-x",
    "round": "2026q4",
    "rule": {"kind": "named", "model": "model-x", "display": "Modèle X"},
    "benchmark": "gpqa",
    "protocol": "p",
    "unit": "fraction",
    "direction": "higher",
    "min": "0",
    "max": "1",
    "chance": None,
    "ceiling": None,
    "resolution": None,
    "resolver": "board",
    "fallbacks": [],
    "system": "default",
    "nearest_effort": False,
    "opens": "2026-11-21",
    "closes": "2027-06-01",
    "publish_within": 30,
    "void_if": [],
    "known": "0" * 64,
    "levels": ["0.5"],
    "same_items": [],
    "stated": [],
}
QUANTILES: dict[str, Any] = {
    "kind": "quantiles",
    "levels": ["0.05", "0.5", "0.95"],
    "values": ["0.380", "0.44", "0.44"],
}
FORECAST: dict[str, Any] = {
    "type": "forecast/v1",
    "id": "2026q4/gpqa/model-x/obs-v3",
    "target": "gpqa/model-x",
    "method": "obs-v3",
    "primary": True,
    "prediction": QUANTILES,
}
JOINT: dict[str, Any] = {
    **FORECAST,
    "prediction": {
        "kind": "joint",
        "days": ["2027-01-01"],
        "benchmarks": ["gpqa", "mmlu"],
        "chance": ["0.25", "0.25"],
        "ceiling": ["1", "0.9"],
        "items": ["198", None],
        "siblings": [],
        "mean": [["0.5", "0.8"]],
        "covariance": [["0.04", "0.02", "0.09"]],
        "noise_variance": ["0.001", "0.002"],
        "factor": "1.1",
        "training": {"as_of": "2026-11-20", "max_known_on": "2026-11-18", "rows": 10, "bytes": 100, "sha256": "a" * 64},
    },
}
SIBLING = {"line": "gpt", "tier": "pro", "system": "effort=low", "benchmark": "gpqa"}
BESIDE = {"siblings": [SIBLING], "mean": [["0.5", "0.8", "0.4"]], "covariance": [["0.04", "0.02", "0.09", "0.03", "0.02", "0.05"]]}
SEALED: dict[str, Any] = {
    "type": "sealed/v1",
    "id": "2026q4/gpqa/model-x/obs-v3",
    "target": "gpqa/model-x",
    "commit": "d" * 64,
    "reveal_by": "2027-06-01T00:00:00Z",
}
AMENDMENT: dict[str, Any] = {
    "type": "amendment/v1",
    "amends": "2026q4/gpqa/model-x/obs-v3",
    "reason": "a wrong unit",
    "prediction": QUANTILES,
}
WITHDRAWAL: dict[str, Any] = {
    "type": "withdrawal/v1",
    "withdraws": "2026q4/gpqa/model-x/obs-v3",
    "reason": "a wrong unit",
}
LINES = [
    HEADER,
    ROUND,
    TARGET,
    FORECAST,
    JOINT,
    {**JOINT, "prediction": {**JOINT["prediction"], **BESIDE}},
    SEALED,
    AMENDMENT,
    WITHDRAWAL,
]
BINDING = "every model released after the freeze whose covariates are published by obsscaling"


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in names}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["type"])
def test_a_line_reads_into_a_record_and_back(line: dict[str, Any]) -> None:
    assert dump_line(line) == encode(parse(line))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["type"])
def test_a_field_too_many_or_too_few_or_of_another_type_is_refused(line: dict[str, Any]) -> None:
    bad = [{**line, "extra": "x"}]
    bad += [without(line, name) for name in line if name not in ("type", "model_display")]
    others: list[Any] = [{}, 1.5, None, "", "a\n"]
    nullable = ("chance", "ceiling", "resolution") if line["type"] == "target/v1" else ()
    bad += [{**line, name: other} for name in line for other in others if other is not None or name not in nullable]
    for value in bad:
        with pytest.raises(LedgerError, match=r"^line 9: "):
            parse(value, 9)


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "curve", "binds": "model"},
        {"kind": "next_release", "lines": [{"maker": "acme", "line": "next", "tier": "pro"}], "ordinal": 1},
        {"kind": "record_by", "by": "2027-05-01", "scope": "any", "top": 3, "record": "0.4"},
    ],
)
def test_every_kind_of_rule_is_written_and_read_back(rule: dict[str, Any]) -> None:
    target = parse({**TARGET, "rule": rule})

    assert isinstance(target, TargetEntry)
    assert target.model is None
    assert parse(canonical_json.parse_line(encode(target)[:-1])) == target


def test_the_round_of_a_forecast_may_be_repeated_but_not_contradicted() -> None:
    record = parse({**FORECAST, "round": "2026q4"})

    assert isinstance(record, ForecastEntry)
    assert record.round == "2026q4"
    with pytest.raises(LedgerError, match="begins with 2026q4"):
        parse({**FORECAST, "round": "2026q3"})


@pytest.mark.parametrize(
    ("line", "change", "reason"),
    [
        (HEADER, {"parents": ["b" * 64, "a" * 64]}, "sorted"),
        (HEADER, {"parents": ["a" * 64, "a" * 64]}, "sorted"),
        (HEADER, {"as_of": "2026-02-30"}, "a day of the calendar"),
        (HEADER, {"frozen_at": "2026-11-21T24:00:00Z"}, "a time of the calendar"),
        (HEADER, {"frozen_at": "2026-11-21T02:00:00+00:00"}, "frozen_at"),
        (HEADER, {"data": HEADER["data"] * 2}, "same name"),
        (HEADER, {"n": -1}, "n`"),
        (HEADER, {"author": "Alice"}, "author"),
        (HEADER, {"origin": "x" * 129}, "origin"),
        (ROUND, {"id": "2026/q4"}, "id"),
        (ROUND, {"id": "-2026"}, "id"),
        (ROUND, {"revision": "whenever"}, "revision"),
        (ROUND, {"reveal_by": "2026-11-30T00:00:00Z"}, "before the deadline"),
        (TARGET, {"id": "GPQA/model-x"}, "id"),
        (TARGET, {"id": "gpqa/m\u043edel-x"}, "id"),
        (TARGET, {"min": "1"}, "not below"),
        (TARGET, {"max": "1e3"}, "max"),
        (TARGET, {"max": 1}, "max"),
        (TARGET, {"rule": {**TARGET["rule"], "display": "Model\u202eX"}}, "invisible character U\\+202E"),
        (TARGET, {"rule": {**TARGET["rule"], "display": "Mode\u0300le"}}, "normal form C"),
        (TARGET, {"protocol": "two\nlines"}, "invisible character U\\+000A"),
        (TARGET, {"same_items": ["gpqa"]}, "holds gpqa itself"),
        (TARGET, {"same_items": ["a"], "stated": ["b"]}, "lacks one that is stated"),
        (TARGET, {"rule": {"kind": "next_release", "lines": [], "ordinal": 1}}, "name one line or more"),
        (JOINT, {"prediction": {**JOINT["prediction"], "mean": [["0.1"]]}}, "2 numbers a day"),
        (JOINT, {"prediction": {**JOINT["prediction"], "covariance": [["1", "0", "1", "0"]]}}, "lower triangle"),
        (JOINT, {"prediction": {**JOINT["prediction"], "days": ["2027-02-01", "2027-01-01"]}}, "ascend"),
        (JOINT, {"prediction": {**JOINT["prediction"], "factor": "0"}}, "above 0"),
        (JOINT, {"prediction": {**JOINT["prediction"], "ceiling": ["0.2", "1"]}}, "`ceiling` must be above `chance`"),
        (JOINT, {"prediction": {**JOINT["prediction"], "ceiling": ["1", "1.1"]}}, "at most 1"),
        (JOINT, {"prediction": {**JOINT["prediction"], "siblings": [SIBLING]}}, "3 numbers a day"),
        (
            JOINT,
            {"prediction": {**JOINT["prediction"], **BESIDE, "siblings": [{**SIBLING, "benchmark": "arc"}]}},
            "some of the benchmarks",
        ),
        (TARGET, {"rule": {"kind": "record_by", "by": "2027-06-02", "scope": "any", "top": 1, "record": None}}, "by `closes`"),
        (TARGET, {"opens": "2027-06-01"}, "not before `closes`"),
        (TARGET, {"fallbacks": ["board"]}, "names a resolver twice"),
        (TARGET, {"void_if": [{"condition": "we_did_badly", "on": None}]}, "we_did_badly"),
        (TARGET, {"levels": ["0.9", "0.5"]}, "ascend"),
        (FORECAST, {"id": "2026q4/gpqa/model-y/obs-v3"}, "expected 2026q4/gpqa/model-x/obs-v3"),
        (FORECAST, {"method": "obs-v4"}, "expected 2026q4/gpqa/model-x/obs-v4"),
        (FORECAST, {"method": "obs.v3"}, "method"),
        (FORECAST, {"primary": 1}, "primary"),
        (FORECAST, {"prediction": {**QUANTILES, "kind": "guess"}}, "guess"),
        (SEALED, {"target": "gpqa/model"}, "expected 2026q4/gpqa/model/obs-v3"),
        (SEALED, {"commit": "D" * 64}, "commit"),
    ],
)
def test_a_line_that_contradicts_itself_is_refused(line: dict[str, Any], change: dict[str, Any], reason: str) -> None:
    with pytest.raises(LedgerError, match=rf"^line 2: {line['type']}: .*{reason}"):
        parse({**line, **change}, 2)


@pytest.mark.parametrize(
    ("levels", "values"),
    [
        ([], []),
        (["0"], ["0.5"]),
        (["1"], ["0.5"]),
        (["0.5", "0.5"], ["0.1", "0.2"]),
        (["0.6", "0.5"], ["0.1", "0.2"]),
        (["0.5", "0.6"], ["0.2", "0.1"]),
        (["0.5", "0.6"], ["0.2"]),
        (["0.5"], ["0,2"]),
        (["0.5"], [0.2]),
        (["0.5"], ["NaN"]),
    ],
)
def test_quantiles_that_are_no_distribution_are_refused(levels: list[str], values: list[Any]) -> None:
    with pytest.raises(LedgerError, match="forecast/v1"):
        parse({**FORECAST, "prediction": {"kind": "quantiles", "levels": levels, "values": values}})


def test_a_curve_is_opaque_unless_the_caller_can_read_it() -> None:
    line = {**FORECAST, "prediction": {"kind": "curve", "curve": {"law": "sigmoid", "draws": [["0.1", "2"]]}}}
    seen: list[dict[str, Any]] = []

    def refuse(curve: dict[str, Any]) -> None:
        raise KeyError("probe")

    record = parse(line, 1, seen.append)

    assert isinstance(record, ForecastEntry)
    assert CurvePrediction(curve={"law": "sigmoid", "draws": [["0.1", "2"]]}) == record.prediction
    assert seen == [{"law": "sigmoid", "draws": [["0.1", "2"]]}]
    with pytest.raises(LedgerError, match="line 3: forecast/v1: curve: 'probe'"):
        parse(line, 3, refuse)


@pytest.mark.parametrize("name", ["bet/v1", "batch/v2", "", 1, None, [], {}])
def test_an_unknown_type_is_refused_by_name(name: object) -> None:
    with pytest.raises(LedgerError, match=r"^line 4: (unknown|no) entry type.*knows batch/v1"):
        parse({**ROUND, "type": name}, 4)


def test_what_could_not_be_read_is_not_written() -> None:
    record = parse(ROUND)
    assert isinstance(record, RoundEntry)
    bad = ForecastEntry(id="R/t/m", target="t", method="m", primary=True, prediction=Quantiles(levels=["0.5"], values=["1"]))

    with pytest.raises(LedgerError, match=r"line 1: forecast/v1: .*id"):
        encode(bad)


def test_a_clone_less_program_has_no_commit() -> None:
    header = parse({**HEADER, "code": {"git": None, "dirty": True, "version": "0.1.0", "params": "e" * 64}})

    assert isinstance(header, Header)
    assert header.code.git is None
