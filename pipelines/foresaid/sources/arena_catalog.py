"""LMArena's text boards of late 2025, plain and with style control, as its own repository published them.

The repository states no licence; the publisher's official data set, which holds the same boards, is CC-BY-4.0: read on demand.
Traps:
- Plain and style-controlled ratings are two quantities, and each of the categories taken is one; `full` is the overall category.
- Ratings are relative to the pool of the day: every value is revised at every board.
- A category has its own set of models; one that is missing there was not rated.
- A day may bring one of the two boards only; the other stands as it was.
- The day of the votes is not in the files; a board is known on the day of its commit.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from foresaid.errors import Problem, RecordError, UnreadableError
from foresaid.sources._arena_names import identify
from foresaid.sources._reading import Reading, Score
from foresaid.sources._upstream import branch, document, real

BOARDS = {"leaderboard-text.json": "arena_text", "leaderboard-text-style-control.json": "arena_text_style_control"}
CATEGORIES = {
    "full": "overall",
    "coding": "coding",
    "creative_writing": "creative_writing",
    "expert": "expert",
    "hard_6": "hard_prompts",
    "if": "instruction_following",
    "math": "math",
    "multiturn": "multi_turn",
}
# Named so that an unknown one is refused: languages, industries and filters, of which no law is asked.
LEFT = frozenset(
    {
        *("chinese", "english", "french", "german", "japanese", "korean", "russian", "spanish", "hard_english_6"),
        *("long_user", "no_refusal", "no_short", "no_tie", "industry_business_and_management_and_financial_operations"),
        *("industry_entertainment_and_sports_and_media", "industry_legal_and_government", "industry_mathematical"),
        *("industry_life_and_physical_and_social_science", "industry_medicine_and_healthcare"),
        *("industry_software_and_it_services", "industry_writing_and_literature_and_language"),
    }
)
OTHER = "cells of a language, an industry or a filter"
PLACES = 6


def read(folder: Path) -> Reading:
    """Read the boards of one day."""
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, int] = {}
    for name, prefix in BOARDS.items():
        path = f"data/{name}"
        if not (folder / path).exists():
            continue
        tree, file = document(folder, path)
        board = branch(tree, file)
        rows[path] = len(board)
        if unknown := sorted(set(board) - set(CATEGORIES) - LEFT):
            raise RecordError.collect([Problem(file, None, unknown[0], "an unknown category", "one the reader knows")])
        for category in board:
            models = branch(board, file, category)
            if category in LEFT:
                skipped[OTHER] += len(models)
            else:
                scores += [_rating(board, file, category, model, f"{prefix}_{CATEGORIES[category]}") for model in models]
    if not rows:
        raise UnreadableError(f"{folder.name}: found no board, expected data/{' or data/'.join(BOARDS)}")
    return Reading(scores, [], dict(skipped), rows)


def _rating(board: dict[str, object], file: str, category: str, name: str, quantity: str) -> Score:
    low, high = (real(board, file, category, name, bound) for bound in ("rating_q025", "rating_q975"))
    model, how = identify(name)
    rating = round(real(board, file, category, name, "rating"), PLACES)
    return Score(model, quantity, how, rating, round((high - low) / 2 / 1.96, PLACES), file=file)
