"""One model, one id: how an upstream spelling finds its model, and what to offer when it finds none.

A name is never matched by likeness alone: an alias of this source, an alias of any source, the id itself in lower case, or the
one spelling that differs in case and punctuation only resolve it, after blanks are tidied. Everything farther, and a spelling that
two models share, is a suggestion with its reason, for a person to decide. An effort, a precision or a scaffold in a name is
pointed out as a setting, so that it does not become another model.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from foresaid.confusables import ascii_twin, stranger
from foresaid.errors import BadCell
from foresaid.registry.formats import AliasRow

EFFORT = re.compile(
    r"([-_ (:/]+((?:x-?|extra-)?high|low|minimal|no[-_ ]?thinking|(?:non[-_ ]?)?thinking|(?:non[-_ ]?)?reasoning|\d+k[-_ ]thinking"
    r"|thinking[-_ ]\d+k)|[_(]+(medium|med|max|none|\d+k))\)?$"  # "-medium" is a size and "-16k" a context as often as an effort
)
PRECISION = re.compile(r"[-_ .(]+(fp8|fp16|fp32|bf16|bfloat16|float16|int8|int4|8bit|4bit|awq|gptq|gguf|q\d(_\w+)?|nf4)\)?$")
DATED = re.compile(r"[-_@ ](20\d\d-?\d\d-?\d\d|\d{4})$")
ORNAMENT = re.compile(r"[-_ ](hf|base|pt|latest|preview|beta|exp|v\d+(\.\d+)?)$")
LOOKED_UP = 50  # unknown names for which the quadratic search for the nearest spelling is made


@dataclass(frozen=True)
class Suggestion:
    """A model that an unknown name may mean, and why."""

    model_id: str
    reason: str


def tidy(name: str) -> str:
    """Trim a name and turn each run of blanks of any kind into one space: the only change made without asking.

    >>> tidy("  Acme\\u00a0 Tiny ")
    'Acme Tiny'
    """
    return " ".join(name.split())


def squashed(name: str) -> str:
    """Letters and digits alone, in lower case, with the point of a decimal: names that agree differ in punctuation only.

    >>> squashed("GPT-4 o") == squashed("gpt4o"), squashed("opt-1.3b") == squashed("opt-13b")
    (True, False)
    """
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[^\w.]|_", "", name.lower())


def setting_of(name: str) -> str:
    """The effort or precision that a name ends with, or nothing.

    >>> setting_of("gpt-5.2-2025-12-11_high"), setting_of("Llama-3.1-405B-FP8"), setting_of("gpt-4o")
    ('effort high', 'precision fp8', '')
    """
    low = name.lower()
    if found := EFFORT.search(low):
        return f"effort {found[2] or found[3]}"
    if found := PRECISION.search(low):
        return f"precision {found[1]}"
    return ""


def _without(name: str) -> Iterator[tuple[str, str]]:
    """Shorter forms of a name with what was taken off."""
    low = name.lower()
    last = low.rsplit("/", 1)[-1]
    if last != low:
        yield last, "the same without the organisation"
    for base in dict.fromkeys((low, last)):
        if found := EFFORT.search(base):
            yield base[: found.start()], f"the same model at effort {found[2] or found[3]}: a setting, not another model"
        if found := PRECISION.search(base):
            yield base[: found.start()], f"the same weights in {found[1]}: a setting, not another model"
        if found := DATED.search(base):
            yield base[: found.start()], f"the same name without the date {found[1]}"
        if found := ORNAMENT.search(base):
            yield base[: found.start()], f"the same name without -{found[1]}"


class Suggestions:
    """Offers models for unknown names; each name is looked up once, the quadratic search for the first few only."""

    def __init__(self, spellings: Mapping[str, str]) -> None:
        self.spellings = {name.lower(): model for name, model in sorted(spellings.items())}
        self.by_squash: dict[str, str] = {}
        for name, model in self.spellings.items():
            for form in (name.rsplit("/", 1)[-1], name):
                self.by_squash[squashed(form)] = model
        self.seen: dict[str, list[Suggestion]] = {}
        self.searched = 0

    def of(self, name: str) -> list[Suggestion]:
        """Up to three models a name may mean, the likeliest first.

        >>> Suggestions({"acme/tiny-7b": "acme/tiny-7b"}).of("Tiny 7B (high)")
        [Suggestion(model_id='acme/tiny-7b', reason='the same model at effort high: a setting, not another model')]
        """
        if name not in self.seen:
            self.seen[name] = list(self._look(tidy(name)))
        return self.seen[name]

    def _look(self, name: str) -> Iterator[Suggestion]:
        found: dict[str, None] = {}

        def fresh(form: str) -> str:
            model = self.spellings.get(form) or self.by_squash.get(squashed(form), "")
            if model in found:
                return ""
            found[model] = None
            return model

        found[""] = None
        twin = ascii_twin(name)
        if twin != name and (model := fresh(twin.lower())):
            yield Suggestion(model, f"it only looks the same: {stranger(name)}")
        if model := fresh(name.lower()):
            yield Suggestion(model, "the same but for case or punctuation")
        for form, reason in _without(twin):
            if model := fresh(form):
                yield Suggestion(model, reason)
        if len(found) == 1 and self.searched < LOOKED_UP:
            self.searched += 1
            for near in difflib.get_close_matches(twin.lower(), list(self.spellings), n=1, cutoff=0.6):
                yield Suggestion(self.spellings[near], f"the nearest spelling is {near}")

    def advice(self, name: str) -> str:
        """The suggestions as a message ends with them, or nothing."""
        return "; or ".join(f"did you mean {item.model_id}? ({item.reason})" for item in self.of(name)[:3])


class Names:
    """Resolves upstream names of models: an alias of this source, an alias of any, the name itself, or its one twin.

    `spelling` are the sources whose aliases hold, the nearest first. A twin is a spelling that differs in case and punctuation
    only (the point of a decimal counts); where two models have it, none is chosen.
    """

    def __init__(self, spelling: str | Sequence[str], models: Iterable[str], aliases: Iterable[AliasRow]) -> None:
        self.models = set(models)
        order = ["*", *reversed([spelling] if isinstance(spelling, str) else list(spelling))]
        rows = [row for row in aliases if row.kind == "model" and row.source_id in order]
        self.aliases: dict[str, str] = {}
        for source in order:
            self.aliases |= {row.alias: row.id for row in rows if row.source_id == source}
        self.suggestions = Suggestions({**{name: name for name in self.models}, **self.aliases})
        self.cache: dict[str, str] = {}
        self.twins: dict[str, set[str]] = {}
        for name, model in (*((name, name) for name in self.models), *self.aliases.items()):
            for form in {name, name.rsplit("/", 1)[-1]}:
                self.twins.setdefault(squashed(form), set()).add(model)

    def resolve(self, name: str, place: tuple[str, int | None]) -> str | BadCell:
        """Return the model's id, or the problem with the nearest matches and their reasons."""
        if name in self.cache:
            return self.cache[name]
        clean = tidy(name)
        model = self.aliases.get(name) or self.aliases.get(clean) or clean.lower()
        if model not in self.models and not stranger(clean):
            twins = self.twins.get(squashed(clean), set()) if squashed(clean) else set()
            model = next(iter(twins)) if len(twins) == 1 else model
        if model in self.models:
            self.cache[name] = model
            return model
        odd = stranger(clean)
        found = f"{ascii(clean)[1:-1][:80]} with {odd}" if odd else clean[:80] or "an empty name"
        expected = "a model of models.csv or aliases.csv"
        return BadCell(*place, "model", found, expected, self.suggestions.advice(name) or "add it to one of them")


def alike(models: Iterable[str]) -> list[tuple[str, str, str]]:
    """Pairs of ids that may be one model, with the reason: for a person to merge or to leave.

    >>> alike(["acme/tiny-7b", "acme/tiny7b", "acme/tiny-7b-fp8", "acme/other"])
    [('acme/tiny-7b', 'acme/tiny-7b-fp8', 'precision fp8'), ('acme/tiny-7b', 'acme/tiny7b', 'the same but for punctuation')]
    """
    names = sorted(set(models))
    pairs: dict[tuple[str, str], str] = {}
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(squashed(name), name)
        if other != name:
            pairs[other, name] = "the same but for punctuation"
    for name in names:
        if setting := setting_of(name):
            word = setting.split(" ", 1)[1]
            base = first.get(squashed(name[: name.lower().rfind(word)]))
            if base and base != name:
                pairs[min(base, name), max(base, name)] = setting
    return [(one, two, reason) for (one, two), reason in sorted(pairs.items())]
