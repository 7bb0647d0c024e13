"""Everything the pages are made from, read once: the results of the other stages, the ledger as it verifies, the record.

Files are named by params.yaml and never found by looking into a folder, so what an earlier run left behind cannot get
onto a page. Two digests say what was read: of the database, and of the program with its parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from foresaid.errors import RecordError, UnreadableError
from foresaid.evaluation.claims import SCHEMA
from foresaid.files import read_frame, read_json
from foresaid.fitting.frozen_curve import CurveRecord
from foresaid.fitting.law import Law
from foresaid.forecasting import published as adopted
from foresaid.laws import _loader as laws
from foresaid.ledger import store
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.schema import RoundEntry
from foresaid.ledger.state.accounting import Account
from foresaid.ledger.state.index import Clock, moment
from foresaid.ledger.verify import verify
from foresaid.params import Params
from foresaid.registry import database, licences, load, source_card
from foresaid.registry.formats import LicenceRow
from foresaid.registry.lineage import maker
from foresaid.registry.schema import SCHEMA as OBSERVATION
from foresaid.registry.view import Quantity
from foresaid.report import targets as ledger_targets
from foresaid.report import texts
from foresaid.report.digests import code_digest, vintage
from foresaid.report.targets import Target
from foresaid.report.withheld import without
from foresaid.studies import compute_returns, law_sections, returns_checked
from foresaid.studies.benchmark_space import study
from foresaid.studies.capability import protocol_record
from foresaid.studies.emergence import record as emergence_record
from foresaid.studies.held_out_families import leaderboards
from foresaid.studies.rounds import kept_hindcast, round_file
from foresaid.studies.rounds.round_file import RoundFile

PLANE = "observational"  # the law whose page shows the plane
LAW_STUDIES = "law_studies.json"  # below build/, from the stage `study`
WRITTEN = ("continuous",)  # studies of upstream files, kept in the registry
MEANS = ("summary", "by_target", "by_period", "skill", "compared", "calibrated")  # tables of `score`, offered whole
TABLES = (
    *("by_evidence", "by_quantity", "by_quantity_later", "by_method_later", "by_model", "hits_by_model", "no_forecast"),
    *("preregistration", "released_scores", "revisions", "revisions_by_unit", "models_added_late", "revisions_of_outcomes"),
)  # tables of `score` in build/score_tables, of which pages show parts
NO_ORIGINS: dict[str, Any] = {
    "origins": {},
    **{
        key: []
        for key in ("horizons", "accounts", "by_horizon", "recalibrations", "by_target", "by_period", "by_distance", "by_origin")
    },
}
# what stands in where params.yaml asks for no rolling origins


def parts(frame: pl.DataFrame, *by: str) -> dict[Any, pl.DataFrame]:
    """The rows of a frame by what stands in one column, or by the tuple of what stands in several: one pass for all of them.

    >>> parts(pl.DataFrame({"law": ["a", "b", "a"], "n": [1, 2, 3]}), "law")["a"]["n"].to_list()
    [1, 3]
    """
    found = frame.partition_by(by, as_dict=True, maintain_order=True)
    return {key if len(by) > 1 else key[0]: rows for key, rows in found.items()}


@dataclass(frozen=True)
class Fitted:
    """One law as the stage `fit` left it: its metrics, its frozen curves by target, and the points and bands to draw."""

    law: Law
    metrics: dict[str, Any]
    curves: dict[str, CurveRecord]
    drawing: pl.DataFrame
    budgets: dict[str, list[compute_returns.Budget]]  # by target, of those that are a loss in parameters and tokens
    experiment: dict[str, Any] | None = None  # results of our own experiment, where the law has one

    @cached_property
    def by_target(self) -> dict[Any, pl.DataFrame]:
        """The points and bands of every target."""
        return parts(self.drawing, "target_id")


@dataclass(frozen=True)
class RoundRecord:
    """The file of a round, and what its questions and methods were worth at earlier origins, as kept beside it."""

    file: RoundFile
    hindcast: pl.DataFrame  # columns kept_hindcast.SCHEMA; no row where none is kept


@dataclass(frozen=True)
class Capability:
    """The fitted capability law as its stage left it: metrics and tables, and its protocol as kept in the registry."""

    metrics: dict[str, Any]
    index: pl.DataFrame
    loadings: pl.DataFrame
    correlations: pl.DataFrame
    adds: pl.DataFrame
    protocol: list[dict[str, str]]
    costs: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Material:
    """What the pages are made from."""

    params: Params
    scores: pl.DataFrame  # scored rows with the `unit` of their quantity
    hindcast_fits: list[dict[str, Any]]
    rolling: dict[str, Any]  # the tables of the rolling origins
    means: dict[str, pl.DataFrame]  # the tables of MEANS as `score` computed them
    tables: dict[str, pl.DataFrame]  # the longer ones, TABLES
    claims: pl.DataFrame  # one verdict a law and case, see evaluation/claims.py
    accounting: dict[str, Any]
    ingest: dict[str, Any]
    fitted: dict[str, Fitted]
    models: pl.DataFrame
    quantities: dict[str, Quantity]
    observations: pl.DataFrame
    sources: list[source_card.Source]
    kept: list[licences.Kept]  # every source of the record with its licence
    statements: list[LicenceRow]  # licences of single quantities
    adopted: list[adopted.Adopted]
    plane: study.Plane | None  # where the observational law is fitted and the record holds the paper's tables
    sections: list[law_sections.LawSection]  # tables that studies add to the pages of laws
    boards: list[leaderboards.Measured]  # whole families held out, as kept in the registry
    ledger: verify.VerificationResult
    batches: tuple[Batch, ...]  # the same in full, in the order of the log; none where the ledger does not verify
    snapshots: dict[str, dict[str, pl.DataFrame]]  # training rows of rounds by SHA-256 and part (report/targets.py)
    rounds: dict[str, RoundRecord]  # by round of the ledger, where the registry has its file
    freeze: dict[str, Any]
    capability: Capability | None  # where params.yaml asks for the law of all cells
    vintage: str  # digest of the database
    code: str  # digest of program, parameters and templates

    @cached_property
    def by_case(self) -> dict[tuple[str, str], pl.DataFrame]:
        """The scored rows of every kind of evidence and case, in their order."""
        return parts(self.scores, "evidence", "case")

    @cached_property
    def clock(self) -> Clock:
        """Which moments count, and the day on which the states of forecasts were taken."""
        on = self.accounting.get("on")
        return Clock(moment(on) if on else None, self.ledger.policy.stamps > 0, self.ledger.proved)

    @cached_property
    def accounts(self) -> list[Account]:
        """The account of every forecast of the ledger."""
        scored = [(author, name) for author, name in self.accounting.get("scored", [])]
        return ledger_targets.accounts(self.ledger.batches, self.clock, scored)

    @cached_property
    def targets(self) -> list[Target]:
        """Every target of the ledger with its forecasts; none where the ledger does not verify."""
        found = self.accounts if self.batches else []
        return ledger_targets.read(self.batches, self.clock, found, self.snapshots)

    @cached_property
    def makers(self) -> dict[str, str]:
        """The names of makers as they write them, by the spelling of targets: of several the most frequent."""
        names = self.models["organisation"].drop_nulls().value_counts().sort("count", "organisation", descending=[False, True])
        return {maker(one): one.split(",")[0].split("(")[0].strip() for one in names["organisation"]}

    def benchmark_address(self, quantity_id: str) -> str:
        """Where the page of a quantity that was forecast stands below the site, empty where the record has no card of it."""
        return f"benchmarks/{texts.slug(quantity_id)}.html" if quantity_id in self.quantities else ""

    def quantity(self, quantity_id: str) -> str:
        """The title of a quantity; its id where the record has no card of it."""
        found = self.quantities.get(quantity_id)
        return found.title if found else quantity_id

    def unit(self, quantity_id: str) -> str:
        """The unit of a quantity."""
        found = self.quantities.get(quantity_id)
        return found.unit if found else "unknown"


def _curves(path: Path) -> list[CurveRecord]:
    """What was fitted, as text: a page draws the points that the stage left, and applies no curve."""
    try:
        return [msgspec.json.decode(line, type=CurveRecord) for line in path.read_bytes().splitlines()]
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableError(
            f"{path}: found {error}, expected curves as `fit` wrote them; delete it and run `dvc repro`"
        ) from None


def _fitted(name: str, settings: dict[str, Any], build: Path, registry: Path) -> Fitted:
    folder = build / "fits" / name
    path = folder / "curves.jsonl"
    curves = _curves(path) if path.is_file() else []
    profiles, described = read_json(folder / "profiles.json"), read_json(folder / "metrics.json")
    for entry in described["targets"]:
        entry["profile"] = profiles.get(entry["target_id"])
    law = laws.load(name, settings)
    drawing = read_frame(folder / "drawing.parquet")
    return Fitted(
        law,
        described,
        {curve.target_id: curve for curve in curves},
        drawing,
        compute_returns.from_frame(read_frame(folder / "returns.parquet")),
        emergence_record.read(registry, law.experiment),
    )


def _capability(folder: Path, metrics: Path, registry: Path) -> Capability:
    kept = protocol_record.read(registry)
    tables = {name: read_frame(folder / f"{name}.parquet") for name in ("index", "loadings", "correlations", "adds")}
    return Capability(
        metrics=read_json(metrics / "capability.json"), protocol=kept, costs=protocol_record.costs(registry), **tables
    )


def read(params: Params, build: Path, registry: Path, metrics: Path, own: Path) -> Material:
    """Read everything; what is missing is named together with the command that makes it. `own`: the project's templates."""
    connection = database.open_database(build / "database")
    models, quantities = database.models(connection), database.quantities(connection)
    connection.close()
    space = read_json(build / "benchmark_space.json") if PLANE in params.laws and study.SOURCE in params.sources else None
    units = pl.DataFrame(
        {"quantity_id": list(quantities), "unit": [item.unit for item in quantities.values()]},
        schema={"quantity_id": pl.String, "unit": pl.String},
    )
    scores = (
        read_frame(build / "scores.parquet")
        .join(units, on="quantity_id", how="left")
        .with_columns(pl.col("unit").fill_null("unknown"))
    )
    hindcasts = read_frame(build / "hindcast.parquet")
    keys = ["evidence", "case", "law", "target_id", "subject_id"]
    score = read_json(metrics / "score.json")
    freeze = build / "freeze.json"
    observed = [read_frame(build / "observations" / f"{name}.parquet") for name in sorted(set(params.sources))]
    catalogue, problems = load.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    licensed = licences.kept(registry, catalogue.quantities)
    forbidden = licences.forbidden([one.source for one in licensed], catalogue.quantities, catalogue.licences)
    read_whole: dict[str, Batch] = {}
    whole = verify.verify(registry / "ledger", whole=read_whole)
    batches = () if whole.findings else tuple(store.in_full(whole, read_whole))
    fitted = {name: _fitted(name, entry, build, registry) for name, entry in params.laws.items()}
    material = Material(
        params=params,
        scores=scores.sort(keys),
        hindcast_fits=read_json(build / "hindcast_fits.json")["fits"],
        rolling=read_json(build / "rolling.json") if params.rolling else NO_ORIGINS,
        means={name: pl.DataFrame(score[name], infer_schema_length=None) for name in MEANS},
        tables={name: read_frame(build / "score_tables" / f"{name}.parquet") for name in TABLES},
        claims=pl.DataFrame(score["claims"], schema=SCHEMA),
        accounting=score.get("accounting", {}),
        ingest=read_json(metrics / "ingest.json"),
        fitted=fitted,
        models=models,
        quantities=quantities,
        observations=pl.concat([pl.DataFrame(schema=OBSERVATION), *observed], how="diagonal"),
        sources=[source_card.of(registry, name) for name in sorted(set(params.sources))],
        kept=licensed,
        statements=catalogue.licences,
        adopted=adopted.load_all(registry),
        plane=study.from_plain(space) if space else None,
        sections=[*_sections(params, build, registry), *_returns(fitted, hindcasts)],
        boards=[kept for name in leaderboards.COLUMNS if (kept := leaderboards.kept(registry, name))],
        ledger=whole,
        batches=batches,
        snapshots=ledger_targets.snapshots(batches, registry / "snapshots"),
        rounds=_rounds(registry, batches),
        freeze=read_json(freeze) if freeze.is_file() else {},
        capability=_capability(build / "capability", metrics, registry) if params.capability else None,
        vintage=vintage(build / "database"),
        code=code_digest(params, own),
    )
    # The statements themselves and the sources are what is said of them, not their figures.
    return replace(without(material, forbidden), kept=licensed, statements=catalogue.licences, quantities=quantities)


