"""What a hub's configuration files say: `hub-config/tasks.json`, `admin.json` and `target-data.json` as types.

One description for reading any team's hub, for writing ours, and for the JSON Schemas that are published beside it. Read from the
Hubverse documentation (schema version 6, hubDocs 2026-07) and tested on the configurations of four hubs; the official schema files
are in no package that could be had, and where they are stricter these types cannot know it. A hub is read tolerantly: fields that
stand here for nothing are passed over, as in hubs of an older version.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from foresaid.errors import UnreadableError

VERSION = "v6.0.0"
SCHEMA_ADDRESS = f"https://raw.githubusercontent.com/hubverse-org/schemas/main/{VERSION}"
CONFIG, METADATA, OUTPUT, TARGET_DATA = "hub-config", "model-metadata", "model-output", "target-data"
TASKS, ADMIN, TARGETS, METADATA_SCHEMA = "tasks.json", "admin.json", "target-data.json", "model-metadata-schema.json"
VALUES = ("output_type", "output_type_id", "value")  # the columns behind the task IDs, in every hub
OUTPUT_TYPES = ("mean", "median", "quantile", "cdf", "pmf", "sample")
NO_LEVEL = ("", "NA")  # how a missing output_type_id is spelled

Value: TypeAlias = str | int | float | bool
Day: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Address: TypeAlias = Annotated[str, Meta(pattern=r"^https://raw\.githubusercontent\.com/.+/schemas/.+\.json$")]
T = TypeVar("T")


class Allowed(msgspec.Struct, frozen=True):
    """The values a column may hold: those every submission must have, and those it may have."""

    required: list[Value] | None = None
    optional: list[Value] | None = None

    def spelled(self) -> tuple[str, ...]:
        """All of them, as text, in their order."""
        return tuple(spell(one) for one in (*(self.required or ()), *(self.optional or ())))


class ValueRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a value may be: its type, and its bounds if it has any."""

    type: Literal["double", "integer", "character"]
    minimum: float | None = None
    maximum: float | None = None


class OutputRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to state a forecast: the levels or categories it needs, and what its values may be."""

    value: ValueRule
    output_type_id: Allowed | UnsetType = UNSET
    output_type_id_params: dict[str, Any] | UnsetType = UNSET
    is_required: bool | UnsetType = UNSET


class TargetMetadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a target is, in words, and the task IDs that select it."""

    target_id: str
    target_name: str
    target_units: str
    target_keys: dict[str, Value] | None
    target_type: Literal["continuous", "discrete", "date", "binary", "nominal", "ordinal", "compositional"]
    is_step_ahead: bool
    description: str | UnsetType = UNSET
    time_unit: str | UnsetType = UNSET


class ModelTask(msgspec.Struct, frozen=True):
    """Tasks that are asked in the same way: every combination of the values of their task IDs."""

    task_ids: dict[str, Allowed]
    output_type: dict[Literal["mean", "median", "quantile", "cdf", "pmf", "sample"], OutputRule]
    target_metadata: list[TargetMetadata]

    def combinations(self, names: tuple[str, ...], required: bool = False) -> Iterator[tuple[str, ...]]:
        """Every combination of allowed values, or of required ones only, in the order of `names`."""
        columns = [self.task_ids.get(name, Allowed()) for name in names]
        lists = [tuple(map(spell, one.required or ())) if required else one.spelled() or ("NA",) for one in columns]
        return product(*lists)


class Due(msgspec.Struct, frozen=True, omit_defaults=True):
    """When files are taken: from a day to a day, both included; or so many days before and after the date in a task ID."""

    start: Day | int
    end: Day | int
    relative_to: str | UnsetType = UNSET


class Round(msgspec.Struct, frozen=True, omit_defaults=True):
    """A round: how it is called, what it asks, and when files are taken."""

    round_id_from_variable: bool
    round_id: str
    model_tasks: Annotated[list[ModelTask], Meta(min_length=1)]
    submissions_due: Due
    round_name: str | UnsetType = UNSET
    file_format: list[Literal["csv", "parquet", "arrow"]] | UnsetType = UNSET


class Tasks(msgspec.Struct, frozen=True, omit_defaults=True):
    """hub-config/tasks.json."""

    schema_version: Address
    rounds: Annotated[list[Round], Meta(min_length=1)]
    derived_task_ids: list[str] | UnsetType = UNSET
    output_type_id_datatype: str | UnsetType = UNSET

    @property
    def names(self) -> tuple[str, ...]:
        """The task IDs of the hub, in the order of its first model task."""
        found = [name for one in self.rounds for task in one.model_tasks for name in task.task_ids]
        return tuple(dict.fromkeys(found))


class Contact(msgspec.Struct, frozen=True):
    """Whom to write to."""

    name: str
    email: str


class Repository(msgspec.Struct, frozen=True):
    """Where the hub lies; real hubs spell the fields behind the host in several ways."""

    host: str
    owner: str = ""
    name: str = ""


class Admin(msgspec.Struct, frozen=True, omit_defaults=True):
    """hub-config/admin.json."""

    schema_version: Address
    name: str
    maintainer: str
    contact: Contact
    file_format: Annotated[list[Literal["csv", "parquet", "arrow"]], Meta(min_length=1)]
    timezone: str
    repository: Repository | UnsetType = UNSET
    model_output_dir: str = OUTPUT


class TargetKind(msgspec.Struct, frozen=True, omit_defaults=True):
    """What differs from the rest of target-data.json for one of its two tables."""

    observable_unit: list[str] | UnsetType = UNSET
    versioned: bool | UnsetType = UNSET
    has_output_type_ids: bool | UnsetType = UNSET
    non_task_id_schema: dict[str, str] | UnsetType = UNSET


class TargetData(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={"time_series": "time-series", "oracle_output": "oracle-output"}
):
    """hub-config/target-data.json."""

    schema_version: Address
    observable_unit: Annotated[list[str], Meta(min_length=1)]
    date_col: str
    versioned: bool = False
    time_series: TargetKind | UnsetType = UNSET
    oracle_output: TargetKind | UnsetType = UNSET


def spell(value: Value) -> str:
    """A value of the configuration as it stands in a file of forecasts.

    >>> spell(0.1), spell(1), spell(1.0), spell(True), spell("US")
    ('0.1', '1', '1', 'TRUE', 'US')
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def load(path: Path, kind: type[T]) -> T:
    """Read one configuration file; raises UnreadableError that names the field at fault."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}, expected a hub's configuration file") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path}: {str(error).splitlines()[0]}; see the Hubverse documentation of this file") from None
