"""The order of measurements. Rivals are interleaved, so that a disturbance of the machine affects all of them alike."""

import sys
from collections.abc import Iterator, Sequence


def interleaved(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield (round, name): every name once per round; every second round is reversed, to vary the predecessor of a name."""
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            yield number, name


def measurements(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield the same and print each round and name to stderr: a whole run takes minutes."""
    for number, name in interleaved(names, rounds):
        print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
        yield number, name