def _rounds(registry: Path, batches: Sequence[Batch]) -> dict[str, RoundRecord]:
    """The rounds that the ledger asked and whose file the registry has."""
    names = {entry.id for batch in batches for entry in batch.entries if isinstance(entry, RoundEntry)}
    found = {}
    for name in sorted(names):
        path = registry / "rounds" / f"{name}.yaml"
        if path.is_file():
            found[name] = RoundRecord(round_file.read(path), kept_hindcast.read(registry, name))
    return found


def _sections(params: Params, build: Path, registry: Path) -> list[law_sections.LawSection]:
    made = read_json(build / LAW_STUDIES)
    found = [law_sections.from_plain(plain, LAW_STUDIES) for plain in made]
    found += [one for key in WRITTEN if (one := law_sections.kept(registry, key))]
    return [replace(one, laws=tuple(name for name in one.laws if name in params.laws)) for one in found]


def _returns(fitted: dict[str, Fitted], hindcasts: pl.DataFrame) -> list[law_sections.LawSection]:
    """The returns by all laws together, and of a held-out budget, from what the other stages left."""
    surfaces = {name: item for name, item in fitted.items() if item.budgets}
    found = [
        returns_checked.across({name: item.budgets for name, item in surfaces.items()}),
        returns_checked.held_out(hindcasts, {name: item.drawing for name, item in surfaces.items()}),
    ]
    return [one for one in found if one is not None]
