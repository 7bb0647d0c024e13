"""The boards of arena.ai in spring 2026, as a third party read them off the pages day by day.

The site's terms bar a copy: read on demand for one's own eyes, in no table of ours. Traps:
- Boards are cut off at 20 to 71 rows whatever was asked for: a model that is missing has not left (vintages are parts).
- Scores are whole points, read off the page by a language model: a board whose ranks and scores disagree is refused.
- `last_updated` is null on many days and the board changes about weekly: neighbouring days repeat it.
- Names carry effort, harness and search.
"""

from __future__ import annotations

from pathlib import Path

from foresaid.errors import Problem, RecordError, UnreadableError
from foresaid.sources._arena_names import identify
from foresaid.sources._reading import Reading, Score, StatedModel
from foresaid.sources._upstream import document, items, pick, real

BOARDS = ("code", "document", "search", "text", "vision")


def read(folder: Path) -> Reading:
    """Read the boards of one day."""
    scores: list[Score] = []
    rows: dict[str, int] = {}
    stated: dict[StatedModel, None] = {}
    for board in BOARDS:
        path = f"{board}.json"
        if not (folder / path).exists():
            continue
        tree, file = document(folder, path)
        if pick(tree, file, "meta", "leaderboard") != board:
            raise RecordError.collect(
                [Problem(file, None, "meta.leaderboard", repr(pick(tree, file, "meta", "leaderboard"))[:40], board)]
            )
        entries = items(tree, file, "models")
        if len(entries) != pick(tree, file, "meta", "model_count"):
            raise RecordError.collect([Problem(file, None, "models", f"{len(entries)} rows", "as many as meta.model_count says")])
        rows[path] = len(entries)
        before = float("inf")
        for place, entry in enumerate(entries):
            score, half = real(entry, file, "score"), real(entry, file, "ci")
            if score > before:
                raise RecordError.collect(
                    [Problem(file, None, f"models.{place}.score", f"{score:g}", f"at most {before:g}, the score of the rank above")]
                )
            before = score
            model, how = identify(str(pick(entry, file, "model")))
            stated[StatedModel(model, "", str(pick(entry, file, "vendor")))] = None
            n = int(real(entry, file, "votes"))
            scores.append(Score(model, f"arena_daily_{board}", how, score, round(half / 1.96, 6), n, file=file))
    if not rows:
        raise UnreadableError(f"{folder.name}: found no board, expected one of {', '.join(BOARDS)} as JSON")
    return Reading(scores, [], {}, rows, list(stated))
