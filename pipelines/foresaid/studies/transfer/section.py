"""Transfer on the record: what pre-training is worth by fine-tuning size, a score beside its loss, laws with both sizes in them.

Pre-training curves of BLEU by fine-tuning size are not public. Our own experiment has every piece of them on a small scale (steps
of pre-training, fine-tuning sizes, accuracy, loss of the text), and the fine-tuning losses have model size in place of tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.evaluation.modes import SAID, SCALE
from foresaid.params import Params
from foresaid.registry.view import View
from foresaid.studies.law_sections import LawSection, StudyTable
from foresaid.studies.transfer.joint import PRODUCT, SUM, fit_loss

LAWS = ("bleu_log", "cross_entropy_power")
ACCURACY, TEXT_LOSS = "experiment_fine_tuned_accuracy", "experiment_text_loss"
SOURCE = "finetune-loss"
TASKS = ("finetune_wmt19_loss", "finetune_flan_loss")
MODELS = ("cerebras/cerebras-gpt-", "facebook/opt-", "gpt2", "mbzuai/lamini-gpt-")  # families of three sizes or more
TRAINED_UP_TO = 204_800  # fine-tuning examples, as in the hindcast of these losses
WORTH = 0.05  # of accuracy: a gain that counts
RISE = 0.02  # of accuracy: two standard errors of a mean of two samples of 1,000 questions near chance
CAPTION = "Our own experiment: accuracy after fine-tuning, and steps in which the loss of the text fell"
ROOM = 0.95  # of accuracy: above it nothing is left to gain
WIDTH = "-d64-"  # runs of the experiment itself; other widths are controls


def _experiment(view: View) -> pl.DataFrame:
    """Return rows by run, step and fine-tuning size: the loss of the text and mean accuracy over two samples."""
    place = pl.col("subject_id").str.split("/step-").list
    rows = view.observations.filter((pl.col("quantity_id") == ACCURACY) & pl.col("run").str.contains(WIDTH, literal=True))
    found = rows.with_columns(
        pl.col("setting").str.extract(r"D=(\d+)/").cast(pl.Int64).alias("examples"), place.get(1).cast(pl.Int64).alias("step"),
    )  # fmt: skip
    means = found.group_by("run", "step", "examples", "subject_id").agg(pl.col("value").mean().alias("accuracy"))
    losses = view.observations.filter(pl.col("quantity_id") == TEXT_LOSS).select("subject_id", pl.col("value").alias("loss"))
    share = pl.col("run").str.extract(r"/f([0-9.]+)-").cast(pl.Float64).alias("share")
    return means.join(losses, on="subject_id").with_columns(share).sort("run", "examples", "step")


def worth_by_size(view: View) -> list[tuple[float, int, int, float, float, float, int, int, int]]:
    """By share of the skill and fine-tuning size: runs, mean accuracy at the first and last checkpoint, and the steps between.

    Of the steps in which the loss of the text falls, how many move the accuracy by no more than noise, and how many lower it.
    """
    made = []
    for (share, examples), part in _experiment(view).group_by("share", "examples", maintain_order=True):
        runs = [one for _, one in part.group_by("run", maintain_order=True)]
        first, last = (float(np.mean([one["accuracy"][at] for one in runs])) for at in (0, -1))
        falls = np.concatenate([(np.diff(one["loss"].to_numpy()) < 0.0) & (one["accuracy"].to_numpy()[:-1] < ROOM) for one in runs])
        moves = np.concatenate([np.diff(one["accuracy"].to_numpy()) for one in runs])[falls]
        flat, lower = int((np.abs(moves) <= RISE).sum()), int((moves < -RISE).sum())
        made.append((float(share), int(examples), len(runs), first, last, last - first, len(moves), flat, lower))
    return sorted(made)


def joint_losses(view: View) -> list[tuple[str, str, int, str, float, float, float, float]]:
    """By task and family: models, the form BIC prefers, and the RMSE of ln loss of both forms on two hold-outs.

    Held out are the fine-tuning sizes beyond TRAINED_UP_TO, and the family's largest model at every size.
    """
    wide = view.wide([*TASKS, "finetuning_examples", "params_total"], (SOURCE,)).filter(pl.col("finetuning_examples") > 0)
    made = []
    for task in TASKS:
        for family in MODELS:
            rows = wide.filter(pl.col("family").str.starts_with(f"{SOURCE}/{family}") & pl.col(task).is_not_null())
            columns = ("params_total", "finetuning_examples", task)
            size, examples, loss = (rows[name].to_numpy().astype(float) for name in columns)
            if len(set(size.tolist())) < 3:
                continue
            best = fit_loss(size, examples, loss)[0].form
            later, largest = examples > TRAINED_UP_TO, size == size.max()
            beyond, larger = (_errors(size, examples, loss, held) for held in (later, largest))
            name = family.rstrip("-").split("/")[-1]
            made.append((task, name, len(set(size.tolist())), best, beyond[PRODUCT], beyond[SUM], larger[PRODUCT], larger[SUM]))
    return made


def _errors(size: Array, examples: Array, loss: Array, held: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> dict[str, float]:
    fits = fit_loss(size[~held], examples[~held], loss[~held])
    return {one.form: float(np.sqrt(np.mean(np.log(one.predict(size[held], examples[held]) / loss[held]) ** 2))) for one in fits}


def section(as_of: Callable[[date], View], params: Params) -> LawSection | None:
    """Say what the record says of transfer; None where it holds neither the experiment nor the fine-tuning losses."""
    view = as_of(params.fit_as_of)
    if not {ACCURACY, TEXT_LOSS, *TASKS} <= set(view.observations["quantity_id"].unique()):
        return None
    worth, joint = worth_by_size(view), joint_losses(view)
    sizes = sorted({row[1] for row in worth})
    gains = {size: [row[5] for row in worth if row[1] == size] for size in sizes}
    small, large = sizes[0], sizes[-1]
    steps, flat, lower = (sum(row[at] for row in worth) for at in (6, 7, 8))
    early, early_summed = [row[4] for row in joint], [row[5] for row in joint]
    far, far_summed = [row[6] for row in joint], [row[7] for row in joint]
    worst = min(worth, key=lambda row: row[5])
    said = (
        "Is pre-training worth it at this fine-tuning size? In our own experiment the gain in accuracy from the first to the last "
        f"checkpoint is {min(gains[small]):.2f} to {max(gains[small]):.2f}, by the share of the skill in the text, when {small} "
        f"examples follow, and {min(gains[large]):.2f} to {max(gains[large]):.2f} when {large} do. Least is it worth with a "
        f"share of {worst[0]:g} and {worst[1]} examples: {worst[5]:+.2f} over {worst[2]} runs. foresaid transfer asks the same of "
        "checkpoints of one’s own, with BLEU or any score from 0 to 100.",
        f"A score beside its loss: of {steps} steps between checkpoints in which the loss of the text fell while the accuracy "
        f"after fine-tuning had room to rise (below {ROOM:g}), it did not move beyond noise ({RISE:g}) in {flat} and fell beyond "
        f"it in {lower}. A falling loss alone says little about the task; no public table has BLEU and cross-entropy of the same "
        "checkpoints.",
        f"Laws with both sizes (model size stands for pre-training): beyond {TRAINED_UP_TO:,} examples the product form has the "
        f"lower error in {_below(early, early_summed)} of {len(joint)} families and tasks, on the largest model of a family in "
        f"{_below(far, far_summed)}; its errors of ln loss are {min(early):.3f} to {max(early):.3f} and {min(far):.3f} to "
        f"{max(far):.3f}.",
    )
    tables = (
        StudyTable(
            "worth",
            "Our own experiment: accuracy after fine-tuning, and steps in which the loss of the text fell",
            _WORTH,
            tuple(worth),
        ),
        StudyTable(
            "joint",
            "Fine-tuning losses with model size and examples in one law: RMSE of ln loss",
            _JOINT,
            tuple(joint),
            SAID[SCALE],
        ),
    )
    return LawSection(
        "transfer", "Pre-training by fine-tuning size, and a score beside its loss", LAWS, said, tables, "foresaid study"
    )


def _below(ours: list[float], theirs: list[float]) -> int:
    return sum(a < b for a, b in zip(ours, theirs, strict=True))


_WORTH = (
    "share of the skill", "examples", "runs", "accuracy, first checkpoint", "last", "gain", "steps with falling loss",
    "accuracy still", "accuracy fell",
)  # fmt: skip
_JOINT = (
    "task",
    "family",
    "models",
    "preferred",
    "far sizes, product",
    "far sizes, sum",
    "largest model, product",
    "largest model, sum",
)
