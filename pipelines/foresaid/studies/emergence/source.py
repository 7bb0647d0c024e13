"""Our own emergence experiment as a source of the registry: the measured table in the registry's schema.

A subject is a checkpoint, its run the pre-training, its family the seed, since runs of one seed share starting weights and rows.
The figures are ours: there is no upstream to read them from again, so the table itself is the only file the card names.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from math import sqrt
from pathlib import Path

from foresaid.registry import csv_files, formats
from foresaid.registry.formats import ObservationRow, SubjectRow
from foresaid.studies.emergence.experiment import QUESTIONS

NAME = "emergence-experiment"
KNOWN_ON = date(2026, 11, 21)  # the day the table was measured and became public with the repository


def setting(protocol: str, examples: int, subset: int) -> str:
    """Spell what was done before the question was asked.

    >>> setting("fine_tuned", 64, 1), setting("few_shot", 0, 0)
    ('D=64/subset=1', '')
    """
    return f"D={examples}/subset={subset}" if protocol == "fine_tuned" else ""


def rows(table: bytes) -> tuple[list[ObservationRow], list[SubjectRow]]:
    """Return the observations and subjects that the table holds."""
    observations: list[ObservationRow] = []
    subjects: dict[str, SubjectRow] = {}

    def observe(subject: str, quantity: str, setting: str, value: float, stderr: float | None, n: int | None) -> None:
        row = ObservationRow(subject, quantity, setting, KNOWN_ON, value, stderr, n, KNOWN_ON, "reported", "")
        observations.append(row)

    for line in csv.DictReader(io.StringIO(table.decode("utf-8"), newline="")):
        run, step = f"{NAME}/{line['run']}", int(line["step"])
        subject = f"{run}/step-{step:05d}"
        if subject not in subjects:
            note = f"skill frequency {line['frequency']}, width {line['width']}, {line['part'].replace('_', ' ')}"
            subjects[subject] = SubjectRow(subject, "checkpoint", run, f"{NAME}/s{line['seed']}", note)
            observe(subject, "experiment_text_loss", "", float(line["text_loss"]), None, None)
        accuracy = float(line["accuracy"])
        stderr = float(f"{sqrt(accuracy * (1 - accuracy) / QUESTIONS):.6g}")
        done = setting(line["protocol"], int(line["examples"]), int(line["subset"]))
        observe(subject, f"experiment_{line['protocol']}_accuracy", done, accuracy, stderr, QUESTIONS)
    return observations, list(subjects.values())


def card(table: bytes, directory: str, digest: str) -> str:
    """Return the source's card; strings are spelt as JSON, which TOML reads alike."""
    texts = {
        "title": "Our own emergence experiment: small transformers fine-tuned on 64 to 512 examples",
        "publisher": "foresaid",
        "url": "docs/emergence-experiment.md",
        "licence": "Apache-2.0",
        "redistribution": "yes",
        "citation": "foresaid, registry/experiments/emergence-2026-11",
        "kind": "training runs",
        "dates": "the day the table was measured; early checkpoints, predictions and held-back checkpoints came in this order",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in texts.items()]
    lines += [
        f"accessed = {KNOWN_ON}",
        'notes = """',
        "Accuracies are shares of 1,000 questions with four choices; fine-tuned ones name the number of examples and the subset.",
        '"""',
        "",
        "[[vintage]]",
        f"known_on = {KNOWN_ON}",
        'commit = ""',
        f"directory = {json.dumps(directory)}",
        "files = [",
        f'  {{path = "table.csv", sha256 = "{digest}", bytes = {len(table)}}},',
        "]",
    ]
    return "\n".join(lines) + "\n"


def contents(table: bytes, directory: str, digest: str, registry: Path) -> dict[Path, bytes]:
    """Return the source's three files by path."""
    observations, subjects = rows(table)
    folder = registry / "sources" / NAME
    return {
        folder / "observations.csv": csv_files.dump(observations, formats.OBSERVATIONS),
        folder / "subjects.csv": csv_files.dump(subjects, formats.SUBJECTS),
        folder / "source.toml": card(table, directory, digest).encode(),
    }
