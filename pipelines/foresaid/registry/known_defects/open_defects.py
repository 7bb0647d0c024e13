"""The traps of the cards added in November 2026 (`open_traps` of SOURCES.yaml), in the form of defects.py: check, rule, measure.

Vintage cards hold a folder a day; their readers are tested day by day (tests/sources), so their traps carry a rule and no count.
"""

from __future__ import annotations

from datetime import date

from foresaid.registry.known_defects.defects import Trap
from foresaid.registry.known_defects.detectors import (
    absent,
    always,
    fractions,
    known_on,
    left_out,
    never,
    never_by,
    not_read,
    one_key_a_value,
    parsed,
    parts,
    skipped,
    stated,
)

_HUB_HORIZON = Trap("reader", "a download without a board is an ordinary one: what it lacks is not withdrawn by it")
_HUB_FILLED = Trap("guard, update", "a row is a target by the release of its model, never by the day it came; late rows are named")
_HUB_PADDED = Trap("reader", "names are stripped, and a row that repeats a padded one to more digits is left out and counted")


def _bash(folder: str) -> Trap:
    rule = "swe_bench_bash is one of the external boards, whatever its file is called: read on demand"
    return Trap("licences.csv", rule, never_by("epoch-hub", f"{folder}/swe_bench_bash.csv"))


