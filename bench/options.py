"""What a run of a benchmark is told from the command line."""

import msgspec

from schemas.errors import BadConfiguration


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`quick` is the smallest run that still goes through everything; its figures mean nothing."""

    quick: bool = False
    rounds: int | None = None
    only: tuple[str, ...] = ()
    events: int | None = None

    def count_of_rounds(self, usual: int) -> int:
        """Return how many rounds to run: one when quick, unless a number was asked for."""
        return self.rounds or (1 if self.quick else usual)

    def chosen(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of `names` that were asked for, all where nothing was; raise `BadConfiguration` for a name not among them."""
        unknown = sorted(set(self.only) - set(names))
        if unknown:
            raise BadConfiguration(
                f"--only names {', '.join(unknown)}, which this benchmark does not have. It has: {', '.join(names)}."
            )
        return tuple(name for name in names if not self.only or name in self.only)
