"""`python -m tests.attacks [--short | --long] [--only WORD]`: run the attacks and print the table."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time

from tests.attacks import ATTACKS
from tests.attacks.table import Scale, Tally, lines


def main() -> int:
    """Run what is asked for; 1 on any breach."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description="Attack the ledger and count.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", dest="scale", action="store_const", const="short", help="under ten minutes (default)")
    size.add_argument("--long", dest="scale", action="store_const", const="long", help="every byte, every count in full")
    size.add_argument("--slice", dest="scale", action="store_const", const="slice", help="seconds: what the test suite runs")
    parser.add_argument("--only", metavar="WORD", default="", help="only the modules whose name holds this word")
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("--seed", type=int, default=8)
    wanted = parser.parse_args()
    scale = Scale(wanted.scale or "short", wanted.workers, wanted.seed)
    tallies: list[Tally] = []
    begun = time.perf_counter()
    for name, attacks in ATTACKS():
        if wanted.only in name:
            for tally in attacks(scale):
                tallies.append(tally)
                print(f"{name}: {tally.attack}: {tally.tried:,} tried, {tally.undetected:,} undetected, {tally.seconds:.1f} s",
                      file=sys.stderr, flush=True)  # fmt: skip
    print("\n".join(lines(tallies)))
    breaches = sum(tally.breach for tally in tallies)
    skipped = sum(tally.skipped for tally in tallies)
    tried = sum(tally.tried for tally in tallies)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(item.ru_utime + item.ru_stime for item in used)
    print(
        f"campaign {scale.name}, seed {scale.seed}: {len(tallies)} attacks, {tried:,} tries, {breaches} breaches, "
        f"{skipped} skipped, {time.perf_counter() - begun:.0f} s ({processor:.0f} s of processor time)"
    )
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
