"""The page of the hindcasts: every case with all its methods beside their baselines, and one verdict a law.

The first page leads with one of them; here they all stand, in the order of params.yaml.
"""

from __future__ import annotations

from foresaid.report import texts
from foresaid.report.case_tables import block, cases
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet


def page(material: Material) -> Page:
    """The page of all cases."""
    found = [block(material, case) for case in cases(material, "hindcast")]
    return Page("hindcasts.html", "hindcasts.html.j2", {"cases": found, "evidence": texts.EVIDENCE})


PAGES = PageSet("hindcasts.html", "Hindcasts", 28, lambda material: [page(material)])
