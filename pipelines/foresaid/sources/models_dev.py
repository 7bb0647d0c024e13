"""models.dev: who made a model and when it came out, kept by a community in small TOML files (MIT). It holds no scores we may take.

What it states of models goes to `foresaid models add` and is confirmed there; nothing enters the record by itself. Traps:
- Month only in a few files; a day of a later build or of API access in others: a word against other words, not the record's.
- A preview and its general availability are two entries; serving variants (-highspeed, -latest, ...) are entries too.
- Embedding, safety, speech and image models are in it: only models that write text and nothing else are stated.
- `models.json` is the list of a reseller with terms of its own and is not read; nor are `[[benchmarks]]`, which are others'.
- A provider's file with `base_model` takes what it does not give from `models/BASE.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from foresaid.errors import BadCell, RecordError
from foresaid.sources._reading import Reading, StatedModel
from foresaid.sources._upstream import files, text

DAY = re.compile(r"\d{4}-\d\d(-\d\d)?")
NOT_TEXT, UNDATED = "writes something else than text", "no release date"
SERVED = "another way to serve a model"
SERVING = re.compile(r"-(highspeed|ultraspeed|flashx|customtools|latest|fast)$")


def read(folder: Path) -> Reading:
    """Read every model and every first party's own file."""
    stated: list[StatedModel] = []
    skipped: dict[str, int] = defaultdict(int)
    base = {path[len("models/") : -len(".toml")]: _document(folder, path) for path in files(folder, "models/**/*.toml")}
    served = files(folder, "providers/**/models/**/*.toml")
    for name, tree in base.items():
        _state(name, name.split("/")[0], tree, f"models/{name}.toml", stated, skipped)
    for path in served:
        _, provider, _, *rest = path.split("/")
        tree = _document(folder, path)
        inherited = base.get(str(tree.get("base_model", "")), {})
        name = f"{provider}/{'/'.join(rest)[: -len('.toml')]}"
        _state(name, provider, {**inherited, **tree}, path, stated, skipped)
    return Reading([], [], dict(skipped), {"models": len(base), "providers": len(served)}, stated)


def _document(folder: Path, path: str) -> dict[str, Any]:
    content, file = text(folder, path)
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise RecordError(f"{file}: found {str(error)[:80]}, expected TOML; it may be cut short") from None


def _state(
    name: str, organisation: str, tree: dict[str, Any], file: str, stated: list[StatedModel], skipped: dict[str, int]
) -> None:
    modalities = tree.get("modalities")
    output = modalities.get("output") if isinstance(modalities, dict) else None
    if output is not None and output != ["text"]:
        skipped[NOT_TEXT] += 1
        return
    if SERVING.search(name):
        skipped[SERVED] += 1
        return
    day = str(tree.get("release_date", ""))
    if not day:
        skipped[UNDATED] += 1
        return
    if not DAY.fullmatch(day):
        raise RecordError.collect(
            [BadCell(file, None, "release_date", day[:40], "a day or a month, such as 2026-02-05 or 2026-02")]
        )
    weights = tree.get("open_weights")
    if weights is not None and not isinstance(weights, bool):
        raise RecordError.collect([BadCell(file, None, "open_weights", str(weights)[:40], "true or false")])
    said = {True: "yes", False: "no", None: ""}[weights]
    stated.append(StatedModel(name, day, organisation, str(tree.get("name", "")), file, open_weights=said))
