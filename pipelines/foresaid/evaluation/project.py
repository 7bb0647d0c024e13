"""The public face of the package: open a project, see its record as of a day, fit, freeze, and verify a ledger.

It stands in this room because it joins record, laws, forecasts and ledger, which only rooms from here on may do together. It adds
no rule of its own: each function calls the one the stages call, so that a notebook and `dvc repro` cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from foresaid import params as settings_file
from foresaid.errors import ParameterError, UnreadableError
from foresaid.fitting.fit import NO_FORECAST, Fit
from foresaid.fitting.frozen_curve import freeze_curve, from_plain
from foresaid.fitting.law import Law
from foresaid.fitting.summary import describe
from foresaid.forecasting.frozen import FrozenCurve, read_curve
from foresaid.forecasting.recalibration import FitRequest, recalibrated_fits
from foresaid.laws import _loader
from foresaid.ledger.verify import verify as checks
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.params import Params
from foresaid.project import Layout, find, use_own_code
from foresaid.registry import database
from foresaid.registry.view import View


@dataclass(frozen=True)
class LawWithSettings:
    """A law and the entry of params.yaml it was made from, which is frozen with its curves."""

    law: Law
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class TargetFit:
    """The fit of one target. `status` is one of foresaid.fitting.STATUSES, `reason` says it in words.

    `items` is how many questions the quantity counts, where it is a share and that is known.
    """

    of: LawWithSettings
    fit: Fit
    as_of: date
    seed: int
    items: int | None = None

    @property
    def status(self) -> str:
        """How the fit ended: `converged`, `at_bound`, `unidentified`, ..."""
        return self.fit.status

    @property
    def reason(self) -> str:
        """The status in words."""
        return self.fit.reason

    @property
    def parameters(self) -> dict[str, float]:
        """The fitted parameters by name; none where nothing was fitted."""
        return dict(zip(self.fit.parameters, self.fit.point.tolist(), strict=False))

    def summary(self) -> dict[str, Any]:
        """What a page shows of the fit: status, rows, clusters, parameters with 90 % ranges, residual scale."""
        return describe(self.of.law, self.fit)


@dataclass(frozen=True)
class Project:
    """An opened project: where its parts lie and what params.yaml says. Nothing depends on the working directory."""

    layout: Layout
    params: Params

    def as_of(self, day: str | date) -> View:
        """The record as it stood on a day: values first public later are not in it. Needs the stage `database` to have run."""
        opened = database.open_database(self.layout.build / "database")
        try:
            return database.as_of(opened, _day(day))
        finally:
            opened.close()

    def law(self, name: str) -> LawWithSettings:
        """A law with its settings of params.yaml; raises ParameterError for one that is not listed there."""
        if name not in self.params.laws:
            raise ParameterError(f"law {name}: found it not, expected one of params.yaml: {', '.join(self.params.laws)}")
        return load_law(name, self.params.laws[name])

    def curves(self, name: str) -> dict[str, FrozenCurve]:
        """The curves the stage `fit` wrote for a law, by target; raises UnreadableError before it has run."""
        self.law(name)
        path = self.layout.build / "fits" / name / "curves.jsonl"
        if not path.is_file():
            raise UnreadableError(f"{path}: found no file, expected the output of `foresaid fit {name}`; run `dvc repro`")
        made = [read_curve(line) for line in path.read_bytes().splitlines()]
        return {one.record.target_id: one for one in made}


def _day(day: str | date) -> date:
    try:
        return day if isinstance(day, date) else date.fromisoformat(day)
    except ValueError:
        raise ParameterError(f"as of: found {day!r}, expected a day such as 2024-05-31") from None


def open_project(folder: str | Path = ".") -> Project:
    """Open the project that holds a folder: the nearest folder upwards with params.yaml. Writes nothing.

    Raises UnreadableError where there is none, ParameterError where params.yaml cannot be understood.
    """
    here = Path(folder).resolve()
    layout = find(here)
    if layout is None:
        raise UnreadableError(f"{here}: found no params.yaml here or in a folder above, expected a project")
    use_own_code(layout)
    return Project(layout, settings_file.load(layout.params))


def load_law(name: str, settings: Mapping[str, Any]) -> LawWithSettings:
    """Make a law from settings as they stand in params.yaml; unknown names and keys raise ParameterError.

    >>> load_law("chinchilla", {"sources": ["olmo-ladder"]}).law.title
    'Loss in parameters and tokens (Chinchilla)'
    """
    return LawWithSettings(_loader.load(name, dict(settings)), settings)


def fit(law: LawWithSettings, view: View, seed: int, replicates: int, cache: str | Path | None = None) -> dict[str, TargetFit]:
    """Fit a law to every target it finds in a view, intervals recalibrated on its own earlier rows, as the stage `fit` does.

    `seed` is the root of all random streams, `replicates` the bootstrap draws: the same four arguments give the same numbers
    anywhere. `cache` names a folder of kept fits, such as build/cache/fits of a project. What the data did to a fit is in its
    status and never raised.
    """
    if replicates < 1:
        raise ParameterError(f"fit: found {replicates} replicates, expected at least 1")
    tables = law.law.tables(view)
    questions = [FitRequest(law.law, table, dict(law.settings)) for table in tables]
    made = recalibrated_fits(questions, seed, replicates, Path(cache) if cache is not None else None)
    items = {table.target.target_id: view.quantity(table.target.quantity_id).counted for table in tables}
    targets = {one.fit.table.target.target_id: one.fit for one in made}
    return {name: TargetFit(law, found, view.day, seed, items[name]) for name, found in targets.items()}


def freeze(fitted: TargetFit) -> FrozenCurve:
    """Turn a fit into a frozen curve: data that forecasts without training rows or a refit. Writes nothing.

    Raises ParameterError where the law made no forecast, with its reason: there is no curve then.
    """
    if fitted.status in NO_FORECAST:
        raise ParameterError(f"freeze: found status {fitted.status} ({fitted.reason}), expected a fit with a curve")
    settings = dict(fitted.of.settings)
    return FrozenCurve(fitted.of.law, freeze_curve(fitted.of.law, fitted.fit, settings, fitted.as_of, fitted.seed, fitted.items))


def verify(ledger: str | Path, evidence: Evidence | None = None) -> checks.VerificationResult:
    """Check a ledger, V01 to V20: `.findings`, `.incomplete`, `.accounts`, `.exit_code()`.

    `evidence` is what a reader brings: their own trust policy, checkpoints they kept, the git history, a clock. Without it only
    what the files themselves show is checked. Raises UnreadableError where there is no ledger.
    """
    return checks.verify(Path(ledger), check_curve=from_plain, evidence=evidence)
