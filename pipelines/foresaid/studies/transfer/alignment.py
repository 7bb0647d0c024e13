"""How well a pre-training mixture fits a translation task, by the score of the transfer law's authors."""

from __future__ import annotations

from collections.abc import Mapping

from foresaid.errors import ParameterError

SOURCE_WEIGHT, TARGET_WEIGHT = 0.7, 0.8
PRINTED = {"both languages, half and half": 1.0, "the target language alone": 0.8, "the source language alone": 0.7, "neither": 0.0}


def alignment(mixture: Mapping[str, float], source: str, target: str) -> float:
    """Return the alignment score of a pre-training mixture with a translation task.

        A = P_source P_target + 0.7 P_source + 0.8 P_target

    `mixture` gives the share of each language among the pre-training tokens, each in [0, 1] and together at most 1. The score is
    unitless, from 0 (neither language) to 1.0 (both, half and half).

    Isik et al. 2024, arXiv 2402.04177v3, equation 2. The weights are theirs, set by hand on three language pairs: do not trust the
    score to rank mixtures that lie close, or pairs unlike English with German, French or Romanian.

    Raises ParameterError for a share outside [0, 1], for shares above 1 in all, and for a task within one language.

    >>> alignment({"en": 0.5, "de": 0.5}, "en", "de"), alignment({"en": 1.0}, "en", "de"), alignment({"fr": 1.0}, "en", "de")
    (1.0, 0.7, 0.0)
    """
    for language, share in mixture.items():
        if not 0.0 <= share <= 1.0:
            raise ParameterError(f"alignment: found the share {share:g} of {language}, expected a fraction in [0, 1]")
    if sum(mixture.values()) > 1.0 + 1e-9:
        raise ParameterError(f"alignment: found shares that sum to {sum(mixture.values()):g}, expected at most 1")
    if source == target:
        raise ParameterError(f"alignment: found the task {source} to {target}, expected two languages")
    first, second = mixture.get(source, 0.0), mixture.get(target, 0.0)
    return first * second + SOURCE_WEIGHT * first + TARGET_WEIGHT * second
