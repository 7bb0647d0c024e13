"""What a forecast made again could look at: the modes, in the order in which results are shown, with their names.

No number mixes two modes. *Known on the day* is the only one that could have been made on its day, so it comes first everywhere.
The others use hindsight, and say so wherever a number of theirs stands.
"""

from __future__ import annotations

KNOWN, RELEASED, SCALE = "known", "released", "scale"
MODES = {
    KNOWN: "fitted only on values that were public on the day",
    RELEASED: "by release date only: values measured or revised later count from the release of their model",
    SCALE: "runs held out by scale, whenever they were public",
}
TITLES = {KNOWN: "known on the day", RELEASED: "by release date", SCALE: "held out by scale"}
FROZEN, PUBLISHED = "frozen before", "published before"
# Whatever else a table may rest on: what the studies of the record hold out, and what the ledger says of time.
SAID = {
    **TITLES,
    "family": "held out by family",
    "strength": "the strongest held out",
    "checkpoint": "forecast from earlier checkpoints",
    "simulated": "simulated data",
    "frozen": FROZEN,
    "published": PUBLISHED,
    "ledger": "frozen in the ledger",
    "claimed": "claimed, without proof of time",
}


def mode_of(evidence: str, split: str) -> str:
    """The mode of a table, in words, from its kind of evidence and how its rows were held out.

    >>> mode_of("hindcast", "released"), mode_of("hindcast", "larger"), mode_of("prospective", "released")
    ('known on the day', 'held out by scale', 'frozen before')
    """
    if evidence != "hindcast":
        return FROZEN if evidence == "prospective" else PUBLISHED
    return TITLES[SCALE if split == "larger" else KNOWN]
