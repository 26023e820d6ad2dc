"""Check the laws on the oracle itself: `python -m tests.support.access_laws [seeds] [size] [first seed]`."""

import random
import sys

from tests.support.access_histories.history import history
from tests.support.access_laws.laws import broken_laws
from tests.support.access_oracle.answers import answers, final_rows, walk


def main() -> int:
    given = [int(argument) for argument in sys.argv[1:]]
    seeds, size, first = [*given, *(500, 24, 0)[len(given) :]]
    broken: dict[str, list[str]] = {}
    for seed in range(first, first + seeds):
        entries = history(seed, size)
        laws = broken_laws(entries, answers, random.Random(seed), quick=final_rows, steps=list(walk(entries)))
        for law, sentences in laws.items():
            broken.setdefault(law, []).extend(f"seed {seed}: {sentence}" for sentence in sentences[:1])
    for law, examples in broken.items():
        print(f"{law:28} {len(examples):4} of {seeds} histories break it", *examples[:3], sep="\n    ")  # noqa: T201
    return 1 if any(broken.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
