"""Goals 5, 6 and 7: sums of power laws, on Epoch's points of the Chinchilla paper."""

from __future__ import annotations

import importlib.util
import tempfile
from typing import Any

import numpy as np

from benchmarks import chinchilla, engine, tables
from benchmarks.measure import Finding, MissingError, clock, each, module, ratio, seconds, verdict
from foresaid.arrays import Array
from foresaid.fitting.power_sum import fit_power_sum
from foresaid.fitting.robust_loss import LINEAR

KNOWN_MINIMUM = 1.01827402e-3  # of the notebook's 4,500 starts, run in full once
REPLICATES = 1000
THEIR_OWN = 0.902  # seconds of processor time a replicate, Epoch's own code on two cores of this class; not measured in this run


def goal_5(quick: bool) -> Finding:
    """The bootstrap of the Huber fit."""
    x, y = tables.chinchilla()
    replicates = 200 if quick else REPLICATES
    weights = engine.bootstrap(len(y), replicates, 5)

    def ours_whole() -> Any:
        whole = fit_power_sum(x, y, np.ones((1, len(y))))  # its time counts: theirs is given the optimum it starts from
        return fit_power_sum(x, y, weights, near=whole)

    timed, ours = clock(ours_whole)
    refit, label = chinchilla.refit()
    sample = list(range(5 if quick else 30))
    rows = [np.repeat(np.arange(len(y)), weights[r].astype(int)) for r in sample]
    theirs, losses = each(lambda index: refit(x, y, rows[index]), sample)
    good = [ours.objective[r] <= loss * (1.0 + 1e-6) for r, loss in zip(sample, losses, strict=True)]
    own = timed.cpu / replicates
    per_core = theirs.cpu / own
    return Finding(
        5,
        "Chinchilla law, Epoch's 240 points, Huber 1e-3, bootstrap",
        ">= 800x per core, loss no higher on >= 99 %",
        "2,000x",
        f"{ratio(per_core)} per core: {seconds(own)} cpu a replicate; theirs {seconds(theirs.cpu)}",
        verdict(bool(np.mean(good) >= 0.99), per_core >= 800, per_core >= 2000),
        f"loss <= theirs (1 + 1e-6) on {sum(good)} of {len(good)}; converged {ours.converged.mean():.1%} of {replicates}",
        f"{label}; {len(sample)} replicates. {_likelihood(x, y, rows[: len(rows) // 2], own)} Its own code was measured at "
        f"{THEIR_OWN:.3f} s cpu a replicate once, on another day: {ratio(THEIR_OWN / own)}",
        {"ours": timed, "peer_each": theirs, "ratio_cpu": per_core},
    )


def _likelihood(x: Array, y: Array, rows: list[Any], own: float) -> str:
    """Time the refits by the likelihood with a free scale, and say what it gives on the whole table."""
    try:
        refit = chinchilla.likelihood_refit()
    except MissingError as reason:
        return f"The likelihood with a free scale was not run: {reason}."
    theirs, _ = each(lambda drawn: refit(x, y, drawn), rows)
    a, b, e, alpha, beta, _ = refit(x, y, np.arange(len(y)))
    return (
        f"With the likelihood that gives the printed fit (here A {np.exp(a):.2f}, B {np.exp(b):.2f}, E {np.exp(e):.4f}, "
        f"alpha {alpha:.4f}, beta {beta:.4f}), another statistic and so speed only: {seconds(theirs.cpu)}, "
        f"{ratio(theirs.cpu / own)} ({len(rows)} replicates)."
    )


def goal_6(quick: bool) -> Finding:
    """The full fit against the grid of 4,500 starts."""
    x, y = tables.chinchilla()
    one = np.ones((1, len(y)))
    timed, ours = clock(lambda: fit_power_sum(x, y, one), 15)
    grid = chinchilla.grid()
    sample = [grid[i] for i in np.random.default_rng(6).permutation(len(grid))[: 5 if quick else 25]]
    theirs, losses = each(lambda start: chinchilla.from_start(x, y, start), sample)
    total = theirs.wall * len(grid)
    speed = total / timed.wall
    off = float(ours.objective[0] / KNOWN_MINIMUM - 1.0)
    packages = _chinchilla_package(x, y, 4 if quick else 24)
    return Finding(
        6,
        "Chinchilla law, full fit",
        "the minimum of 4,500 starts to 1e-6, < 10 ms, >= 5,000x",
        "40,000x",
        f"{ratio(speed)}: {seconds(timed.wall)} wall, {seconds(timed.cpu)} cpu; the grid {seconds(total)}",
        verdict(abs(off) <= 1e-6, timed.wall < 0.01 and speed >= 5000, speed >= 40_000),
        f"minimum {ours.objective[0]:.8e}, {off:+.0e} of the known one; best of the starts sampled {min(losses):.8e}",
        f"L-BFGS-B with numeric gradients from {len(grid):,} starts as in Epoch's notebook, "
        f"extrapolated from {len(sample)}; {packages}",
        {"ours": timed, "peer_each": theirs, "ratio_wall": speed, "relative_to_known": off},
    )


