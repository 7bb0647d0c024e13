"""AlpacaEval 2: how often a judge prefers a system's answer to GPT-4 Turbo's, 211 systems (Apache-2.0).

Traps:
- The top row is NullModel, a constant answer that cheats the judge, and one more row is adversarial: left out.
- Mixtures of agents, aligners, composed systems and rankers over other models are no models: left out.
- Best of n answers is a setting, not a model.
- The file has no dates: all is known on the day of the commit, an upper bound.
- Win rates are percent; here they are fractions. One model stands twice with different values: both are suspect.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import setting
from foresaid.sources._upstream import table

PATH = "docs/data_AlpacaEval_2/weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
COLUMNS = {"length_controlled_winrate": "alpaca_eval_lc_win_rate", "win_rate": "alpaca_eval_win_rate"}
CHEAT = re.compile(r"NullModel.*|.*\(Adversarial\)")
SYSTEM = re.compile(r"SelfMoA.*|.*\bMoA\b.*|.*SlimMoA.*|TOA|Aligner 2B\+.*|PairRM 0\.4B\+.*|Samba CoE.*|Blendax\.AI.*|Evo .*")
SAMPLING = re.compile(r"[ +]*\(?(?P<value>best-of-\d+)\)$")
CHEATS, SYSTEMS = "adversarial: made to cheat the judge, not a model", "several models at work together, not a model"


def read(folder: Path) -> Reading:
    """Read the leaderboard of one commit."""
    lines = table(folder, PATH, ["name", *COLUMNS], ignored=r".*")
    often = Counter(line.cells["name"] for line in lines)
    number: Counter[str] = Counter()
    scores = []
    skipped: dict[str, int] = defaultdict(int)
    for line in lines:
        name = line.text("name")
        if CHEAT.fullmatch(name):
            skipped[CHEATS] += 1
            continue
        if SYSTEM.fullmatch(name):
            skipped[SYSTEMS] += 1
            continue
        number[name] += 1
        status, note, record = "reported", "", ""
        if often[name] > 1:
            status, note = "suspect", f"one of {often[name]} rows of this name with different values"
            record = f"entry {number[name]}"
        model, sampling = identify(name)
        for column, quantity in COLUMNS.items():
            value = line.number(column)
            how = setting(sampling=sampling, record=record)
            scores.append(Score(model, quantity, how, float(value / 100), status=status, note=note, file=line.file, row=line.row))
    return Reading(scores, [], dict(skipped), {PATH: len(lines)})


def identify(name: str) -> tuple[str, str]:
    """Part a name into the model and how many answers it chose from.

    >>> identify("Storm-7B (best-of-64)"), identify("Snorkel (Mistral-PairRM-DPO+best-of-16)")
    (('Storm-7B', 'best-of-64'), ('Snorkel (Mistral-PairRM-DPO)', 'best-of-16'))
    """
    match = SAMPLING.search(name)
    if not match:
        return name, ""
    model = name[: match.start()]
    return model + ")" * model.count("("), match["value"]
