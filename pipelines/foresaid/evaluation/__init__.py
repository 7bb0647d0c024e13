"""How good forecasts were: hindcasts, rolling origins, scores of the ledger, and the tables of scores.

May import every room above it in this list: the top files to `ledger`.
"""

from typing import TYPE_CHECKING

from foresaid import exporting

if TYPE_CHECKING:
    from foresaid.evaluation.ledger_scores import score_ledger
    from foresaid.evaluation.project import Project, open_project
    from foresaid.evaluation.tables import calibrated, compared, skill, summarise

__all__ = [
    "Project",
    "calibrated",
    "compared",
    "open_project",
    "score_ledger",
    "skill",
    "summarise",
]
__getattr__ = exporting(
    __name__,
    {
        "score_ledger": "ledger_scores",
        "Project": "project",
        "open_project": "project",
        "calibrated": "tables",
        "compared": "tables",
        "skill": "tables",
        "summarise": "tables",
    },
)
