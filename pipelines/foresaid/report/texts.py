"""How the pages say things: numbers, units, addresses, and the sentences that stand on more than one page.

A number is spelt here and nowhere else, so that a mean is written alike in every table. A dash stands for a number that
does not exist; nothing is written as zero that is not zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import polars as pl

from foresaid.registry.formats import NOT_REREAD
from foresaid.scoring.significance import BY_RELEASE_ALONE, FEWEST_RELEASES, NO_DIFFERENCE, TOO_FEW
from foresaid.text import count, probability

SPLITS = {
    "released": "held out by date: only models released after the vintage, fitted on what was public on that day",
    "listed": "held out by a list: the models the adopted record names, whenever they were released",
    "larger": "held out by scale: the largest runs of each series, forecast from the smaller ones",
}
EVIDENCE = {
    "prospective": "Frozen in the ledger before the score was public, which time-stamping authorities prove. The only evidence "
    "that could not be tuned afterwards. What has no proof of its time is a claim, and stands apart.",
    "adopted": "Third-party forecasts, published before the models were scored and entered here later, with evidence of the date.",
    "hindcast": "Retrospective: computed afterwards from what was public on an earlier day. The program refuses later data, but "
    "the people who chose the laws and the cases knew the outcomes.",
}
PROVED = (
    "Every batch of forecasts has the bytes its name says: the name is the SHA-256 of the bytes.",
    "Every line follows the schema of its type; ids are unique, and no author has two primary forecasts for one target.",
    "The manifest lists every sequenced batch once and in one order, and the checkpoint binds size and order by a Merkle root.",
    "A batch names the batches before it, and they stand before it in the log.",
    "No batch claims to be frozen before the day its own data end.",
    "Whoever kept an earlier checkpoint can tell whether the log has only grown since.",
)
UNPROVEN = (
    "When a batch was made. Git dates prove nothing either: they are free text, even under a good signature.",
    "One who holds the whole ledger can build another that passes every check. Only a copy of an earlier checkpoint, kept "
    "elsewhere, shows it.",
    "The newest entries can be removed without a trace for a reader who has no earlier checkpoint and no other clone.",
    "A second, private ledger under another name: nothing here shows that there is none.",
    "That the author named in a batch wrote it: the name is a claim, unless they sign the file elsewhere.",
    "Inside knowledge of scores that were not public: a declaration, not a proof.",
    "A score that was public earlier than anyone told us.",
    "Files, program and checkpoint taken from the same place prove only that they agree with each other.",
    "That the code that made the numbers is the code named: only hashes are bound. Run it again.",
    "Power loss on disks that report a write they have not made.",
)

LIMITS = (
    "A hindcast is computed after the fact. The program keeps later data out of the fit, but not what the authors already knew "
    "when they chose laws, settings and cases.",
    "All scores of one release (one launch of one maker, whatever its sizes) are one independent observation, and the releases "
    "of one maker share data and recipes. The numbers of releases and makers matter, not the number of scores.",
    "A law that was accurate on base models of one year says nothing of chat or reasoning models, of other protocols, or of "
    "benchmarks that have leaked into training data since.",
    "Laws forecast a score from other scores or from the training compute of a model that exists. They do not say when such a "
    "model will be trained.",
    "Where a law made no forecast, the row is counted and is missing from its mean; in a verdict it counts as the reference's own "
    "forecast. Relative WIS against other methods uses only the rows both sides forecast.",
    "Several laws and cases are shown, and the best of them is best partly by chance. No correction for that selection is made.",
)


def slug(identifier: str) -> str:
    """The file name of a page for an id. The tilde is unreserved in addresses and foreign to ids, so none collide.

    >>> slug("meta-llama/llama-2-7b"), slug("a--b"), slug("a/b")
    ('meta-llama~llama-2-7b', 'a--b', 'a~b')
    """
    return re.sub(r"[^a-z0-9._~-]", "_", identifier.replace("/", "~"))


NAME_BYTES = 200  # a file system takes 255, and a page has an ending and a version beside it


def page_name(*identifiers: str) -> str:
    """The file name of a page about several ids; one too long for a file system ends in a digest of the whole.

    >>> page_name("lab", "2026-12/gsm8k/obs"), len(page_name("a" * 128, "b" * 128))
    ('lab~~2026-12~gsm8k~obs', 200)
    """
    name = "~~".join(slug(one) for one in identifiers)
    digest = sha256("\n".join(identifiers).encode()).hexdigest()[:32]
    return name if len(name) <= NAME_BYTES else f"{name[: NAME_BYTES - len(digest) - 3]}~~~{digest}"


def link(address: str | None) -> str | None:
    """The address if a page may link to it. Escaping leaves `javascript:` alone, so only https and http pass.

    >>> link("https://example.org/a"), link("javascript:alert(1)"), link("see the paper")
    ('https://example.org/a', None, None)
    """
    text = (address or "").strip()
    return text if re.fullmatch(r"https?://[!-~]+", text) else None


def linked(text: str | None) -> tuple[str, str | None, str]:
    """Text cut at its first web address: what stands before, the address or None, what stands after.

    >>> linked("their page, https://example.org/a, read today")
    ('their page, ', 'https://example.org/a', ', read today')
    >>> linked("a book")
    ('a book', None, '')
    """
    found = re.search(r"https?://[!#-&(-;=?-~]*[#-&(-+/-9=?-~]", text or "")
    if found is None:
        return text or "", None, ""
    return found.string[: found.start()], found[0], found.string[found.end() :]


def verdict(claim: Mapping[str, Any] | None, law: str, reference: str) -> str:
    """The one sentence that says what a claim (a row of evaluation/claims.py) shows, on every page; titles are handed over.

    >>> row = {"verdict": "too few releases to say", "n_releases": 6, "n_makers": 5, "told": "other scores"}
    >>> verdict(row, "the law", "persistence").split(": ")[0]
    'Too few releases to say whether the law is better than persistence'
    >>> verdict(row, "the law", "persistence").split(": ")[1]
    '6 releases of 5 makers, at least 10 releases are needed; the law was told other scores.'
    """
    if claim is None:
        return "No reference was scored on these rows, so nothing is compared."
    units = f"{count(claim['n_releases'], 'release')} of {count(claim['n_makers'], 'maker')}"
    informed = f"{law} was told {claim['told']}."
    if claim["verdict"] == TOO_FEW:
        needed = f"at least {FEWEST_RELEASES} releases are needed"
        return f"Too few releases to say whether {law} is better than {reference}: {units}, {needed}; {informed}"
    ratio = "" if claim["relative_wis"] is None else f"relative WIS {claim['relative_wis']:.2f}{bounds(claim)}, "
    said = {NO_DIFFERENCE: f"No difference shown between {law} and {reference}"}.get(
        claim["verdict"], f"{law} is {claim['verdict'].split(',')[0]} than {reference}"
    )
    sentence = f"{said}: {ratio}{units}, adjusted p {probability(claim['adjusted_p'])}; {informed}"
    if claim["verdict"].endswith(BY_RELEASE_ALONE):
        few = claim["n_makers"] < FEWEST_RELEASES
        sentence += " Counted by maker there are too few to say." if few else " Counted by maker no difference is shown."
    return sentence


def bounds(claim: Mapping[str, Any]) -> str:
    """The 95 % interval of a claim by release, as it follows its ratio; nothing where there is none.

    >>> bounds({"lower_95": 0.5, "upper_95": None}), bounds({"lower_95": None, "upper_95": None})
    (', 95 % 0.50 or more', '')
    """
    if claim["lower_95"] is None:
        return ""
    upper = claim["upper_95"]
    return f", 95 % {claim['lower_95']:.2f} " + ("or more" if upper is None else f"to {upper:.2f}")


def not_reread(sources: pl.Series) -> int:
    """Count the release dates whose source was stated from general knowledge.

    >>> not_reread(pl.Series(["a page", "announcement: X (stated from general knowledge, not re-read)", None]))
    1
    """
    return int(sources.fill_null("").str.contains(NOT_REREAD, literal=True).sum())
