"""Stage `report`: render the pages from the tables the other stages left."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from foresaid.files import write_bytes, write_json
from foresaid.params import Params
from foresaid.project import CHARTS, PAGES
from foresaid.report import headline, inputs
from foresaid.report.drawing import kept_in
from foresaid.report.kept import Kept
from foresaid.report.site import render


def run(params: Params, build: Path, registry: Path, metrics: Path, own: Path, site: Path, commit: str = "") -> int:
    """Run the stage: read the results, render everything, put it in place of the old site; return the number of pages.

    Beside them go the few figures that `dvc metrics` compares, the metrics of every fit and the tables that `dvc plots` draws.

    `own` is the project's folder of templates: a file in it stands in for the package's of the same name; it need not exist.
    `commit` is printed only where it is given, for a site that is published from a clean clone; the pipeline gives none
    (see `report.digests.code_digest` for why).
    """
    found = inputs.read(params, build, registry, metrics, own)
    cores = params.workers if params.workers > 0 else os.cpu_count() or 1
    kept = Kept(build / PAGES)
    with kept_in(build / CHARTS, cores - 1):
        files = render(found, own, commit, kept)
    kept.drop_unused()
    write_json(metrics / "headline.json", headline.figures(found))
    # One output of this stage, where one of each law would be as many more for DVC to lock and look at.
    shutil.rmtree(metrics / "fit", ignore_errors=True)
    for name in params.laws:
        write_bytes(metrics / "fit" / f"{name}.json", (build / "fits" / name / "metrics.json").read_bytes())
    for name, table in headline.plots(found).items():
        write_json(build / "plots" / f"{name}.json", table.to_dicts())
    site.parent.mkdir(parents=True, exist_ok=True)
    # A folder that is not empty cannot be replaced in one step, so the new one is whole before the old one goes.
    beside = Path(tempfile.mkdtemp(dir=site.parent, prefix=f".{site.name}."))
    try:
        beside.chmod(0o755)
        for place, content in files.items():
            (beside / place).parent.mkdir(parents=True, exist_ok=True)
            (beside / place).write_bytes(content)
        shutil.rmtree(site, ignore_errors=True)
        os.replace(beside, site)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return sum(place.suffix == ".html" for place in files)
