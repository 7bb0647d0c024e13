"""A name finds its model or is refused with the reason for each suggestion; nothing is matched by likeness."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foresaid.confusables import LOOK_ALIKES, ascii_twin, masked
from foresaid.errors import BadCell
from foresaid.registry.formats import AliasRow
from foresaid.registry.model_names import Names, Suggestions, alike, tidy

MODELS = ["acme/tiny-7b", "acme/tiny-70b", "openai/gpt-5.2"]
ALIASES = [AliasRow("Tiny 7B", "*", "model", "acme/tiny-7b"), AliasRow("Tiny 7B", "other", "model", "acme/tiny-70b")]


def names(source: str = "board") -> Names:
    return Names(source, MODELS, ALIASES)


@pytest.mark.parametrize(
    ("spelling", "source", "model"),
    [
        ("Acme/Tiny-7B", "board", "acme/tiny-7b"),
        ("Tiny 7B", "board", "acme/tiny-7b"),
        ("Tiny 7B", "other", "acme/tiny-70b"),
        (" Tiny\u00a0 7B ", "board", "acme/tiny-7b"),
        ("acme/tiny_7b", "board", "acme/tiny-7b"),
        ("tiny-7b", "board", "acme/tiny-7b"),
        ("GPT-5.2", "board", "openai/gpt-5.2"),
    ],
)
def test_case_blanks_and_aliases_resolve_and_an_alias_of_the_source_comes_first(spelling: str, source: str, model: str) -> None:
    assert model == names(source).resolve(spelling, ("scores.csv", 2))


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("gpt-52", "did you mean openai/gpt-5.2? (the nearest spelling is openai/gpt-5.2)"),
        ("gpt-5.2_high", "did you mean openai/gpt-5.2? (the same model at effort high: a setting, not another model)"),
        ("openai/GPT-5.2 (medium)", "did you mean openai/gpt-5.2? (the same model at effort medium: a setting, not another model)"),
        ("acme/tiny-7b-fp8", "did you mean acme/tiny-7b? (the same weights in fp8: a setting, not another model)"),
        ("openai/gpt-5.2-2025-12-11", "did you mean openai/gpt-5.2? (the same name without the date 2025-12-11)"),
        ("acme/tiny-7b-hf", "did you mean acme/tiny-7b? (the same name without -hf)"),
        ("other/tiny-70b", "did you mean acme/tiny-70b? (the same without the organisation)"),
        ("acme/tony-7b", "did you mean acme/tiny-7b? (the nearest spelling is acme/tiny-7b)"),
        (
            "\u0430cme/tiny-7b",
            "did you mean acme/tiny-7b? (it only looks the same: U+0430 CYRILLIC SMALL LETTER A at character 1)",
        ),
        ("\uff21cme/tiny-7b", "it only looks the same: U+FF21 FULLWIDTH LATIN CAPITAL LETTER A at character 1"),
        ("acme/tiny\u200b-7b", "it only looks the same: U+200B ZERO WIDTH SPACE at character 10"),
        ("zzzz", "add it to one of them"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion_and_its_reason(spelling: str, reason: str) -> None:
    problem = names().resolve(spelling, ("scores.csv", 2))

    assert isinstance(problem, BadCell)
    assert reason in problem.advice
    assert str(problem).isascii()


@given(st.text(max_size=30))
def test_whatever_the_name_it_resolves_to_a_known_model_or_is_one_printable_line(name: str) -> None:
    found = names().resolve(name, ("scores.csv", 2))

    assert found in MODELS if isinstance(found, str) else "\n" not in str(found)


def test_every_look_alike_is_another_letter_than_what_it_looks_like() -> None:
    for foreign, latin in LOOK_ALIKES.items():
        assert not foreign.isascii(), unicodedata.name(foreign)
        assert latin == ascii_twin(foreign), unicodedata.name(foreign)


@pytest.mark.parametrize(
    ("name", "hidden"), [("llam\u0430", True), ("GPT\u200b-4", True), ("文心一言", False), ("Yi-34B", False), ("СОТА", True)]
)
def test_a_name_that_mixes_alphabets_is_masked_and_one_of_another_alphabet_is_not(name: str, hidden: bool) -> None:
    assert hidden == masked(name)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("facebook/opt-1.3b", "facebook/opt-13b"),
        ("gpt2", "gpt2-medium"),
        ("yi-6b", "yi-6b-200k"),
        ("acme/tiny-7b", "acme/tiny-70b"),
    ],
)
def test_sizes_and_context_lengths_are_no_twins(one: str, two: str) -> None:
    assert alike([one, two]) == []


def test_the_suggestion_for_a_name_does_not_depend_on_what_was_asked_before() -> None:
    spellings = {name: name for name in MODELS}
    first = Suggestions(spellings)
    first.of("acme/tony-7b")

    assert Suggestions(spellings).of("gpt-5.2_low") == first.of("gpt-5.2_low")


def test_blanks_of_every_kind_are_one_space() -> None:
    assert tidy("\u2003a\t\u00a0 b\n") == "a b"


def test_a_spelling_that_two_models_share_resolves_to_neither() -> None:
    shared = Names("board", ["acme/tiny-7b", "other/tiny-7b"], [])

    assert shared.resolve("acme-tiny 7B", ("scores.csv", 2)) == "acme/tiny-7b"
    assert isinstance(shared.resolve("Tiny 7B", ("scores.csv", 2)), BadCell)


def test_the_spellings_of_the_sources_it_is_spelt_like_hold_the_nearest_first() -> None:
    aliases = [*ALIASES, AliasRow("T7", "hub", "model", "acme/tiny-7b"), AliasRow("T7", "hub-external", "model", "acme/tiny-70b")]

    assert Names(("hub-external", "hub"), MODELS, aliases).resolve("T7", ("a", 1)) == "acme/tiny-70b"
    assert Names(("third", "hub"), MODELS, aliases).resolve("T7", ("a", 1)) == "acme/tiny-7b"
