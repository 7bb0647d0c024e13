"""How the pages say things: numbers, units, addresses, and the sentences that stand on more than one page.

A number is spelt here and nowhere else, so that a mean is written alike in every table. A dash stands for a number that
does not exist; nothing is written as zero that is not zero.
"""

from __future__ import annotations

import re
from hashlib import sha256

import polars as pl

from foresaid.registry.formats import NOT_REREAD
from foresaid.text import count

FEW_FAMILIES = 10  # below this many model families no comparison is called a difference
METHODS = {
    "training_mean": ("Mean (climatology)", "the mean score of the training models"),
    "best_known": ("Best so far", "the best score of the training models"),
    "last_of_family": ("Last value (persistence)", "the score of the newest known model of the same family"),
    "last_value": ("Nearest known run", "the score of the nearest smaller run of the series"),
    "straight_line": ("Straight line", "linear regression on the first covariate, or its logarithm, over all known runs"),
    "ensemble_equal": ("Equal-weight ensemble", "the average of all laws' quantiles, level by level"),
    "ensemble_median": (
        "Median ensemble",
        "the median of all laws' quantiles, level by level, with its own interval recalibration",
    ),
    "ensemble_stacked": (
        "Stacked ensemble",
        "the weighted average of the laws' quantiles, weights learned from their earlier scores",
    ),
    "printed_forms": ("Printed coefficients", "the forms as the authors printed them, applied without a refit"),
}
SPLITS = {
    "released": "held out by date: only models released after the vintage, fitted on what was public on that day",
    "listed": "held out by a list: the models the adopted record names, whenever they were released",
    "larger": "held out by scale: the largest runs of each series, forecast from the smaller ones",
}
EVIDENCE = {
    "prospective": "Frozen in the ledger before the model was released. The only evidence that could not be tuned afterwards.",
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
    "The scores of one model are one independent observation. Models of one family share data and recipes, so they are closer "
    "to one observation than to several. The numbers of models and families matter, not the number of scores.",
    "A law that was accurate on base models of one year says nothing of chat or reasoning models, of other protocols, or of "
    "benchmarks that have leaked into training data since.",
    "Laws forecast a score from other scores or from the training compute of a model that exists. They do not say when such a "
    "model will be trained.",
    "Where a law made no forecast, the row is counted and is missing from its mean; relative WIS uses only the rows both "
    "sides forecast.",
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


def verdict(families: int) -> str:
    """What may be concluded from a comparison on so many model families."""
    if families < FEW_FAMILIES:
        found = count(families, "family", "families")
        return f"Too few releases to say which is better: {found}, at least {FEW_FAMILIES} are needed."
    return (
        f"{count(families, 'family', 'families')}: enough to compare, yet every mean rests on those few observations; "
        "no test of difference is made here."
    )


def not_reread(sources: pl.Series) -> int:
    """Count the release dates whose source was stated from general knowledge.

    >>> not_reread(pl.Series(["a page", "announcement: X (stated from general knowledge, not re-read)", None]))
    1
    """
    return int(sources.fill_null("").str.contains(NOT_REREAD, literal=True).sum())
