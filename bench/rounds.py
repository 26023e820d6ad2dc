"""The order of measurements. Rivals take turns, so that a disturbance of the machine meets all of them alike."""

import sys
from collections.abc import Iterator, Sequence


def interleaved(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield (round, name): every name once a round, each second round in reverse, so that nobody always follows the same one."""
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            yield number, name


def turns(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield the same, saying on stderr whose turn it is: a whole run takes minutes."""
    for number, name in interleaved(names, rounds):
        print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
        yield number, name
