"""Repeated sampling on 128 MATH problems (Schaeffer et al., arXiv 2502.17578): 7 Pythia sizes and 72 Pythia checkpoints.

What is kept is each problem's number of samples and share solved, from which coverage at any k and a mixture over problems
can be had, and the coverage itself at a few k by the unbiased estimator

    pass@k = mean over problems of 1 - C(n - c, k) / C(n, k)        (Chen et al., arXiv 2107.03374, equation 1)

Traps of the upstream tables, each handled here:
- "Neg Log Score" is infinite where no sample was right: neither it nor any logarithm is read.
- Coverage is averaged over problems first; the power law of the aggregate comes from the spread of the problems.
- Some problems have 128 samples, others millions. Where k is above n the upstream prints 1.0 even for problems never
  solved (37,549 rows): coverage is computed here and only for k that every problem of a run has samples for.
- Where the upstream's pass@k can be had (k at most n), it must equal ours.
- One checkpoint (12B after 2 M tokens) has 9 of the 128 problems: it has no coverage, and is counted.
- Sampling went on longer where nothing was found, so n depends on c: a mixture must not take n for planned.
- Coverage needs an oracle; it is not the accuracy of a chosen answer.
- Nicknames and tokens are rounded (2M for step 1): tokens are steps times 2,097,152, sizes as printed upstream.
The repository has no licence, so no row of this source is kept in the record.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import gammaln

from foresaid.errors import Problem, RecordError
from foresaid.sources._parquet import frame
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import table

ORIGINAL = "data/processed_data/large_language_monkeys_original_pass_at_k.parquet"
CHECKPOINTS = "data/raw_data/large_language_monkeys/math_pass_at_k.parquet"
MODELS = "data/raw_data/pretraining_scaling/models.csv"
PROBLEMS = 128
AT = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
TOKENS_PER_STEP = 2_097_152
Array = npt.NDArray[np.float64]
AGREES = 1e-8  # the upstream sums logarithms in another order
NAMES = {
    ORIGINAL: {
        "Model": "model", "Problem Idx": "problem", "Num. Samples Total": "n", "Num. Samples Correct": "c",
        "Scaling Parameter": "k", "Score": "printed",
    },
    CHECKPOINTS: {
        "Model Nickname": "model", "prompt_idx": "problem", "Num. Samples": "n", "Num. Samples Correct": "c",
        "k": "k", "pass@k": "printed",
    },
}  # fmt: skip
IGNORED = {
    ORIGINAL: ("Benchmark", "Log Score", "Neg Log Score"),
    CHECKPOINTS: ("Level", "Inference Compute", "neg_log_pass@k"),
}


def read(folder: Path) -> Reading:
    """Read every problem of every model, one subject a model or checkpoint."""
    scores: list[Score] = []
    subjects: list[RunSubject] = []
    skipped = {f"a run with fewer than {PROBLEMS} problems: no coverage": 0, "k above the samples of some problem": 0}
    sizes = _sizes(folder)
    for path in NAMES:
        rows, file = _rows(folder, path)
        for (model,), part in sorted(rows.group_by("model"), key=lambda item: str(item[0])):
            found = subject(str(model), path)
            subjects.append(found)
            scores += sizes.get(found.subject_id, [])
            scores += _problems(part, found.subject_id, file)
            scores += _coverage(part, found.subject_id, file, skipped)
    return Reading(scores, subjects, skipped)


def pass_at_k(samples: Array, correct: Array, k: Array | int) -> Array:
    """Chance (p,) that at least one of k samples is right, without bias, for p problems with k <= samples.

    >>> pass_at_k(np.array([10.0, 10.0, 3.0]), np.array([0.0, 1.0, 2.0]), 2).round(3).tolist()
    [0.0, 0.2, 1.0]
    """
    wrong = samples - correct
    with np.errstate(invalid="ignore"):
        missed = gammaln(wrong + 1) - gammaln(wrong - k + 1) - gammaln(samples + 1) + gammaln(samples - k + 1)
    # Never solved is exactly 0; the logarithms would leave 1e-13 of either sign.
    return np.select([correct == 0, wrong < k], [0.0, 1.0], default=-np.expm1(missed))


def subject(model: str, path: str) -> RunSubject:
    """A model of the first table, or a checkpoint of the second; one size is one family.

    >>> subject("Pythia 12B", ORIGINAL).subject_id, subject("Pythia_1.4B_20B", CHECKPOINTS).run
    ('pass-at-k/original/pythia-12b', 'pass-at-k/pythia-1.4b')
    """
    match = re.fullmatch(r"Pythia[ _](?P<size>[\d.]+[MB])(_(?P<tokens>\d+[MB]))?", model)
    if not match or (match["tokens"] is None) != (path == ORIGINAL):
        raise RecordError.collect([Problem(path, None, "model", model[:60], "a name such as Pythia 12B or Pythia_12B_300B")])
    family = f"pass-at-k/pythia-{match['size'].lower()}"
    if path == ORIGINAL:
        run = family.replace("/", "/original/")
        return RunSubject(run, "run", run, family)
    return RunSubject(f"{family}/{match['tokens'].lower()}", "checkpoint", family, family)


def _rows(folder: Path, path: str) -> tuple[pl.DataFrame, str]:
    """One row a model and problem, after the upstream's own pass@k was compared with ours."""
    names = NAMES[path]
    rows, file = frame(folder, path, list(names), IGNORED[path])
    try:
        rows = rows.rename(names).with_columns(pl.col("n", "c", "k", "printed").cast(pl.Float64), pl.col("problem").cast(pl.Int64))
    except pl.exceptions.PolarsError as error:
        raise RecordError(f"{file}: found {str(error).splitlines()[0][:120]}, expected numbers") from None
    wrong = rows.filter(~((pl.col("c") >= 0) & (pl.col("c") <= pl.col("n")) & (pl.col("n") >= 1) & (pl.col("k") >= 1)))
    if wrong.height:
        raise RecordError.collect([Problem(file, None, "c", str(wrong.row(0))[:90], "0 <= correct <= samples, and k >= 1")])
    known = rows.filter(pl.col("k") <= pl.col("n"))
    ours = pass_at_k(known["n"].to_numpy(), known["c"].to_numpy(), known["k"].to_numpy())
    far = np.flatnonzero(~(np.abs(ours - known["printed"].to_numpy()) <= AGREES))
    if far.size:
        row = known.row(int(far[0]), named=True)
        expected = f"{ours[far[0]]:.9g} from {row['c']:g} of {row['n']:g} samples at k = {row['k']:g}"
        problem = Problem(file, None, f"pass@k of {row['model']}, problem {row['problem']}", f"{row['printed']:.9g}", expected)
        raise RecordError.collect([problem])
    counts = rows.select("model", "problem", "n", "c").unique().sort("model", "problem")
    twice = counts.filter(pl.struct("model", "problem").is_duplicated())
    if twice.height:
        raise RecordError.collect(
            [Problem(file, None, "n", str(twice.row(0))[:90], "one pair of counts for each model and problem")]
        )
    return counts, file


