"""Where work runs: one call that is the same on one core, on all of them, and on a Dask cluster.

Tasks go in and results come out in the same order. Nothing here touches a random number or adds up results, so neither the
number of workers, nor the kind, nor the size of a shard can change a byte. `each` names no backend: joblib takes the one that
`using` has put in place. Threads are the default, since compiled kernels release the interpreter's lock and nothing is copied.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from foresaid.errors import ParameterError
from foresaid.reproducible import KERNELS

Task = TypeVar("Task")
Result = TypeVar("Result")

PATIENCE = 10  # seconds a scheduler has to answer
BACKENDS = {"threads": "threading", "processes": "loky", "dask": "dask"}
SAME = (*KERNELS, "FORESAID_ENGINE")  # what decides the last digit of a result, and so has to be the same for every worker


Watcher = Callable[[str, int, int], object]  # what is counted, how many are done, of how many
_watchers: list[Watcher] = []  # the innermost `watched` last; empty where nobody looks


@contextmanager
def watched(by: Watcher) -> Iterator[None]:
    """Tell this watcher how far the loops inside are; what it says or does changes no result."""
    _watchers.append(by)
    try:
        yield
    finally:
        _watchers.remove(by)


def counted(tasks: Iterable[Task], what: str, total: int) -> Iterator[Task]:
    """Hand the tasks on one by one, and tell who watches how many are done.

    >>> seen = []
    >>> with watched(lambda *count: seen.append(count)):
    ...     list(counted("ab", "letters", 2))
    ['a', 'b']
    >>> seen
    [('letters', 0, 2), ('letters', 1, 2), ('letters', 2, 2)]
    """
    done = -1
    for done, task in enumerate(tasks):
        _tell(what, done, total)
        yield task
    _tell(what, done + 1, total)


def _tell(what: str, done: int, total: int) -> None:
    if _watchers:
        _watchers[-1](what, done, total)


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
                line = " ".join(f"{one}={shlex.quote(wanted[one])}" for one in SAME if found[one] != wanted[one])
                raise ParameterError(
                    f"worker {worker}: found {name}={found[name]!r}, expected {wanted[name]!r}; "
                    f"type `export {line}` before you start it"
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


def each(function: Callable[[Task], Result], tasks: Sequence[Task], shard: int = 1, what: str = "") -> list[Result]:
    """Apply a function to every task, `shard` of them to a job; return the results in the order of the tasks.

    `what` names the jobs to who watches; without it nothing is told.

    >>> each(abs, [-1, 2, -3], shard=2)
    [1, 2, 3]
    """
    from joblib import Parallel, delayed

    jobs = [tasks[i : i + shard] for i in range(0, len(tasks), shard)]
    if len(jobs) < 2:
        return _shard(function, tasks)
    work = (delayed(_shard)(function, job) for job in jobs)
    if not (what and _watchers):
        return [result for part in Parallel()(work) for result in part]
    return [result for part in counted(Parallel(return_as="generator")(work), what, len(jobs)) for result in part]
