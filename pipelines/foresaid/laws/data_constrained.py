"""The law of loss when training data are repeated: an epoch more is worth less each time.

Unique tokens are the third covariate. Data and parameters in excess of what the unique data can use decay in value, each with
its own constant; those two constants are weakly identified by every public set of runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting._elementary import exp, log
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.law import Law, Parameter
from foresaid.fitting.robust_loss import Huber, RobustLoss
from foresaid.laws._loss_surface import COMPUTE_AXIS, LIMIT, REACH, log10_flops, power
from foresaid.laws._settings import read_entries
from foresaid.registry.view import View

STARTS = ((5.3, 15.0), (1.0, 5.0), (30.0, 60.0))


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine; see `_parts` for the names."""
    for i in range(f.size):
        u = min(x[2, i], x[1, i])
        best = (p[1] - p[2]) / p[3] + u
        used = min(best, x[0, i])
        over = exp(min(max(x[0, i] - used, -LIMIT), LIMIT)) - 1.0
        again = exp(min(max(x[1, i] - u, -LIMIT), LIMIT)) - 1.0
        left_n = exp(max(-over / p[4], -LIMIT))
        left_d = exp(max(-again / p[5], -LIMIT))
        worth_n = 1.0 + p[4] * (1.0 - left_n)
        worth_d = 1.0 + p[5] * (1.0 - left_d)
        ln_n = used + log(worth_n)
        ln_d = u + log(worth_d)
        first = exp(min(max(p[1] - p[3] * ln_n, -LIMIT), LIMIT))
        second = exp(min(max(p[2] - p[3] * ln_d, -LIMIT), LIMIT))
        pull = 0.0
        if best < x[0, i]:
            pull = -p[3] * first * (1.0 - left_n * (over + 1.0) / worth_n)
        f[i] = p[0] + first + second
        J[0, i] = 1.0
        J[1, i] = first + pull / p[3]
        J[2, i] = second - pull / p[3]
        J[3, i] = -first * ln_n - second * ln_d - pull * (p[1] - p[2]) / (p[3] * p[3])
        J[4, i] = -p[3] * first * (1.0 - left_n - over / p[4] * left_n) / worth_n
        J[5, i] = -p[3] * second * (1.0 - left_d - again / p[5] * left_d) / worth_d


@dataclass(frozen=True)
class Repeated:
    """One loss' entry in params.yaml: its sizes. Tokens count repeats, unique tokens do not."""

    parameters: str = "params_total"
    tokens: str = "training_tokens"
    unique: str = "unique_tokens"


