"""make mutants: change one thing at a time in the code that guards the rest; the tests of its room must notice.

Prints the seed, a line per mutant, and the survivors with their diffs. Fails below the kill rate that is asked for.
"""

import argparse
import random
import sys
import time

from tests.mutants.equivalent import reason_for
from tests.mutants.operators import Mutant, Place, places
from tests.mutants.runner import BaselineFailed, Fate, Verdict, judge_all
from tests.mutants.targets import TARGETS, Target
from tests.support.paths import PROJECT

KILL_RATE = 0.95


def sample(seed: int, count: int, only: str) -> list[tuple[Mutant, Target]]:
    """Mutants at places drawn by chance: a place is as likely as any other, however many operators fit there."""
    chance = random.Random(seed)
    everywhere: list[tuple[Place, str, Target]] = []
    for target in TARGETS:
        if only in target.module:
            source = (PROJECT / target.module).read_text(encoding="utf-8")
            everywhere += [(place, source, target) for place in places(target.module, source)]
    chance.shuffle(everywhere)
    drawn: list[tuple[Mutant, Target]] = []
    for place, source, target in everywhere:
        if len(drawn) == count:
            break
        if (mutant := place.draw(source, chance)) is not None:
            drawn.append((mutant, target))
    return sorted(drawn, key=lambda one: (one[0].module, one[0].line))


def show(verdict: Verdict) -> None:
    """Print a verdict as one line."""
    mutant = verdict.mutant
    where = f"{mutant.module}:{mutant.line}"
    print(f"{verdict.fate.value:<9} {verdict.seconds:5.1f} s  {where} {mutant.operator}  {verdict.test}", flush=True)


def conclude(verdicts: list[Verdict]) -> bool:
    """Print the survivors and the rate; whether enough were killed."""
    survivors = [one.mutant for one in verdicts if one.fate is Fate.SURVIVED]
    equivalent = [mutant for mutant in survivors if reason_for(mutant)]
    for mutant in survivors:
        reason = reason_for(mutant)
        print(f"\n{mutant.module}:{mutant.line} {mutant.operator}: {f'equivalent: {reason}' if reason else 'SURVIVED'}")
        print(mutant.diff)
    judged = len(verdicts) - len(equivalent)
    killed = len(verdicts) - len(survivors)
    rate = killed / judged if judged else 1.0
    print(f"\n{killed} of {judged} killed: {rate:.1%} (needed: {KILL_RATE:.0%}); {len(equivalent)} are equivalent")
    return rate >= KILL_RATE


def main() -> int:
    """Run with the arguments of the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="default: by chance")
    parser.add_argument("--count", type=int, default=150, help="how many mutants (%(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="modules whose path has this text")
    parser.add_argument("--processes", type=int, default=2, help="how many at once (%(default)s)")
    chosen = parser.parse_args()
    drawn = sample(chosen.seed, chosen.count, chosen.only)
    print(f"seed {chosen.seed}: {len(drawn)} mutants", flush=True)
    started = time.monotonic()
    try:
        verdicts = judge_all(drawn, chosen.processes, show)
    except BaselineFailed as error:
        print(error, file=sys.stderr)
        return 2
    enough = conclude(verdicts)
    print(f"seed {chosen.seed}, {time.monotonic() - started:.0f} s")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
