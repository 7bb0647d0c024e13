"""o1-mini on AIME 2024 by the number of tokens it was asked to use (hughbzhang, 2024): eight points.

Traps of the upstream file, each handled here:
- The model is asked for a number of tokens and does not obey: response_tokens, the mean it used, is the axis; the number
  asked for names the run.
- 30 questions: one question is 0.033. Every accuracy must be a whole number of questions; n and the binomial error say so.
- Accuracy is not monotone in tokens: a value that falls says so.
The repository has no licence, so no row of this source is kept in the record.
"""

from __future__ import annotations

import math
from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import document, items, real

PATH = "helpers/results_log_just_ask_nicely.json"
QUESTIONS = 30


def read(folder: Path) -> Reading:
    """Read the eight points, one run each."""
    tree, file = document(folder, PATH)
    points = []
    for entry in items({"points": tree}, file, "points"):
        points.append([real(entry, file, key) for key in ("avg_tokens_used", "token_limit", "accuracy")])
    scores: list[Score] = []
    subjects: dict[str, RunSubject] = {}
    highest = -math.inf
    for used, limit, accuracy in sorted(points):
        subject = f"o1-mini/asked-{limit:.0f}"
        right = accuracy * QUESTIONS
        if subject in subjects:
            raise RecordError.collect([Problem(file, None, "token_limit", f"{limit:g} again", "each limit once")])
        if not (0 <= accuracy <= 1 and math.isclose(right, round(right), abs_tol=1e-9)):
            raise RecordError.collect(
                [Problem(file, None, "accuracy", f"{accuracy:g}", f"a whole number of {QUESTIONS} questions")]
            )
        subjects[subject] = RunSubject(subject, "run", subject, "o1-mini", f"asked to use {limit:g} tokens")
        error = math.sqrt(accuracy * (1 - accuracy) / QUESTIONS)
        note = "lower than with fewer tokens" if accuracy < highest else ""
        highest = max(highest, accuracy)
        scores.append(Score(subject, "response_tokens", "", used, file=file))
        scores.append(Score(subject, "o1_mini_aime_2024", "", accuracy, error, QUESTIONS, note=note, file=file))
    return Reading(scores, list(subjects.values()))
