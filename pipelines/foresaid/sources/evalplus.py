"""EvalPlus: pass@1 on HumanEval, MBPP and their extended tests, 125 models (Apache-2.0).

Traps:
- The file has no dates: all is known on the day of the commit, an upper bound.
- Sizes are null for closed models, and 7.0 stands beside Gemma 1.1 2B: sizes are not taken.
- MBPP+ had two versions of its data over time: its rows may not compare, and the note says so.
- Scores are percent; here they are fractions. A null is missing.
- Base models complete the function, others are asked: the note says which.
"""

from __future__ import annotations

from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score
from foresaid.sources._upstream import branch, document, pick, real

PATH = "results.json"
QUANTITIES = {
    "humaneval": "evalplus_humaneval",
    "humaneval+": "evalplus_humaneval_plus",
    "mbpp": "evalplus_mbpp",
    "mbpp+": "evalplus_mbpp_plus",
}
VERSIONS = "MBPP+ had two versions of its data: rows may not compare"


def read(folder: Path) -> Reading:
    """Read the results of one commit."""
    tree, file = document(folder, PATH)
    models = branch(tree, file)
    scores = []
    for model in models:
        prompted = pick(tree, file, model, "prompted")
        if not isinstance(prompted, bool):
            raise RecordError.collect([Problem(file, None, f"{model}.prompted", repr(prompted)[:60], "true or false")])
        for key, quantity in QUANTITIES.items():
            if pick(tree, file, model, "pass@1", key) is None:
                continue
            value = real(tree, file, model, "pass@1", key)
            note = "asked in a chat" if prompted else "completes the function"
            if key == "mbpp+":
                note = f"{note}; {VERSIONS}"
            scores.append(Score(model, quantity, "", round(value / 100, 6), note=note, file=file))
    return Reading(scores, [], {}, {PATH: len(models)})
