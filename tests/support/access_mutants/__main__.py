"""Print how many histories show each mutant, and which laws notice it: `python -m tests.support.access_mutants [seeds] [size]`."""

import sys

from tests.support.access_histories.history import history
from tests.support.access_mutants.compare import differs, noticed_by
from tests.support.access_mutants.mutants import MUTANTS


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    seeds, size = [*given, *(300, 24)[len(given) :]]
    histories = {seed: history(seed, size) for seed in range(seeds)}
    for letter, mutant in MUTANTS.items():
        differing = [seed for seed, entries in histories.items() if differs(entries, mutant())]
        laws: dict[str, int] = {}
        for seed in differing[:40]:  # enough to see which laws notice it
            for law in noticed_by(histories[seed], mutant(), seed):
                laws.setdefault(law, seed)
        noticed = ", ".join(f"{law} (seed {seed})" for law, seed in laws.items()) or "none"
        line = f"{letter:3} differs in {len(differing):4} of {seeds}, first seeds {differing[:5]}; laws: {noticed}"
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
