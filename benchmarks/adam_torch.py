"""Sloth's training in torch, as its authors train: automatic gradients, Adam, a rate lowered on plateaus, early stopping.

The steps are those of `peers.adam`, which has the gradient in closed form. torch as PyPI has it is five gigabytes with
the libraries it loads, so no extra brings it: where it is not installed the row of goal 8 quotes what was measured apart.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.measure import module
from foresaid.arrays import Array


def adam_in_torch(
    rows: Array, y: Array, floor: Array, skills: int, rate: float, steps: int, seed: int = 42
) -> tuple[float, float, int]:
    """Train as `peers.adam` does, by torch on one thread; return loss, MAE, steps."""
    torch = module("torch")
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    shapes = [(rows.shape[1], skills), (skills, y.shape[1]), (y.shape[1],)]
    p = [torch.tensor(rng.uniform(-1, 1, shape) / math.sqrt(shape[0]), requires_grad=True) for shape in shapes]
    made, wanted, guessed = torch.tensor(rows), torch.tensor(y), torch.tensor(floor)
    measure = torch.nn.SmoothL1Loss(beta=0.01)
    optimiser = torch.optim.Adam(p, lr=rate)
    lowest, kept, since, waited, step = math.inf, p, 0, 0, 0

    def forecast(at: list[object]) -> object:
        return guessed + (1.0 - guessed) * torch.sigmoid(made @ at[0] @ at[1] + at[2])

    while step < steps:
        step += 1
        optimiser.zero_grad()
        loss = measure(forecast(p), wanted)
        loss.backward()
        value = loss.item()
        if value < lowest * (1.0 - 1e-4):
            lowest, kept, since, waited = value, [item.detach().clone() for item in p], 0, 0
        else:
            since, waited = since + 1, waited + 1
        if waited >= 100:
            waited = 0
            for group in optimiser.param_groups:
                group["lr"] *= 0.5
        if since >= 1000:
            break
        optimiser.step()
    return lowest, float((forecast(kept) - wanted).abs().mean().item()), step
