"""Print how many of the generated histories could show each fault: `python -m tests.support.access_histories [seeds] [size]`."""

import sys

from tests.support.access_histories.history import history
from tests.support.access_histories.patterns import PATTERNS


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    seeds, size = [*given, *(2_000, 24)[len(given) :]]
    matching: dict[str, list[int]] = {letter: [] for letter in PATTERNS}
    facts = 0
    for seed in range(seeds):
        entries = history(seed, size)
        facts += len(entries)
        for letter, pattern in PATTERNS.items():
            if pattern(entries):
                matching[letter].append(seed)
    print(f"{seeds} histories, {facts} facts")  # noqa: T201
    for letter, matches in matching.items():
        print(f"{letter:8} {len(matches):5} {100 * len(matches) / seeds:5.1f} %   first seed {next(iter(matches), None)}")  # noqa: T201


if __name__ == "__main__":
    main()
