"""The small transformer of our own emergence experiment, its pre-training and its fine-tuning.

The only module that knows PyTorch, which is optional (`pip install 'foresaid[experiment]'`) and imported inside functions.
Every parameter carries a leading axis of replicas: the replicas of a stack never mix, so fine-tuning on several
subsets at once gives each the result it would have alone, at less cost. Starting values and the order of rows come from
NumPy generators; one thread and PyTorch's deterministic algorithms do the rest, so a run repeats itself bit for bit on one
machine. Across processors the last digits of the sums may differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foresaid.errors import UnreadableError
from foresaid.studies.emergence.language import CONTEXT, VOCABULARY, Integers

Floats = np.ndarray[Any, np.dtype[np.float32]]
Weights = dict[str, Floats]

LAYERS, HEADS = 2, 4
EMBEDDING_SPREAD, SPREAD = 0.1, 0.05  # of the starting weights; chosen on pilot seeds because the skill emerges soonest
PRETRAINING_RATE, PRETRAINING_WARMUP = 2e-3, 100
FINETUNING_RATE, FINETUNING_WARMUP = 2e-3, 10
BATCH, FINETUNING_BATCH, EPOCHS = 32, 16, 4


def library() -> Any:
    """Import PyTorch, set to one thread and deterministic algorithms, or say how to install it."""
    try:
        import torch
    except ImportError:
        raise UnreadableError(
            "experiment: found no PyTorch, expected version 2.9 or later; run `pip install 'foresaid[experiment]'`"
        ) from None
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return torch


def initial(rng: np.random.Generator, width: int) -> Weights:
    """Draw starting weights: normal, standard deviation 0.1 (embeddings), 0.05, or 0.025 (what writes to the residual stream).

    >>> sum(value.size for value in initial(np.random.default_rng(0), 64).values())
    110566
    """

    def normal(*shape: int, scale: float) -> Floats:
        return (scale * rng.standard_normal(shape)).astype(np.float32)

    sizes = {"token": VOCABULARY, "previous": VOCABULARY, "place": CONTEXT}
    weights: Weights = {name: normal(size, width, scale=EMBEDDING_SPREAD) for name, size in sizes.items()}
    for layer in range(LAYERS):
        for norm in ("norm_1", "norm_2"):
            weights[f"{layer}.{norm}.gain"] = np.ones(width, np.float32)
            weights[f"{layer}.{norm}.bias"] = np.zeros(width, np.float32)
        shapes = {"attend": (width, 3 * width), "mix": (width, width), "up": (width, 4 * width), "down": (4 * width, width)}
        for name, shape in shapes.items():
            scale = SPREAD / np.sqrt(2 * LAYERS) if name in ("mix", "down") else SPREAD
            weights[f"{layer}.{name}.weight"] = normal(*shape, scale=float(scale))
            weights[f"{layer}.{name}.bias"] = np.zeros(shape[1], np.float32)
    weights["norm.gain"], weights["norm.bias"] = np.ones(width, np.float32), np.zeros(width, np.float32)
    weights["head.weight"], weights["head.bias"] = normal(width, VOCABULARY, scale=SPREAD), np.zeros(VOCABULARY, np.float32)
    return weights


def _stack(torch: Any, weights: Weights, replicas: int) -> dict[str, Any]:
    return {name: torch.from_numpy(np.repeat(value[None], replicas, axis=0)).requires_grad_() for name, value in weights.items()}


def _logits(torch: Any, stack: Mapping[str, Any], tokens: Any, last: bool) -> Any:
    """Return logits (replicas, rows, places or 1, vocabulary); with `last`, of the last place alone."""
    functional = torch.nn.functional
    replicas, rows, places = tokens.shape
    width = stack["token"].shape[-1]
    offset = torch.arange(replicas)[:, None, None] * VOCABULARY

    def embed(name: str, which: Any) -> Any:
        return functional.embedding(which + offset, stack[name].reshape(-1, width))

    def norm(name: str, x: Any) -> Any:
        return functional.layer_norm(x, (width,)) * stack[f"{name}.gain"][:, None, None] + stack[f"{name}.bias"][:, None, None]

    def linear(name: str, x: Any, start: int = 0, stop: int | None = None) -> Any:
        bias, weight = stack[f"{name}.bias"][:, None, start:stop], stack[f"{name}.weight"][:, :, start:stop]
        flat = x.reshape(replicas, -1, x.shape[-1])
        return torch.baddbmm(bias, flat, weight).reshape(replicas, rows, x.shape[2], -1)

    def heads(x: Any) -> Any:
        return x.reshape(replicas * rows, x.shape[2], HEADS, width // HEADS).transpose(1, 2)

    before = torch.cat([tokens[:, :, :1], tokens[:, :, :-1]], dim=2)
    x = embed("token", tokens) + embed("previous", before) + stack["place"][:, None, :places]
    for layer in range(LAYERS):
        only_last = last and layer == LAYERS - 1
        y = norm(f"{layer}.norm_1", x)
        x = x[:, :, -1:] if only_last else x
        asking = linear(f"{layer}.attend", y[:, :, -1:] if only_last else y, 0, width)
        key, value = linear(f"{layer}.attend", y, width).split(width, dim=-1)
        mixed = functional.scaled_dot_product_attention(heads(asking), heads(key), heads(value), is_causal=not only_last)
        x = x + linear(f"{layer}.mix", mixed.transpose(1, 2).reshape(replicas, rows, -1, width))
        x = x + linear(f"{layer}.down", functional.gelu(linear(f"{layer}.up", norm(f"{layer}.norm_2", x))))
    return linear("head", norm("norm", x))


def _train(torch: Any, stack: dict[str, Any], batches: Iterator[tuple[Any, Any]], rate: float, warmup: int) -> Iterator[int]:
    """Take one AdamW step a batch of (tokens, wanted); the replicas' losses are added, so none feels another."""
    optimiser = torch.optim.AdamW(list(stack.values()), lr=rate, fused=True)
    for step, (tokens, wanted) in enumerate(batches, start=1):
        optimiser.param_groups[0]["lr"] = rate * min(1.0, step / warmup)
        logits = _logits(torch, stack, tokens, last=wanted.shape[-1] == 1)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 2), wanted.flatten()) * tokens.shape[0]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield step