def _problems(part: pl.DataFrame, name: str, file: str) -> list[Score]:
    return [
        Score(name, "math_solve_rate", f"problem={row['problem']}", row["c"] / row["n"], n=int(row["n"]), file=file)
        for row in part.iter_rows(named=True)
    ]


def _coverage(part: pl.DataFrame, name: str, file: str, skipped: dict[str, int]) -> list[Score]:
    few, above = skipped
    if part.height != PROBLEMS:
        skipped[few] += 1
        return []
    samples, correct = part["n"].to_numpy(), part["c"].to_numpy()
    scores = []
    for k in AT:
        if k > samples.min():
            skipped[above] += 1
            continue
        solved = pass_at_k(samples, correct, k)
        error = float(solved.std(ddof=1) / np.sqrt(PROBLEMS))
        scores.append(Score(name, "math_pass_at_k", f"k={k}", float(solved.mean()), error, PROBLEMS, file=file))
    return scores


def _sizes(folder: Path) -> dict[str, list[Score]]:
    """Parameters and tokens of each checkpoint by its subject."""
    sizes = {}
    columns = ["Model Family", "Model Nickname", "HuggingFace Revision", "Tokens", "Parameters"]
    for line in table(folder, MODELS, columns, ["HuggingFace Path"]):
        if line.text("Model Family") != "Pythia":
            continue
        match = re.fullmatch(r"step(\d{1,7})", line.text("HuggingFace Revision"), re.ASCII)
        if not match:
            line.refuse("HuggingFace Revision", line.text("HuggingFace Revision")[:60], "a revision such as step3000")
        tokens, nominal = int(match[1]) * TOKENS_PER_STEP, line.whole("Tokens")
        if not 0.9 * tokens <= nominal <= 1.1 * tokens:
            line.refuse("Tokens", str(nominal), f"about {tokens} = {match[1]} steps x {TOKENS_PER_STEP}")
        name = subject(line.text("Model Nickname"), CHECKPOINTS).subject_id
        values = {"params_total": float(line.whole("Parameters")), "training_tokens": float(tokens)}
        sizes[name] = [Score(name, quantity, "", value, file=line.file, row=line.row) for quantity, value in values.items()]
    return sizes
