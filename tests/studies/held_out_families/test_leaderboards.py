"""The boards of the sloth paper: their models, the tables kept of them, and that a rerun gives what is kept."""

from __future__ import annotations

import os
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from foresaid.cli.main import main
from foresaid.errors import UnreadableError
from foresaid.report.sections import held_out_families
from foresaid.studies import kept as kept_files
from foresaid.studies.held_out_families import leaderboards, protocol
from foresaid.studies.held_out_families import methods as family_methods
from foresaid.studies.held_out_families.leaderboards import Measured, Row
from foresaid.studies.held_out_families.mixed_effects import NAME, by_effects
from foresaid.studies.held_out_families.protocol import Exercise, Forecasts, Method

REGISTRY = Path(__file__).parents[3] / "registry"
CHEAP = ("no fit: largest known model of the family", "no fit: model with the most compute", "no fit: mean of all models")
HEADER = "Model,Family,Instruct,#Params (B),Pretraining Data Size (T)," + ",".join(leaderboards.COLUMNS["leaderboard-v2"])


@pytest.fixture
def folder() -> Path:
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("FORESAID_MIRROR is not set: the paper's table is not in the repository")
    return Path(mirror) / "felipemaiapolo+sloth"


def mean_of_all(exercise: Exercise) -> dict[str, Forecasts]:
    return {"mean": Forecasts(np.broadcast_to(exercise.known.y.mean(axis=0), (1, *exercise.asked.y.shape)))}


def small_folder(place: Path) -> Path:
    rows = [
        f"{family}-{size}b,{family},{'True' if chat else 'False'},{size},1.0," + ",".join([f"{0.1 * size}"] * 6)
        for family in ("a", "b")
        for chat in (0, 1)
        for size in (1, 2, 3, 4)
    ]
    (place / "data").mkdir(parents=True)
    (place / "data" / "data_v2.csv").write_text("\n".join([HEADER, *rows, "c-1b,c,False,,1.0,.1,.1,.1,.1,.1,.1"]) + "\n")
    bounds = ",".join(leaderboards.COLUMNS["leaderboard-v2"]) + "\n" + ",".join(["0.0"] * 6) + "\n"
    (place / "data" / "lower_bounds.csv").write_text(bounds)
    return place


@pytest.mark.parametrize(("name", "models", "levels"), [("leaderboard-v1", 149, 43), ("leaderboard-v2", 105, 30)])
def test_the_boards_of_the_paper_have_their_models(folder: Path, name: str, models: int, levels: int) -> None:
    table = leaderboards.read(folder, name)

    assert table.y.shape == (models, 6)
    assert len(set(table.level.tolist())) == levels
    assert table.chat.sum() == sum(level.endswith("/chat") for level in table.level.tolist())
    assert ((table.y >= 0) & (table.y <= 1)).all()


def test_a_kept_table_is_read_back_as_it_was_measured(tmp_path: Path) -> None:
    said: list[str] = []
    place = small_folder(tmp_path / "sloth")
    measured = leaderboards.measure(place, "leaderboard-v2", [mean_of_all], date(2026, 11, 21), said.append)

    first = leaderboards.write(tmp_path, measured).read_bytes()
    kept = leaderboards.kept(tmp_path, "leaderboard-v2")

    assert kept is not None
    assert leaderboards.write(tmp_path, kept).read_bytes() == first
    assert [row.error for row in kept.rows] == pytest.approx([row.error for row in measured.rows], rel=1e-5)  # six digits
    assert [(row.small, row.families, row.models) for row in measured.rows] == [(1, 2, 12), (2, 2, 8)]
    assert measured.files["data/data_v2.csv"] == sha256((place / "data" / "data_v2.csv").read_bytes()).hexdigest()
    assert len(said) == 2


def test_a_table_that_was_never_measured_is_none_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert leaderboards.kept(tmp_path, "leaderboard-v1") is None
    kept_files.place(tmp_path, "leaderboard-v1").parent.mkdir()
    kept_files.place(tmp_path, "leaderboard-v1").write_text('{"rows": [{}]}')

    with pytest.raises(UnreadableError, match="run `foresaid protocol leaderboard-v1 --write`"):
        leaderboards.kept(tmp_path, "leaderboard-v1")


def test_the_table_has_a_line_for_every_method_and_the_authors_figure_below_it() -> None:
    row = Row(1, "a", 12, 68, 0.03, 0.005, 0.029, 0.02, (0.5, 0.8, 0.95), {"f": 0.03})
    plain = Row(1, "b", 12, 68, 0.04, 0.005, 0.04, None, None, {"f": 0.04})

    lines = held_out_families.markdown(Measured("leaderboard-v2", "2026-11-21", {}, (row, plain)))

    assert "| a | 0.0300 | 0.0050 | 0.0290 | 0.0200 | 50 % | 80 % | 95 % |" in lines
    assert "| b | 0.0400 | 0.0050 | 0.0400 | – | – | – | – |" in lines
    assert any("0.0286" in line for line in lines)


def test_only_a_leaderboard_can_be_kept() -> None:
    refused = CliRunner().invoke(main, ["protocol", "pass-at-k", "--write"])

    assert refused.exit_code == 2
    assert "expected it with one of leaderboard-v1, leaderboard-v2" in refused.stderr


@pytest.mark.parametrize("name", sorted(leaderboards.COLUMNS))
def test_what_is_kept_is_what_a_rerun_gives(folder: Path, name: str) -> None:
    kept = leaderboards.kept(REGISTRY, name)
    assert kept is not None
    methods: list[Method] = [family_methods.single(each) for each in CHEAP]
    measured = leaderboards.measure(folder, name, methods, date.fromisoformat(kept.measured_on), lambda line: None)

    assert measured.files == kept.files
    found = {(row.small, row.method): row for row in measured.rows}
    for (small, method), row in found.items():
        (said,) = [one for one in kept.rows if (one.small, one.method) == (small, method)]
        assert (row.families, row.models) == (said.families, said.models)
        assert row.error == pytest.approx(said.error, rel=1e-5)  # kept to six digits
        assert row.by_family == pytest.approx(said.by_family, rel=1e-5)
    assert len(found) == 6


def test_the_mixed_effects_of_one_family_are_those_that_are_kept(folder: Path) -> None:
    kept = leaderboards.kept(REGISTRY, "leaderboard-v2")
    assert kept is not None
    (said,) = [row for row in kept.rows if row.small == 1 and row.method == NAME]
    exercise = protocol.hold_out(leaderboards.read(folder, "leaderboard-v2"), "meta-llama-3", 1)

    made = by_effects(exercise)[NAME]

    assert made.chosen is not None
    found = float(exercise.errors(made.points)[made.chosen])
    assert found == pytest.approx(said.by_family["meta-llama-3"], abs=1e-4)  # a search may stop elsewhere by a little


def test_the_kept_tables_hold_every_method_with_one_and_with_two_small_models() -> None:
    for name in leaderboards.COLUMNS:
        kept = leaderboards.kept(REGISTRY, name)
        assert kept is not None
        for small in leaderboards.SMALL:
            rows = [row for row in kept.rows if row.small == small]
            assert len(rows) == 11
            assert all(row.error == pytest.approx(float(np.mean(list(row.by_family.values()))), rel=1e-4) for row in rows)
