"""Fits that were made before are not made again: each is kept under the digest of everything it depends on.

Adding one benchmark then costs one fit, not forty. The digest covers the rows, the law with the settings this target may see,
seed, replicates, engine, libraries and the text of the law and of all it runs on, so an entry cannot be out of date, only unused.
An entry carries its own digest; one that is torn, altered or of another kind is made anew. The folder is no output of the
pipeline: DVC removes outputs before a run, and what is only faster with it than without it is nothing to share or to check.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from foresaid import parallel
from foresaid.arrays import Array
from foresaid.files import write_bytes
from foresaid.fitting import least_squares
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.dependencies import reached
from foresaid.fitting.fit import Fit, Profile, fit
from foresaid.fitting.imputation import Imputation
from foresaid.fitting.law import Law

LIBRARIES = ("numpy", "numba", "llvmlite")


@dataclasses.dataclass(frozen=True)
class Shard:
    """One fit to be made."""

    law: Law
    table: TrainingTable
    seed: int
    replicates: int


@cache
def _program(law: str) -> str:
    """Digest of the text that fits a law of this module: the law's own file, the fit, all they import, and the libraries."""
    package = Path(__file__).parents[1]
    own = sys.modules[law].__file__  # a law need not stand in the package
    files = [Path(own)] if own else []
    digest = hashlib.sha256()
    for path in sorted(reached(package, [package / "fitting" / "fit.py", *files])):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in LIBRARIES:
        try:
            digest.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"{name} absent\n".encode())
    return digest.hexdigest()


def key(shard: Shard) -> str:
    """Return the digest of all a fit depends on.

    Of a setting that maps quantities to entries only the target's own counts: a law may look at no other while it fits it.
    """
    law, table = shard.law, shard.table
    own = {}
    for item in dataclasses.fields(law):  # type: ignore[arg-type]  # laws are dataclasses
        value = getattr(law, item.name)
        own[item.name] = value.get(table.target.quantity_id) if isinstance(value, dict) else value
    days = [day.toordinal() if day else 0 for day in (*table.released_on, *table.known_on)]
    rows = (table.subjects, table.clusters, days, table.excluded_rows, table.x.shape)
    said = repr((law.name, law.version, own, table.target, rows, shard.seed, shard.replicates))
    values = np.ascontiguousarray(table.x).tobytes() + np.ascontiguousarray(table.y).tobytes()
    settings = repr(sorted(parallel.settings().items()))
    return hashlib.sha256("\0".join((_program(type(law).__module__), settings, said)).encode() + values).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, np.ndarray):
        return [list(value.shape), np.ascontiguousarray(value, dtype=float).tobytes()]
    return value


def _array(value: Any) -> Array:
    shape, content = value
    return np.frombuffer(content).reshape(shape).copy()


def _path(folder: Path, name: str) -> Path:
    return folder / name[:2] / name


def save(folder: Path, name: str, made: Fit) -> None:
    """Keep a fit under its key; the rows are the caller's and are not kept."""
    parts = {item.name: getattr(made, item.name) for item in dataclasses.fields(made) if item.name != "table"}
    for part in ("imputation", "profile"):
        if parts[part] is not None:
            parts[part] = {item.name: _plain(getattr(parts[part], item.name)) for item in dataclasses.fields(parts[part])}
    content = msgspec.msgpack.encode({name: _plain(value) for name, value in parts.items()})
    write_bytes(_path(folder, name), hashlib.sha256(name.encode() + content).digest() + content, durable=False)


def load(folder: Path, name: str, table: TrainingTable) -> Fit | None:
    """Return the fit kept under this key, or None where there is none that is whole."""
    try:
        whole = _path(folder, name).read_bytes()
    except OSError:
        return None
    if hashlib.sha256(name.encode() + whole[32:]).digest() != whole[:32]:
        return None
    parts = msgspec.msgpack.decode(whole[32:])
    if parts["imputation"] is not None:
        rule = parts["imputation"]
        arrays = {part: _array(rule[part]) for part in ("centre", "spread", "mean", "loading")}
        parts["imputation"] = Imputation(**arrays, lower=rule["lower"], upper=rule["upper"])
    if parts["profile"] is not None:
        curve = parts["profile"]
        shown = {part: _array(curve[part]) for part in ("values", "rms", "forecast")}
        parts["profile"] = Profile(curve["parameter"], **shown, admissible=_array(curve["admissible"]).astype(bool))
    point, draws, names = _array(parts.pop("point")), _array(parts.pop("draws")), tuple(parts.pop("parameters"))
    return Fit(table=table, point=point, draws=draws, parameters=names, **parts)


def _fit(shard: Shard) -> Fit:
    return fit(shard.law, shard.table, shard.seed, shard.replicates)


def fit_all(shards: Sequence[Shard], folder: Path | None = None, size: int = 1) -> list[Fit]:
    """Make every fit, `size` of them to a job, in the order given; with a folder, those kept there are only read.

    There, a fit that is asked for twice, as where nothing was released between two origins, is made once.
    """
    names = [key(shard) if folder else str(i) for i, shard in enumerate(shards)]
    made = {name: load(folder, name, _sorted(shard.table)) if folder else None for name, shard in zip(names, shards, strict=True)}
    missing = {name: shard for name, shard in zip(names, shards, strict=True) if made[name] is None}
    least_squares.ready([shard.law.kernel for shard in missing.values()])
    for name, new in zip(missing, parallel.each(_fit, list(missing.values()), size, "fits"), strict=True):
        made[name] = new
        if folder:
            save(folder, name, new)
    found = [made[name] for name in names]
    return [one for one in found if one is not None]


def _sorted(table: TrainingTable) -> TrainingTable:
    if all(one <= other for one, other in pairwise(table.subjects)):
        return table
    return table.take(np.argsort(np.array(table.subjects), kind="stable"))
