"""Koehn and Knowles 2017 (arXiv 1706.03872, figure 3): BLEU of three English-Spanish systems by size of training corpus.

Traps, each handled here: the horizontal axis is task data, not pre-training data; words are derived (385.7 million divided
by the denominator), and checked to be; the last phrase-based value came from a transcription nobody has checked against
the printed figure, so it is suspect until somebody does.
"""

from __future__ import annotations

from pathlib import Path

from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import slug, table

PATH = "koehn-knowles-2017-figure-3.csv"
CORPUS_WORDS = 385_700_000
SYSTEMS = ("neural", "phrase_based", "phrase_based_with_big_lm")
UNCHECKED = ("phrase_based", 1)
UNCHECKED_NOTE = "transcribed by a third party and not yet compared with the printed figure"


def read(folder: Path) -> Reading:
    """Read the 33 points, one subject a system and corpus size."""
    scores: list[Score] = []
    subjects: list[RunSubject] = []
    for line in table(folder, PATH, ["system", "corpus_fraction_denominator", "english_words_derived", "bleu"]):
        system, denominator = line.text("system"), line.whole("corpus_fraction_denominator")
        if system not in SYSTEMS:
            line.refuse("system", system, "one of " + ", ".join(SYSTEMS))
        if denominator < 1:
            line.refuse("corpus_fraction_denominator", str(denominator), "at least 1")
        words = line.whole("english_words_derived")
        if abs(words - CORPUS_WORDS / denominator) > 1:
            line.refuse("english_words_derived", str(words), f"{CORPUS_WORDS} / {denominator}")
        family = f"koehn-knowles/{slug(system)}"
        subject = f"{family}/1-{denominator}"
        unchecked = (system, denominator) == UNCHECKED
        subjects.append(RunSubject(subject, "run", subject, family))
        scores.append(Score(subject, "training_words", "", float(words), file=line.file, row=line.row))
        scores.append(
            Score(
                subject,
                "koehn_knowles_bleu",
                "",
                float(line.number("bleu")),
                status="suspect" if unchecked else "reported",
                note=UNCHECKED_NOTE if unchecked else "",
                file=line.file,
                row=line.row,
            )
        )
    return Reading(scores, subjects)
