"""Where work runs: one call that is the same on one core, on all of them, and on a Dask cluster.

Tasks go in and results come out in the same order. Nothing here touches a random number or adds up results, so neither the
number of workers, nor the kind, nor the size of a shard can change a byte. `each` names no backend: joblib takes the one that
`using` has put in place. Threads are the default, since compiled kernels release the interpreter's lock and nothing is copied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from foresaid.errors import ParameterError
from foresaid.reproducible import KERNELS

Task = TypeVar("Task")
Result = TypeVar("Result")

PATIENCE = 10  # seconds a scheduler has to answer
BACKENDS = {"threads": "threading", "processes": "loky", "dask": "dask"}
SAME = (*KERNELS, "FORESAID_ENGINE")  # what decides the last digit of a result, and so has to be the same for every worker


def settings() -> dict[str, str]:
    """Return the settings of this process that decide last digits."""
    return {name: os.environ.get(name, "") for name in SAME}


@contextmanager
def using(workers: int = 1, backend: str = "threads", scheduler: str = "") -> Iterator[None]:
    """Run every `each` inside on so many workers (-1: every core) of this kind; a scheduler's address means Dask.

    Workers of a cluster must have been started with the same settings; they are asked, and refused by name.
    """
    from joblib import parallel_config

    kind = "dask" if scheduler else backend
    if kind not in BACKENDS:
        raise ParameterError(f"backend: found {backend}, expected one of {', '.join(BACKENDS)}")
    if kind != "dask":
        with parallel_config(backend=BACKENDS[kind], n_jobs=workers):
            yield
        return
    if not scheduler:
        raise ParameterError("backend dask: found no scheduler, expected its address; add --scheduler tcp://HOST:PORT")
    try:
        from distributed import Client
    except ImportError:
        raise ParameterError("backend dask: found no distributed, expected it; pip install 'foresaid[cluster]'") from None
    try:
        client = Client(scheduler, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ParameterError(f"scheduler {scheduler}: found none ({error}), expected a running one") from None
    with client:
        wanted = settings()
        for worker, found in client.run(settings).items():
            if found != wanted:
                name = next(name for name in SAME if found[name] != wanted[name])
                raise ParameterError(
                    f"worker {worker}: found {name}={found[name]!r}, expected {wanted[name]!r}; start it with that setting"
                )
        with parallel_config(backend="dask", n_jobs=-1):
            yield


@contextmanager
def threads() -> Iterator[None]:
    """Run every `each` inside on threads of this process, one a core at most: for work on what need not be sent anywhere.

    As many as `using` asks for where it asks for threads; one where it has put nothing in place.

    >>> with using(2), threads():
    ...     each(abs, [-1, 2])
    [1, 2]
    """
    from joblib import parallel_config
    from joblib.parallel import get_active_backend

    _, wanted = get_active_backend()
    with parallel_config(backend="threading", n_jobs=wanted):
        yield


def _shard(function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
    return [function(task) for task in tasks]


def each(function: Callable[[Task], Result], tasks: Sequence[Task], shard: int = 1) -> list[Result]:
    """Apply a function to every task, `shard` of them to a job; return the results in the order of the tasks.

    >>> each(abs, [-1, 2, -3], shard=2)
    [1, 2, 3]
    """
    from joblib import Parallel, delayed

    jobs = [tasks[i : i + shard] for i in range(0, len(tasks), shard)]
    if len(jobs) < 2:
        return _shard(function, tasks)
    return [result for part in Parallel()(delayed(_shard)(function, job) for job in jobs) for result in part]
