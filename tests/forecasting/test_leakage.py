from dataclasses import replace
from datetime import date

import pytest

from foresaid.confusables import resolve
from foresaid.errors import LeakError
from foresaid.forecasting.leakage import GuardedTarget, TrainingRow, check_training

AS_OF, FROZEN = date(2026, 11, 20), date(2026, 11, 21)
ROWS = [
    TrainingRow(f"lab/model-{number}", "mmlu", "obsscaling", date(2026, 11, number % 20 + 1), date(2026, 10, 1))
    for number in range(1000)
]
TARGETS = [GuardedTarget("lab/model-x"), GuardedTarget("lab/model-y", date(2026, 12, 1))]


def test_a_clean_training_set_passes_and_is_counted() -> None:
    assert len(ROWS) == check_training(ROWS, AS_OF, FROZEN, TARGETS)
    assert check_training([], AS_OF, AS_OF, []) == 0


@pytest.mark.parametrize("place", [0, 499, 999])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"known_on": date(2026, 11, 21)}, ["known on 2026-11-21", "at most 2026-11-20"]),
        ({"subject_id": "lab/model-x"}, ["lab/model-x", "belongs to target"]),
        ({"subject_id": "Lab/Model-X"}, ["Lab/Model-X", "belongs to target lab/model-x"]),
        ({"subject_id": "x-preview"}, ["x-preview", "belongs to target lab/model-x"]),
        ({"released_on": date(2026, 11, 25)}, ["released on 2026-11-25", "at most 2026-11-20"]),
    ],
)
def test_one_leaked_row_among_a_thousand_is_named(place: int, change: dict[str, object], words: list[str]) -> None:
    rows = list(ROWS)
    rows[place] = replace(rows[place], **change)  # type: ignore[arg-type]
    aliases = {"X-Preview": "x-beta", "x-beta": "lab/model-x"}

    with pytest.raises(LeakError) as error:
        check_training(rows, AS_OF, FROZEN, TARGETS, aliases)

    for word in [*words, f"training row {place + 1}", "mmlu", "obsscaling"]:
        assert word in str(error.value)


def test_a_target_named_by_an_alias_is_found_in_the_rows() -> None:
    with pytest.raises(LeakError, match=r"training row 8, lab/model-7.*belongs to target seven"):
        check_training(ROWS, AS_OF, FROZEN, [GuardedTarget("seven")], {"seven": "lab/model-7"})


@pytest.mark.parametrize("released", [FROZEN, date(2020, 1, 1)])
def test_a_target_that_is_already_released_is_refused(released: date) -> None:
    with pytest.raises(LeakError, match=f"lab/model-x: released on {released}, expected after 2026-11-21"):
        check_training(ROWS, AS_OF, FROZEN, [GuardedTarget("lab/model-x", released)])


def test_a_cut_off_after_the_freeze_is_refused() -> None:
    with pytest.raises(LeakError, match="as_of is 2026-11-21, expected at most 2026-11-20"):
        check_training(ROWS, FROZEN, AS_OF, TARGETS)


def test_all_leaks_are_counted_and_ten_are_shown() -> None:
    with pytest.raises(LeakError) as error:
        check_training(ROWS, date(2026, 10, 31), FROZEN, TARGETS)

    assert len(str(error.value).splitlines()) == 11
    assert "990 more: 1000 leaks in all" in str(error.value)


def test_aliases_that_lead_in_a_circle_are_refused() -> None:
    with pytest.raises(LeakError, match="leads back"):
        resolve("a", {"a": "b", "b": "a"})
    assert resolve("a", {"a": "A"}) == "a"


def test_one_leaked_row_among_a_hundred_thousand_is_refused_under_its_alias() -> None:
    rows = [replace(ROWS[number % 1000], subject_id=f"lab/other-{number}") for number in range(100_000)]
    rows[61_803] = replace(rows[61_803], subject_id="X-Preview")

    with pytest.raises(LeakError, match=r"training row 61804, X-Preview.*belongs to target lab/model-x"):
        check_training(rows, AS_OF, FROZEN, TARGETS, {"x-preview": "lab/model-x"})


def test_another_system_of_a_target_is_found_in_the_rows() -> None:
    row = TrainingRow("openai/o9[effort=low]", "gpqa", "epoch-hub", known_on=date(2026, 1, 1))

    with pytest.raises(LeakError, match="belongs to target"):
        check_training([row], date(2026, 2, 1), date(2026, 2, 1), [GuardedTarget("openai/o9[effort=high]")])
