"""Goal 27: what the light install weighs beside the whole one and beside a notebook's libraries.

Sizes are those of the files that each distribution of this environment lists as its own, without bytecode, summed over the
distributions that a lock file names (or that a set of libraries asks for, with all that those ask for). To repeat from nothing:
`pip install --target FOLDER --no-deps -r requirements-light.lock` and `du`.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from benchmarks.measure import Finding, MissingError, verdict

ROOT = Path(__file__).parents[1]
NOTEBOOK = ("pandas", "scipy", "scikit-learn", "statsmodels", "matplotlib", "seaborn")


def named(lock: Path) -> list[str]:
    """The distributions a lock file pins, those of other systems among them."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)


def with_needs(names: tuple[str, ...]) -> list[str]:
    """These distributions and all that they ask for without extras, as far as they are installed."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            if name in names:
                raise MissingError(f"{name} is not installed") from None
            continue
        if name not in found:
            found[name] = None
            plain = [re.split(r"[^A-Za-z0-9._-]", need)[0].lower() for need in needs if "extra ==" not in need]
            waiting.extend(need for need in plain if need not in found)
    return list(found)


def weight(names: list[str]) -> tuple[int, float]:
    """Number of the distributions that are here, and megabytes of their files without bytecode."""
    count, total = 0, 0
    for name in names:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        count += 1
        places = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
        total += sum(place.stat().st_size for place in places if place.is_file())
    return count, total / 1e6


def goal_27(quick: bool) -> Finding:
    """What has to be installed to read the record, verify the ledger and score forecasts."""
    del quick
    light, whole = (weight(named(ROOT / name)) for name in ("requirements-light.lock", "requirements.lock"))
    try:
        count, size = weight(with_needs(NOTEBOOK))
        peer = f"{', '.join(NOTEBOOK)} and what they ask for: {count} libraries, {size:,.0f} MB, without a notebook's server"
    except MissingError as reason:
        size, peer = float("nan"), f"not weighed: {reason}"
    return Finding(
        27,
        "install to read, verify and score",
        "<= 400 MB, less than half of the whole",
        "",
        f"{light[0]} libraries, {light[1]:,.0f} MB; the whole {whole[0]} libraries, {whole[1]:,.0f} MB",
        verdict(True, light[1] <= 400 and light[1] < 0.5 * whole[1], None),
        "files as installed, without bytecode",
        peer,
        {"light": light, "whole": whole, "peer": size},
    )
