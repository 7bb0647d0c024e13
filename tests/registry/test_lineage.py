"""Lines, tiers and releases: the rule proposes, models.csv decides, and no release known to exist is missing."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest
from tests.worlds.upstream import REGISTRY

from foresaid.registry import csv_files, formats
from foresaid.registry import load as ingest
from foresaid.registry.formats import ModelRow
from foresaid.registry.lineage import propose, release, unconfirmed
from foresaid.registry.model_names import Names

# Where what stands in models.csv is not what the rule proposes: a person decided, for the reason given.
DECIDED = {
    "alibaba: a preview, a later build or a hosted size of one launch": {
        "qwen/qwen3-max-preview",
        "qwen/qwen3-max-2025-09-23",
        "qwen/qwen3-next-80b-a3b-instruct",
        "qwen/qwen3-coder-480b-a35b-instruct",
    },
    "not of the line its family names": {"qwen/tongyi-deepresearch"},
    "a faster way to serve a model is that model's launch": {
        "minimaxai/minimax-m2.5-highspeed",
        "xiaomi/mimo-v2.5-pro-ultraspeed",
        "zai-org/glm-4.7-flashx",
        "zai-org/glm-5.3-flashx",
    },
    "a limited preview or a web app belongs to the launch": {"openai/gpt-5.6-limited-preview", "xai/grok-4-heavy-web-app"},
    "one launch over two days": {"openai/gpt-5.1-codex", "openai/gpt-5.1-codex-mini", "zai-org/glm-4.5-air"},
    "one maker under two spellings": {
        "google/gemini-2.5-deep-think-2025-08-01-webapp",
        "meituan-inc/longcat-flash-chat-2602-experimental",
    },
}


def models() -> list[ModelRow]:
    return csv_files.read(REGISTRY / "models.csv", "models.csv", formats.MODELS).items


def test_what_stands_in_the_record_is_the_rule_or_a_decision_listed_here() -> None:
    other = {
        row.model_id
        for row in models()
        if (row.line, row.tier) != propose(row.model_id, row.family)
        or row.release != release(row.organisation, row.line, row.released_on, row.released_precision)
    }

    assert other == set().union(*DECIDED.values())


def test_every_model_has_a_line_and_a_tier_and_every_dated_one_a_release() -> None:
    assert [row.model_id for row in models() if not (row.line and row.tier)] == []
    assert [row.model_id for row in models() if row.released_on and not row.release] == []
    assert [row.model_id for row in models() if not row.released_on and row.release] == []


def test_models_since_june_2025_are_confirmed_and_older_ones_say_they_are_a_rule() -> None:
    proposed = set(unconfirmed((row.model_id, row.line_source) for row in models()))

    assert [row.model_id for row in models() if row.released_on and row.released_on.year == 2026 and row.model_id in proposed] == []
    assert "openai/gpt-4-0613" in proposed


@pytest.mark.parametrize(
    ("model", "line", "tier"),
    [
        ("anthropic/claude-3-5-haiku-20241022", "claude", "haiku"),
        ("openai/gpt-5.1-codex-max", "gpt", "codex-max"),
        ("openai/o3-mini-2025-01-31", "openai-o", "mini"),
        ("openai/gpt-oss-120b", "gpt-oss", "120b"),
        ("google/gemini-3.1-flash-lite-preview", "gemini", "flash-lite"),
        ("google/gemma-4-26b-a4b", "gemma", "26b-a4b"),
        ("nvidia/llama-3.3-nemotron-49b-super-v1", "nemotron", "super"),
        ("xai/grok-4.20", "grok", "plain"),
        ("qwen/qwen3-vl-235b-a22b-thinking", "qwen-vl", "235b-a22b"),
        ("mistralai/mixtral-8x22b-instruct-v0.1", "mixtral", "8x22b"),
    ],
)
def test_a_line_goes_on_from_version_to_version(model: str, line: str, tier: str) -> None:
    assert propose(model, "") == (line, tier)


def test_sizes_and_tiers_of_one_day_are_one_release() -> None:
    by = {row.model_id: row.release for row in models()}

    assert len({by[f"openai/gpt-5{name}-2025-08-07"] for name in ("", "-mini", "-nano")}) == 1
    assert by["openai/gpt-5.4"] == by["openai/gpt-5.4-pro"] != by["openai/gpt-5.4-mini"]
    assert by["anthropic/claude-opus-4-20250514"] == by["anthropic/claude-sonnet-4-20250514"]


def test_every_release_known_to_exist_is_in_the_record_by_id_or_name_with_a_day(mirror: Path) -> None:
    catalogue, problems = ingest.read_catalogue(REGISTRY)
    names = Names("*", catalogue.known.models, catalogue.aliases)
    missing: dict[str, list[str]] = defaultdict(list)
    with (mirror / "RELEASES.csv").open(encoding="utf-8", newline="") as stream:
        listed = list(csv.DictReader(stream))
    for row in listed:
        found = [name for key in ("id", "name") if isinstance(name := names.resolve(row[key], ("RELEASES.csv", None)), str)]
        if row["id"] == "reka-edge":  # the name of 2024 is taken by the model of 2024
            found = ["reka/reka-edge-2603"]
        if not found:
            missing["unknown"].append(row["id"])
            continue
        day = catalogue.known.models[found[0]].released_on
        if day is None:
            missing["undated"].append(row["id"])
        elif re.fullmatch(r"\d{4}-\d\d-\d\d", row["released_on"]) and str(day) > row["released_on"] and "week" not in row["note"]:
            missing["later than listed"].append(row["id"])

    assert problems == []
    assert len(listed) == 175
    assert dict(missing) == {"later than listed": ["qwen3-coder-next"]}  # one day, from the table it was first read from