# In the order of SOURCES.yaml; a test holds the two together.
OPEN: dict[str, tuple[Trap, ...]] = {
    "epoch-eci-2026-08": (
        Trap("reader, quantities.csv", "normalised scores are quantities of their own, epoch_eci_..., with chance 0", fractions()),
        Trap(
            "reader",
            "the note of a value names the version it is the best of; no effort is made up",
            always(
                lambda one: one.quantity_id != "epoch_eci_index", lambda one: one.note.startswith("best of") and not one.setting
            ),
        ),
        Trap("quantities.csv", "the protocol says that 0 is any score at or below chance"),
        Trap("quantities.csv", "a mean success rate and a mean mark are shares of one, never minutes or marks", fractions()),
        Trap(
            "reader",
            "a row counts as Epoch's own only where its source says so; the others are epoch-eci-external",
            left_out("data/raw/eci_benchmarks.csv", lambda row: not row["source"].strip(), lambda row: False),
        ),
        Trap("reader", "models are named by `model`, which the index file repeats", one_key_a_value),
        Trap("reader", "an anchor has no standard error, and a model without an organisation takes that of models.csv"),
        Trap("quantities.csv", "a benchmark and its successor are two quantities", one_key_a_value),
        Trap("models add", "dates are stated as a word among others and confirmed by a person; none is taken from a score row"),
        Trap("update", "an index value that moves is a revision; a forecast is scored on the first value of its resolver"),
    ),
    "epoch-hub-2026-04-11": (
        _HUB_HORIZON,
        _bash("data/epoch_ai"),
        _HUB_FILLED,
        _HUB_PADDED,
        Trap("reader", "columns are named in the reader, with the names of each download; an unknown one is refused", parsed),
        Trap("aliases.csv", "web-app, unknown and xhigh are systems of one model"),
    ),
    "epoch-hub-2026-04-19": (
        _HUB_HORIZON,
        _bash("benchmark_data"),
        _HUB_FILLED,
        Trap("update", "an unchanged value adds no row: a vintage counts what is new, revised and gone"),
    ),
    "epoch-hub-2026-05": (
        _HUB_HORIZON,
        _bash("data/eci/benchmark_data"),
        _HUB_FILLED,
        _HUB_PADDED,
        Trap("aliases.csv, reader", "a pre-release name is its model; a run before the release says so in its note"),
        Trap("card", "known_on is the later day, that of the commit", known_on(date(2026, 5, 14))),
        Trap("card", "each source names its own folder of a mirror"),
    ),
    "eci-2026-07": (
        Trap("update", "an index value that moves is a revision; a forecast is scored on the first value of its resolver"),
        Trap(
            "reader",
            "a version without a score gives no value and is counted",
            skipped("no score upstream", "data/raw/epoch_capabilities_index.csv", lambda row: not row["ECI Score"].strip()),
        ),
        Trap("guard", "a model without a date enters no split by date"),
        Trap("quantities.csv", "the index by version and the index by group are two quantities", absent("epoch_eci_index")),
    ),
    "weirdml-vintages": (
        Trap("models add", "release dates are stated, never taken for the record's"),
        Trap("reader", "averages over 19 and over 17 tasks are two quantities, told by the columns of the table"),
        Trap("update", "an average that moves is a revision; an outcome is the first value"),
        Trap("reader", "columns are found by name in any order; an unknown one is refused"),
        Trap("reader", "`internal_model_name` is the key"),
        Trap("reader", "a table that holds a key twice is two tables joined: refused"),
        Trap("reader", "a quantisation in the name is the setting precision"),
    ),
    "forecastbench-vintages": (
        Trap("reader", "Brier score and Brier index are two quantities, told by the columns of the table"),
        Trap("update", "a value that moves is a revision; an outcome is the first value"),
        Trap("reader, laws", "a prompt is a setting: each is a target of its own"),
        Trap("reader", "medians, imputed, naive and constant forecasters and crowds are left out by name and counted"),
        Trap("card", "vintages are parts: a row that is gone is not withdrawn", parts),
        Trap("reader, card", "each file has its own commit; interval text is parsed and a dash gives no value"),
    ),
    "benchpress-2026-06": (
        Trap("reader", "only `observed` is read; held-out cells are forecast anew from the folds", one_key_a_value),
        Trap("study", "both aggregates are computed, and the printed one is the median over the 30 folds"),
        Trap("reader", "no date is read from here", stated(lambda one: True, lambda one: not one.released_on)),
        Trap("reader", "cells audited as dropped are left out; a cell under another setting than its model's says so in its note"),
        Trap("reader", "the canonical setting of a model is its setting", one_key_a_value),
        Trap(
            "reader",
            "columns and cells of Artificial Analysis are left out",
            never(lambda one: one.quantity_id.startswith("benchpress_aa_")),
        ),
        Trap(
            "card",
            "known_on is the day of the collection; the study masks cells by release and says so",
            known_on(date(2026, 6, 26)),
        ),
    ),
    "epoch-models-2026-07": (
        Trap("reader", "the three names of the column of data sizes are one column", parsed),
        Trap("reader", "columns are read by name: a further one changes nothing", parsed),
        Trap(
            "reader, `identity`",
            "a model without a date is taken and none is stated; a line break ends no name",
            stated(lambda one: True, lambda one: one.subject == one.subject.strip()),
        ),
        Trap("update", "a changed figure is a revision; a model that is gone is withdrawn and stays in the record"),
        Trap("models add", "a date of publication is a word among others, confirmed by a person"),
        Trap("aliases.csv", "names are resolved by alias or refused with the nearest"),
        Trap("law", "missing compute is imputed or not needed; its absence is a status"),
        Trap("reader", "quoted cells with commas and line breaks are read by a CSV parser", parsed),
    ),
    "models-dev-2026-07": (
        Trap("models add", "a month is stated as a month: released_precision"),
        Trap("models add", "dates that disagree are printed side by side, and a person confirms one"),
        Trap("models.csv", "a preview and its model are one release"),
        Trap("models add", "nothing enters by itself: a serving variant is confirmed by nobody"),
        Trap("reader", "models.json is not read", not_read("models.json")),
        Trap("reader", "only models that write text and nothing else are stated"),
        Trap("reader", "no benchmark is read: the source gives no score", never(lambda one: True)),
    ),
    "lmarena-2025-12": (
        Trap("card", "a day may bring one of the two boards; the other stands as it was"),
        Trap("reader", "plain and style-controlled ratings are two quantities"),
        Trap("update", "ratings of the pool of a day: every later one is a revision"),
        Trap("reader", "each category is a quantity; a model that is missing there was not rated"),
        Trap("card", "known_on is the day of the commit"),
    ),
    "arena-daily-2026-04": (
        Trap("card", "vintages are parts: a model that is missing has not left", parts),
        Trap("reader", "a board whose ranks and scores disagree is refused"),
        Trap("update", "an unchanged value adds no row"),
        Trap("reader", "effort, harness and search in a name are settings"),
    ),
    "pimpale-2025-02": (
        Trap("stated", "adopted as forecasts of a record by a day, which resolve by the best value of models released by then"),
        Trap(
            "stated", "adopted and scored as what the authors published; the card of the adopted record says what the bounds are of"
        ),
        Trap(
            "stated", "adopted both: the curve that the paper prints is the point, and the median of the density stands beside it"
        ),
        Trap(
            "stated",
            "adopted is high elicitation, which resolves by what vendors and boards report; nobody runs the agent of the low one",
        ),
        Trap("stated", "adopted of each day is its own row of the density, added up to one; RE-Bench is not adopted"),
        Trap("stated", "not read: the older draw is not in the mirror"),
        Trap("stated", "not read: the observed values were added later and are no part of the forecast"),
        Trap("stated", "not read: the value is a failure of format"),
    ),
    "metr-runs-2025-02": (
        Trap(
            "quantities.csv",
            "the early suite has quantities of its own; no horizon is made of it",
            always(lambda one: True, lambda one: one.quantity_id.startswith("metr_runs_2025_02_success")),
        ),
        Trap("reader", "`human` is no model", never(lambda one: one.subject.lower() == "human")),
        Trap("reader", "runs that ended at the limits of use count as failures, as METR counts them"),
        Trap("stated", "minutes are no quantity here, only the success rate"),
        Trap("reader", "weights within an agent are checked to add up to one; no standard error is given"),
        Trap("reader", "the value is the mean of score_binarized", fractions()),
    ),
    "metr-forecast-2025-03": (
        Trap("stated", "not read: a forecast of a day has no outcome among the values of a board"),
        Trap("stated", "not read: the interval is conditional on the trend"),
        Trap("stated", "not read: two forecasts, to be adopted both or named"),
    ),
}