def _chinchilla_package(x: Array, y: Array, starts: int) -> str:
    """Time the package `chinchilla` on a few of its starts, its own processes and precision; say what came out."""
    if importlib.util.find_spec("chinchilla") is None:
        return "package chinchilla skipped: not installed"
    import os

    pd, peer = module("pandas"), module("chinchilla")
    grid = {"e": [0.5], "a": [5.0], "b": [5.0], "alpha": [0.35], "beta": list(np.linspace(0.3, 0.5, starts))}
    with tempfile.TemporaryDirectory() as folder:
        quiet = peer.Chinchilla(project_dir=folder, param_grid=grid, log_level=50)
        quiet.database.df = pd.DataFrame({"C": 6.0 * x[:, 0] * x[:, 1], "N": x[:, 0], "D": x[:, 1], "loss": y})
        timed, _ = clock(lambda: quiet.fit(parallel=True), 3)
    each_start = timed.wall / starts
    return (
        f"package chinchilla (its own loss, long double, {os.cpu_count()} processes): {seconds(each_start)} wall a start, "
        f"{seconds(3125 * each_start)} for its usual 3,125 (extrapolated from {starts}; other loss: speed only)"
    )


def goal_7(quick: bool) -> Finding:
    """A wild bootstrap of the plain least-squares fit, the same draws given to both."""
    if importlib.util.find_spec("simple_scaling_laws") is None:
        raise MissingError("simple-scaling-laws is not installed (it wants Python 3.12 or newer)")
    fitting, laws, uncertainty = (module(f"simple_scaling_laws.{name}") for name in ("fitting", "laws", "uncertainty"))

    x, y = tables.chinchilla()
    draws = 100 if quick else REPLICATES
    law = laws.build_law("separable-power", ["model_size__n"], ["dataset_size__d"])
    scale = np.exp(np.log(x).mean(axis=0))
    logs = np.log(x / scale)
    bounds, equal = fitting.parameter_bounds(law, y, signed_amplitude=False, log_x=logs), np.ones(len(y))
    point = fitting.fit_curve(law, logs, y, equal, bounds)
    clusters, per_run = np.arange(len(y)), np.zeros(len(y))

    def theirs_whole() -> Any:
        return uncertainty.bootstrap(
            law, logs, y, equal, bounds, point.params, clusters, per_run, run_sd=0.0, n_draws=draws, seed=7
        )

    theirs, drawn = clock(theirs_whole, 3)
    synthetic = _their_draws(law, logs, y, equal, point.params, clusters, per_run, draws)

    def ours_whole() -> Any:
        made = _their_draws(law, logs, y, equal, point.params, clusters, per_run, draws)
        lowest = float(bounds.lower[0])
        whole = fit_power_sum(x, y, np.ones((1, len(y))), log=False, loss=LINEAR, lowest_floor=lowest)
        return fit_power_sum(x, made, np.ones(made.shape), log=False, loss=LINEAR, lowest_floor=lowest, near=whole)

    timed, ours = clock(ours_whole)
    residual = np.array([law.evaluate(p, logs) - z for p, z in zip(drawn.params, synthetic, strict=True)])
    cost = 0.5 * (residual**2).sum(axis=1)
    share = float((ours.objective <= cost * (1.0 + 1e-6)).mean())
    speed = theirs.wall / timed.wall
    return Finding(
        7,
        f"{draws:,} draws of a wild bootstrap, plain least squares, the same draws to both",
        ">= 15x",
        "40x",
        f"{ratio(speed)} by wall, {ratio(theirs.cpu / timed.cpu)} by cpu: {seconds(timed.wall)}; theirs {seconds(theirs.wall)}",
        verdict(share >= 0.99, speed >= 15, speed >= 40),
        f"sum of squares <= theirs (1 + 1e-6) on {share:.1%} of the draws",
        "simple-scaling-laws, its own bootstrap (amplitudes and exponents bounded as there)",
        {"ours": timed, "peer": theirs, "ratio_wall": speed, "share_no_higher": share},
    )


def _their_draws(law: Any, logs: Array, y: Array, weights: Array, p: Array, clusters: Any, per_run: Array, draws: int) -> Array:
    """Make the synthetic losses of their bootstrap with their functions and seed, so that both sides fit the same numbers."""
    uncertainty = module("simple_scaling_laws.uncertainty")
    pseudo = uncertainty.corrected_residuals(law, p, logs, y, weights, clusters, 0.0 + per_run)
    signs = uncertainty._webb_signs(np.random.default_rng(7), len(y), draws)
    return np.asarray(law.evaluate(p, logs)[None, :] + signs * pseudo[None, :])
