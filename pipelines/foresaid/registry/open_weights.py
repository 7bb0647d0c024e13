"""Which models have weights that anybody can download: what sources state, where all that speak of a model agree.

A target may ask for the record among models with open weights, so it must be on record which have them; unknown is neither open nor
closed. Nothing is guessed from a maker or a name. A source is asked only if its licence lets the record keep what it says,
and where two of them contradict each other the cell stays empty and both are named, for a person to decide.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from foresaid import files, sources
from foresaid.errors import RecordError, UnreadableError
from foresaid.registry import formats, load, merges, source_card
from foresaid.registry.load import Catalogue
from foresaid.registry.model_names import Names
from foresaid.sources._reading import StatedModel

ASKED = ("epoch-eci", "epoch-models", "models-dev")  # CC-BY-4.0, CC-BY-4.0 and MIT
COLUMN = "open_weights"


def stated(catalogue: Catalogue, told: Mapping[str, Iterable[StatedModel]]) -> dict[str, dict[str, set[str]]]:
    """By model of the record what each source states of its weights: yes, no, or both where it contradicts itself.

    `told` are the models of each source's files; a spelling is resolved as in any download of that source.
    """
    kept = merges.mapping(catalogue.merges)
    found: dict[str, dict[str, set[str]]] = {}
    for source, models in told.items():
        names = Names(source, catalogue.known.models, catalogue.aliases)
        for one in models:
            model = names.resolve(one.subject, ("", None)) if one.open_weights else None
            if isinstance(model, str):
                found.setdefault(kept.get(model, model), {}).setdefault(source, set()).add(one.open_weights)
    return found


def agreed(found: Mapping[str, Mapping[str, set[str]]]) -> dict[str, str]:
    """The models of which every source that speaks of them says the same.

    >>> agreed({"acme/a": {"x": {"yes"}, "y": {"yes"}}, "acme/b": {"x": {"yes"}, "y": {"no"}}})
    {'acme/a': 'yes'}
    """
    words = {model: set().union(*said.values()) for model, said in found.items()}
    return {model: next(iter(said)) for model, said in sorted(words.items()) if len(said) == 1}


def filled(raw: bytes, said: Mapping[str, str]) -> bytes:
    r"""The file of models with empty cells filled; what stands is kept byte for byte.

    >>> head = ",".join(formats.MODELS.header)
    >>> made = filled(f"{head}\nacme/a,A,Acme,,,,,,,,base,\nacme/b,A,Acme,,,,,,,,base,\n".encode(), {"acme/a": "yes"})
    >>> made.decode().splitlines()[1:]
    ['acme/a,A,Acme,,,,,,,,base,,,,,,yes', 'acme/b,A,Acme,,,,,,,,base,']
    """
    head, *lines = raw.decode("utf-8").split("\n")[:-1]
    width, made = len(formats.MODELS.header), [head]
    for line in lines:
        cells = next(csv.reader([line], strict=True))
        value = said.get(cells[0], "")
        lacking = width - len(cells)
        empty = lacking > 0 or not cells[-1]
        made.append(f"{line}{',' * lacking}{value}" if value and empty else line)
    return "".join(f"{line}\n" for line in made).encode()


def read(registry: Path, mirror: Path) -> dict[str, list[StatedModel]]:
    """What every vintage at hand of the sources that are asked states of models."""
    told: dict[str, list[StatedModel]] = {}
    for name in ASKED:
        if name not in source_card.source_names(registry):
            continue
        card = source_card.of(registry, name)
        for vintage in card.vintages:
            folder = mirror / vintage.directory
            if not folder.is_dir():
                raise UnreadableError(f"{folder}: found no such folder, expected the files of {name} of {vintage.known_on}")
            told.setdefault(name, []).extend(sources.read(name, sources.find(name), folder).models)
    return told


def fill(registry: Path, mirror: Path, dry_run: bool = False) -> list[str]:
    """Write what the sources agree on into empty cells, and say what was filled and where they disagree."""
    catalogue, problems = load.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    found = stated(catalogue, read(registry, mirror))
    said = agreed(found)
    stands = {row.model_id: row.open_weights for row in catalogue.models}
    new = {model: word for model, word in said.items() if not stands[model]}
    lines = [
        f"{model}: {', '.join(f'{source} says {chr(32).join(sorted(words))}' for source, words in sorted(found[model].items()))}"
        for model in sorted(found.keys() - said.keys())
    ]
    lines += [
        f"{model}: models.csv says {stands[model]}, the sources {word}"
        for model, word in said.items()
        if stands[model] not in ("", word)
    ]
    if new and not dry_run:
        files.write({registry / "models.csv": filled((registry / "models.csv").read_bytes(), new)})
    done = "would be filled" if dry_run else "filled"
    return [*lines, f"models weights: {len(new)} cells {done}, {len(found) - len(said)} models on which sources disagree"]