@dataclass(frozen=True)
class DataConstrained(Law):
    """A loss in parameters, tokens and unique tokens.

        L = E + A / N'^alpha + B / D'^alpha
        D' = U_D (1 + R_D* (1 - exp(-R_D / R_D*))),   R_D = D / U_D - 1
        N' = U_N (1 + R_N* (1 - exp(-R_N / R_N*))),   R_N = N / U_N - 1,   U_N = min(N, (A / B)^(1 / alpha) U_D)

    `L` is in nats per token; `N` parameters, `D` tokens seen, `U_D` unique tokens (at most D); `E` at least 0; `A`, `B` above 0;
    `alpha` between 0.05 and 2, shared; `R_D*`, `R_N*` above 0: repeats, and parameters beyond the best number, are worth 1/e
    less after so many. (A / B)^(1 / alpha) U_D is the best number of parameters for U_D tokens.

    Muennighoff et al. 2023, arXiv 2305.16264, equations 5 and 6; constants of their README: A 520.8, B 1487.7, E 1.869,
    alpha 0.3527, R_D* 15.39, R_N* 5.31.

    Do not trust R_D* and R_N* apart: their own fits range from 4 to 508 and from 0 to 288.

    >>> law = DataConstrained(sources=("s",))
    >>> point = np.array([np.exp(0.6254804), 6.255414, 7.3049974, 0.3526596, 5.309743, 15.387756])
    >>> law.curve(point, np.log([[6.34e9, 242e9, 25e9]])).round(10).tolist()
    [2.225644089]
    """

    sources: tuple[str, ...]
    losses: dict[str, Repeated] = field(default_factory=dict)

    name: ClassVar[str] = "data_constrained"
    title: ClassVar[str] = "Loss when data are repeated"
    formula: ClassVar[str] = "L = E + A / N′^α + B / D′^α,  D′ = U (1 + R* (1 − exp(−R / R*)))"
    reference: ClassVar[str] = "Muennighoff et al. 2023, arXiv 2305.16264, eq. 5–6"
    limitations: ClassVar[str] = (
        "The two decay constants are weakly identified and trade against each other; beyond some forty repeats nothing was "
        "measured. One corpus and tokeniser only."
    )
    axis_title: ClassVar[str] = COMPUTE_AXIS
    noise: ClassVar[str] = "log"
    robust_loss: ClassVar[RobustLoss] = Huber(1e-2)
    columns: ClassVar[Any] = staticmethod(_columns)

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        return {**values, "losses": read_entries(Repeated, values.get("losses", {}), "laws, losses")}

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each loss."""
        made = []
        for quantity_id, settings in sorted(self.losses.items()):
            quantity = view.quantity(quantity_id)
            sizes = (settings.parameters, settings.tokens, settings.unique)
            wide = view.wide([quantity_id, *sizes], self.sources).drop_nulls([quantity_id, *sizes])
            covariates = tuple(Covariate(name, "ln") for name in sizes)
            target = Target(
                quantity_id, quantity.title, quantity_id, covariates, 0.0, 1.0, quantity.lower, quantity.upper, quantity.resolver,
                "+".join(sorted(set(wide["family"]))) or None,
            )  # fmt: skip
            x = np.column_stack([item.apply(wide[item.quantity_id].to_numpy().astype(float)) for item in covariates])
            made.append(TrainingTable.of_rows(target, wide, "run", x, wide[quantity_id].to_numpy().astype(float)))
        return [table for table in made if table.n]

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Floor, ln A, ln B, the exponent, and the two decay constants."""
        del target, columns
        return (
            Parameter("irreducible", "loss that no size removes", "nats per token", 0.0, 20.0, (0.5, 2.5), natural=True),
            Parameter("ln_A", "ln of A", "ln nats", -5.0, 60.0, (2.0, 15.0)),
            Parameter("ln_B", "ln of B", "ln nats", -5.0, 60.0, (2.0, 15.0)),
            Parameter("alpha", "exponent of parameters and tokens", "", 0.05, 2.0, (0.15, 0.7)),
            Parameter("parameter_decay", "R_N*, excess parameters worth 1/e less", "multiples", 0.05, 1000.0, (0.5, 50.0)),
            Parameter("repeat_decay", "R_D*, repeats worth 1/e less", "repeats", 0.05, 1000.0, (2.0, 60.0)),
        )

    @staticmethod
    def _worth(excess: Array, decay: Array) -> tuple[Array, Array, Array]:
        """1 + R* (1 - exp(-R / R*)), and its derivatives by R and by R*."""
        left = power(-excess / decay)
        return 1.0 + decay * (1.0 - left), left, 1.0 - left - excess / decay * left

    def _parts(self, parameters: Array, x: Array) -> dict[str, Array]:
        _, a, b, alpha, decay_n, decay_d = (parameters[..., i, None] for i in range(6))
        n, d, u = (x[..., i] for i in range(3))
        u = np.minimum(u, d)
        best = (a - b) / alpha + u
        bound = best < n
        used = np.where(bound, best, n)
        over, again = power(n - used) - 1.0, power(d - u) - 1.0
        worth_n, slope_n, by_decay_n = self._worth(over, decay_n)
        worth_d, _, by_decay_d = self._worth(again, decay_d)
        first = power(a - alpha * (used + np.log(worth_n)))
        second = power(b - alpha * (u + np.log(worth_d)))
        return {
            "first": first, "second": second, "ln_n": used + np.log(worth_n), "ln_d": u + np.log(worth_d),
            "by_used": np.where(bound, 1.0 - slope_n * (over + 1.0) / worth_n, 0.0),
            "by_decay_n": by_decay_n / worth_n, "by_decay_d": by_decay_d / worth_d,
        }  # fmt: skip

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        part = self._parts(parameters, x)
        return np.asarray(parameters[..., 0, None] + part["first"] + part["second"])

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by the six parameters; the best number of parameters moves with A, B and alpha."""
        part = self._parts(parameters, x)
        _, a, b, alpha, *_ = (parameters[..., i, None] for i in range(6))
        first, second = part["first"], part["second"]
        pull = -alpha * first * part["by_used"]  # through U_N
        columns = [
            np.ones_like(first),
            first + pull / alpha,
            second - pull / alpha,
            -first * part["ln_n"] - second * part["ln_d"] - pull * (a - b) / alpha**2,
            -alpha * first * part["by_decay_n"],
            -alpha * second * part["by_decay_d"],
        ]
        return np.stack(columns, axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """The printed constants, at the level of these losses, with three pairs of decay constants."""
        made = []
        for decay_n, decay_d in STARTS:
            point = np.array([0.0, 6.255414, 7.3049974, 0.3526596, decay_n, decay_d])
            floor = float(np.clip(np.median(y - self.curve(point, x)), 0.0, 0.95 * y.min()))
            made.append([floor, *point[1:]])
        return np.array(made)

    def horizon(self, x: Array) -> Array:
        """The rows, and eight times the largest sizes on the same unique data."""
        return np.vstack([x, x.max(axis=0) + np.log(REACH) * np.array([1.0, 1.0, 0.0])])

    def axis(self, point: Array, x: Array) -> Array:
        """Training compute, log10(6 N D)."""
        del point
        return log10_flops(x)

    def place(self, x: Array, progress: int) -> Array | None:
        """Training compute, ln(6 N D)."""
        return np.asarray(np.log(6.0) + progress * (x[:, 0] + x[:, 1]))

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the floor below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])