def pretrain(weights: Weights, batches: Iterator[Integers], checkpoints: Sequence[int]) -> Iterator[tuple[int, Weights]]:
    """Pre-train on batches of rows and yield the weights after each of the steps asked for."""
    torch = library()
    stack = _stack(torch, weights, 1)
    rows = (torch.from_numpy(batch)[None] for batch in batches)
    for step in _train(torch, stack, ((row[:, :, :-1], row[:, :, 1:]) for row in rows), PRETRAINING_RATE, PRETRAINING_WARMUP):
        if step in checkpoints:
            yield step, {name: value.detach()[0].numpy().copy() for name, value in stack.items()}
        if step >= max(checkpoints):
            return


def text_loss(weights: Weights, rows: Integers) -> float:
    """Return the mean cross-entropy in nats per token over rows (n, 49)."""
    torch = library()
    with torch.no_grad():
        stack = _stack(torch, weights, 1)
        tokens = torch.from_numpy(rows)[None]
        logits = _logits(torch, stack, tokens[:, :, :-1], last=False)
        return float(torch.nn.functional.cross_entropy(logits.flatten(0, 2).double(), tokens[:, :, 1:].flatten()))


@dataclass(frozen=True)
class Questions:
    """Prompts (..., n, places), the digits to choose from (..., n, 4) and the place of the right one (..., n)."""

    asked: Integers
    choices: Integers
    answer: Integers

    def wanted(self) -> Integers:
        """The token that answers each prompt (..., n)."""
        return np.asarray(np.take_along_axis(self.choices, self.answer[..., None], axis=-1)[..., 0])


def _accuracy(torch: Any, stack: Mapping[str, Any], questions: Questions, replicas: int) -> list[float]:
    tokens = torch.from_numpy(questions.asked)[None].expand(replicas, -1, -1)
    chosen = _logits(torch, stack, tokens, last=True)[:, :, 0].gather(
        2, torch.from_numpy(questions.choices)[None].expand(replicas, -1, -1)
    )
    right = chosen.argmax(dim=2) == torch.from_numpy(questions.answer)[None]
    return [float(share) for share in right.double().mean(dim=1)]


def accuracy(weights: Weights, questions: Questions) -> float:
    """Return the share of questions answered rightly, each a choice among the four digits of its prompt."""
    torch = library()
    with torch.no_grad():
        return _accuracy(torch, _stack(torch, weights, 1), questions, 1)[0]


def finetune(weights: Weights, training: Questions, validation: Questions, test: Questions, orders: Integers) -> list[float]:
    """Fine-tune one replica a subset and return each one's test accuracy.

    `training` holds (subsets, D) prompts, `validation` (subsets, V), `test` (n); `orders` (subsets, epochs, D) says in which
    order each epoch takes its examples. The loss is on the answer alone; the epoch with the lowest validation loss counts.
    """
    torch = library()
    subsets, size = training.answer.shape
    stack = _stack(torch, weights, subsets)
    rows = np.arange(subsets)[:, None]
    asked, wanted = training.asked, training.wanted()
    held = torch.from_numpy(validation.asked), torch.from_numpy(validation.wanted())
    taken = (
        (torch.from_numpy(asked[rows, which]), torch.from_numpy(wanted[rows, which])[:, :, None])
        for epoch in range(orders.shape[1])
        for which in np.split(orders[:, epoch], range(FINETUNING_BATCH, size, FINETUNING_BATCH), axis=1)
    )
    best = torch.full((subsets,), float("inf"))
    kept: dict[str, Any] = {}
    per_epoch = -(-size // FINETUNING_BATCH)
    for step in _train(torch, stack, taken, FINETUNING_RATE, FINETUNING_WARMUP):
        if step % per_epoch:
            continue
        with torch.no_grad():
            logits = _logits(torch, stack, held[0], last=True)[:, :, 0]
            loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), held[1], reduction="none").mean(dim=1)
            better = loss < best
            best = torch.where(better, loss, best)
            kept = {
                name: torch.where(better.reshape(-1, *[1] * (value.dim() - 1)), value, kept.get(name, value)).clone()
                for name, value in stack.items()
            }
    with torch.no_grad():
        return _accuracy(torch, kept, test, subsets)
