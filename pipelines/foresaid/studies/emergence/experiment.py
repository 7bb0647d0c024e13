"""Our own emergence experiment: what is run, in which order, and where each result is kept.

Small transformers are pre-trained on text that holds a share of a skill; each checkpoint is questioned as it stands and after
fine-tuning on 64 to 512 examples. The secret of this module is the split in time: of every run the *early* checkpoints are
those up to the first at which fine-tuning on the nearest size has emerged, a rule that reads nothing later. The rest are
held back until predictions made from the early ones are written down. Each checkpoint's result is a file of its own, so that
a stopped run loses nothing and goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foresaid.files import write_json
from foresaid.reproducible import generator
from foresaid.studies.emergence import language as text
from foresaid.studies.emergence import transformer as model
from foresaid.studies.emergence.predict import HORIZONS
from foresaid.studies.emergence.thresholds import CUT

SIZES = (64, 96, 128, 192, 256, 384, 512)
NEAREST = min(HORIZONS)  # a run's early checkpoints end where fine-tuning on so many examples first reaches the cut
SUBSETS = 2
CHECKPOINTS, SPAN = 12, 8.0  # of a run, spaced evenly in the logarithm of the step; the last step over the first
LAST_STEP = {0.05: 1000, 0.1: 1000, 0.2: 600, 0.3: 460, 0.4: 380}  # from pilot seeds: emergence falls well inside
SLOWER = {48: 1.5, 64: 1.0, 96: 1.0}  # factor on the steps of a width
HELD_OUT_ROWS, QUESTIONS = 512, 1000


@dataclass(frozen=True)
class Run:
    """One pre-training: share of skill rows, width of the model, seed.

    >>> Run(0.2, 64, 111).name
    'f0.2-d64-s111'
    >>> Run(0.2, 64, 111).steps()
    [75, 91, 109, 132, 160, 193, 233, 282, 340, 411, 497, 600]
    """

    frequency: float
    width: int
    seed: int

    @property
    def name(self) -> str:
        """The run's key."""
        return f"f{self.frequency}-d{self.width}-s{self.seed}"

    def steps(self) -> list[int]:
        """The steps after which a checkpoint is kept."""
        last = LAST_STEP[self.frequency] * SLOWER[self.width]
        return [round(step) for step in np.geomspace(last / SPAN, last, CHECKPOINTS)]


SEEDS = tuple(range(111, 121))  # fresh: 101 and the letters a to c were pilots
# Seed by seed, so that wherever a batch is stopped its table is balanced. Each has its own early table and predictions.
BATCHES: dict[int, tuple[Run, ...]] = {
    1: tuple(Run(frequency, 64, seed) for seed in SEEDS[:5] for frequency in (0.2, 0.3, 0.4)),
    2: (
        *(Run(0.1, 64, seed) for seed in SEEDS[:3]),  # the negative control
        *(Run(frequency, 64, seed) for seed in SEEDS[5:] for frequency in (0.2, 0.3, 0.4)),
    ),
    # the task emerged at 0.1 after all: a second control, added when that was seen
    4: tuple(Run(0.05, 64, seed) for seed in SEEDS[:2]),
    3: tuple(Run(frequency, width, seed) for seed in SEEDS[:2] for width in (48, 96) for frequency in (0.2, 0.4)),
}


def _pretrain(run: Run, language: text.Language, folder: Path) -> None:
    """Pre-train a run unless its checkpoints are there; seeds are shared by frequencies, so that runs of a seed pair up."""
    wanted = {step: folder / run.name / f"step-{step:05d}.npz" for step in run.steps()}
    if all(path.exists() for path in wanted.values()):
        return
    rng = generator(text.ROOT, "pre-training rows", str(run.seed))

    def batches() -> Iterator[text.Integers]:
        while True:
            yield text.batch(language, rng, model.BATCH, run.frequency)

    start = model.initial(generator(text.ROOT, "starting weights", str(run.seed)), run.width)
    for step, weights in model.pretrain(start, batches(), run.steps()):
        path = wanted[step].with_name(f".{step}.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **weights)  # type: ignore[arg-type]
        path.replace(wanted[step])


def _questions(name: str, count: int, protocol: str) -> model.Questions:
    return model.Questions(*text.prompts(generator(text.ROOT, "questions", name), count, text.SHOWN[protocol]))


def subsets(seed: int) -> tuple[model.Questions, model.Questions]:
    """Return pools of training (subsets, 512) and validation (subsets, 128) prompts of a seed; its first D are the subset of D.

    >>> training, validation = subsets(111)
    >>> training.answer.shape, validation.answer.shape
    ((2, 512), (2, 128))
    """
    pools = []
    for purpose, count in (("training", max(SIZES)), ("validation", max(SIZES) // 4)):
        drawn = [
            text.prompts(generator(text.ROOT, "fine-tuning", purpose, str(seed), str(subset)), count, text.PAIRS)
            for subset in range(1, SUBSETS + 1)
        ]
        pools.append(model.Questions(*(np.stack(part) for part in zip(*drawn, strict=True))))
    return pools[0], pools[1]


def _cut(pool: model.Questions, size: int) -> model.Questions:
    return model.Questions(pool.asked[:, :size], pool.choices[:, :size], pool.answer[:, :size])


def _evaluate(run: Run, step: int, language: text.Language, folder: Path) -> dict[str, Any]:
    """Measure one checkpoint, or read what was measured."""
    kept = folder / run.name / f"step-{step:05d}.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_bytes())
        return found
    with np.load(folder / run.name / f"step-{step:05d}.npz") as file:
        weights = dict(file)
    tests = {protocol: _questions(protocol, QUESTIONS, protocol) for protocol in text.SHOWN}
    training, validation = subsets(run.seed)
    fine_tuned = {}
    for size in SIZES:
        draws = [
            generator(text.ROOT, "order", str(run.seed), str(subset), str(size)).random((model.EPOCHS, size))
            for subset in range(1, SUBSETS + 1)
        ]
        orders = np.argsort(np.stack(draws), axis=2)
        held = _cut(validation, size // 4)
        fine_tuned[str(size)] = model.finetune(weights, _cut(training, size), held, tests["zero_shot"], orders)
    found = {
        "step": step,
        "text_loss": model.text_loss(weights, language.rows(generator(text.ROOT, "held-out text"), HELD_OUT_ROWS)),
        **{protocol: model.accuracy(weights, questions) for protocol, questions in tests.items()},
        "fine_tuned": fine_tuned,
    }
    write_json(kept, found)
    return found


def stops(found: dict[str, Any], size: int = NEAREST) -> bool:
    """Say whether a checkpoint ends the early part: fine-tuning on `size` examples reaches the cut, or no fine-tuning does.

    >>> stops({"few_shot": 0.26, "fine_tuned": {"192": [0.33, 0.38]}})
    True
    >>> stops({"few_shot": 0.26, "fine_tuned": {"192": [0.33, 0.36]}})
    False
    """
    return float(np.mean(found["fine_tuned"][str(size)])) >= CUT or found["few_shot"] >= CUT


def run_batch(batch: int, folder: Path, held_back: bool, say: Any = print) -> None:
    """Pre-train and measure the early checkpoints of a batch, or with `held_back` all of them."""
    model.library()
    language = text.Language()
    for run in BATCHES[batch]:
        _pretrain(run, language, folder)
        for step in run.steps():
            found = _evaluate(run, step, language, folder)
            if stops(found) and not held_back:
                break
        say(f"experiment: {run.name}, measured up to step {step}")
