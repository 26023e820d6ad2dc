"""The order of measurements. Rivals take turns, so that a disturbance of the machine meets all of them alike."""

from collections.abc import Iterator, Sequence


def interleaved(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield (round, name): every name once a round, each second round in reverse, so that nobody always follows the same one."""
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            yield number, name
