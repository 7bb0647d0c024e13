"""What pre-training is worth by fine-tuning size, as a command prints it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foresaid.studies.transfer.checkpoints import Checkpoints, Worth
from foresaid.studies.transfer.joint import JointFit
from foresaid.text import columns, number


def lines(
    own: Checkpoints,
    found: Sequence[Worth],
    joint: tuple[list[JointFit], list[JointFit]],
    crossing: tuple[float, float] | None,
    maximum: float | None,
) -> list[str]:
    """Write the gain of every size, what the laws with both sizes say, and where loss and score disagree."""
    header = ["examples", "checkpoints", own.score_name, "against", "gain", "pre-training is"]
    header += ["gain at the most tokens", "80 % from", "to"] if maximum is not None else []
    rows = [header]
    for one in found:
        against = number(one.against) + ("" if one.untrained else " (first checkpoint)")
        cells = [f"{one.examples:g}", str(one.checkpoints), number(one.score), against, number(one.gain), one.verdict]
        rows.append(cells + ([number(one.ahead), number(one.low), number(one.high)] if maximum is not None else []))
    made = columns(rows, (5,))
    if crossing is not None:
        made.append(f"the gain stops counting between {crossing[0]:g} and {crossing[1]:g} examples")
    scores, losses = joint
    for name, fits in ((own.score_name, scores), (own.loss_name, losses)):
        if fits:
            said = "; ".join(
                f"{one.form}: BIC {number(one.bic - fits[0].bic)} above the best, RMS {number(one.rms)} of ln" for one in fits
            )
            made.append(f"{name} in both sizes, checkpoints counted as independent: {said}")
    if maximum is not None and scores:
        for size in own.sizes:
            at = np.array([maximum]), np.array([size])
            said = f"{own.score_name} {number(float(scores[0].predict(*at)[0]))}"
            said += f", {own.loss_name} {number(float(losses[0].predict(*at)[0]))}" if losses else ""
            made.append(f"by the laws with both sizes, {size:g} examples at {maximum:g} tokens: {said}")
    if own.loss_name:
        steps, falls, both = (sum(getattr(one, name) for one in found) for name in ("steps", "loss_falls", "score_falls"))
        made.append(
            f"{own.loss_name} falls in {falls} of {steps} steps between checkpoints; in {both} of those {own.score_name} falls "
            "beyond noise" + (": there they disagree, and the score decides" if both else "")
        )
    return made
