"""Progress of a command that takes longer than two seconds: a line that moves on a terminal, one line a minute in a log.

What is counted comes from `parallel.watched`: every loop that says what it does there is seen, whatever command runs it. All of it
goes to stderr, so that the result of a command can be piped.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import TextIO

from foresaid import parallel

AFTER = 2.0  # seconds before anything is shown
EVERY = 60.0  # seconds between two lines of a log
WIPE = "\r\x1b[2K"  # back to the start of the line, and clear it
BLINK = 0.2  # seconds between two looks on a terminal


class Told:
    """What is known of the running command: its name, what it counts, how far it is, and how long it has run."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.name, self.clock, self.start = name, clock, clock()
        self.what, self.done, self.total = "", 0, 0
        self.lock, self.shown = threading.Lock(), False  # whether a bar stands on the line of the cursor

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take a count from a loop."""
        self.what, self.done, self.total = what, done, total

    def line(self) -> str:
        """Where the command is.

        >>> told = Told("hindcast", iter([0.0, 61.0]).__next__)
        >>> told("origins", 3, 28)
        >>> told.line()
        'hindcast: 61 s, origins 3 of 28'
        """
        counted = f", {self.what} {self.done:,} of {self.total:,}" if self.total else f", {self.what}" if self.what else ""
        return f"{self.name}: {self.clock() - self.start:.0f} s{counted}"


class Above(io.TextIOBase):
    """A stdout that is the terminal of the bar: what is written wipes the bar first, which is drawn again below."""

    def __init__(self, told: Told, stream: TextIO) -> None:
        self.told, self.stream = told, stream

    def write(self, text: str) -> int:
        """Write the text in place of the bar."""
        with self.told.lock:
            if self.told.shown:
                sys.stderr.write(WIPE)
                sys.stderr.flush()
            self.stream.write(text)
            self.stream.flush()
        return len(text)

    def isatty(self) -> bool:
        """A terminal it is."""
        return True


def in_log(told: Told, ended: threading.Event, write: Callable[[str], object]) -> None:
    """Write one line a minute until the command has ended."""
    while not ended.wait(EVERY):
        write(told.line() + "\n")


def on_terminal(told: Told, ended: threading.Event) -> None:
    """Move a bar on stderr from the second second on, until the command has ended; nothing of it stays."""
    if ended.wait(AFTER):
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    shown = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24))
    with Progress(
        *shown,
        console=Console(stderr=True, force_terminal=True),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task(told.line(), total=None)
        while not ended.wait(BLINK):
            with told.lock:
                told.shown = True
                bar.update(task, description=told.line(), completed=told.done, total=told.total or None, refresh=True)
    told.shown = False


@contextmanager
def showing(name: str, quiet: bool, verbose: bool, prints: bool = True) -> Iterator[None]:
    """Show the progress of what runs inside, from another thread; nothing with `quiet`, each new kind of count with `verbose`.

    `prints` says whether the command prints lines meanwhile.
    """
    told, ended = Told(name, time.monotonic), threading.Event()

    def take(what: str, done: int, total: int) -> None:
        if verbose and what != told.what:
            sys.stderr.write(f"{name}: {what}, {total:,} to do\n")
        told(what, done, total)

    if quiet:
        yield
        return
    terminal = sys.stderr.isatty()
    thread = (
        threading.Thread(target=on_terminal, args=(told, ended), daemon=True)
        if terminal
        else threading.Thread(target=in_log, args=(told, ended, sys.stderr.write), daemon=True)
    )
    with ExitStack() as stack:
        stack.enter_context(parallel.watched(take))
        if terminal and prints and sys.stdout.isatty():
            stack.enter_context(redirect_stdout(Above(told, sys.stdout)))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
