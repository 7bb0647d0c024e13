"""Where the work runs changes no byte: workers, backends, a Dask cluster of separate processes, and the size of a shard."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import pytest
from tests.laws.test_every_law import CASES, DAY, made

from foresaid import parallel
from foresaid.canonical_json import dump_line
from foresaid.errors import ParameterError
from foresaid.fitting.cache import Shard, fit_all
from foresaid.fitting.frozen_curve import freeze_curve, to_plain

LAWS = ("observational", "bleu_log", "loss_threshold", "cross_entropy_power", "compute_sigmoid")


def curves(size: int = 1) -> list[bytes]:
    """Fit one target of each of five laws and return the frozen curves as they would be written."""
    tasks = [Shard(*made(name, CASES[name].noise), 7, 12) for name in LAWS]
    fits = fit_all(tasks, size=size)
    return [
        dump_line(to_plain(freeze_curve(task.law, fitted, CASES[name].settings, DAY, 7)))
        for name, task, fitted in zip(LAWS, tasks, fits, strict=True)
    ]


@pytest.fixture(scope="module")
def alone() -> list[bytes]:
    return curves()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    from distributed import LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dashboard and ports
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)  # type: ignore[no-untyped-call]
    with cluster:
        yield cluster.scheduler_address


@pytest.mark.parametrize("backend", ["threads", "processes"])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_bytes_of_curves_depend_on_no_worker(alone: list[bytes], backend: str, workers: int) -> None:
    with parallel.using(workers, backend):
        assert curves() == alone


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_bytes_of_curves_depend_on_no_shard_size(alone: list[bytes], size: int) -> None:
    with parallel.using(2):
        assert curves(size) == alone


@pytest.mark.parametrize("size", [1, 3])
def test_the_bytes_of_curves_are_the_same_on_a_cluster(alone: list[bytes], scheduler: str, size: int) -> None:
    with parallel.using(scheduler=scheduler):
        assert curves(size) == alone


def test_a_cluster_runs_the_work_in_other_processes(scheduler: str) -> None:
    with parallel.using(scheduler=scheduler):
        places = set(parallel.each(_place, list(range(8))))

    assert os.getpid() not in places


def _place(_: int) -> int:
    return os.getpid()


def test_a_worker_with_other_settings_is_refused(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")

    with pytest.raises(ParameterError, match=r"OPENBLAS_CORETYPE.*expected 'Prescott'"), parallel.using(scheduler=scheduler):
        pass


@pytest.mark.parametrize(
    ("backend", "scheduler", "message"),
    [("ray", "", "expected one of threads"), ("dask", "", "expected its address"), ("dask", "tcp://127.0.0.1:9", "found none")],
)
def test_a_backend_that_cannot_be_had_is_one_line(
    backend: str, scheduler: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "PATIENCE", 1)
    with pytest.raises(ParameterError, match=message) as error, parallel.using(1, backend, scheduler):
        pass

    assert "\n" not in str(error.value)


def test_results_come_in_the_order_of_the_tasks() -> None:
    with parallel.using(2):
        assert parallel.each(abs, [-3, 2, -1, 0], shard=3) == [3, 2, 1, 0]


def test_threads_take_as_many_workers_as_were_asked_for_and_keep_the_order() -> None:
    with parallel.using(2, "processes"), parallel.threads():
        main = os.getpid()
        found = parallel.each(lambda task: (task, os.getpid()), list(range(5)))

    assert found == [(task, main) for task in range(5)]
