"""The command-line options of a benchmark."""

import msgspec

from schemas.errors import BadConfiguration


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`quick` means the smallest run that still uses everything; its figures mean nothing."""

    quick: bool = False
    rounds: int | None = None
    only: tuple[str, ...] = ()
    events: int | None = None

    def round_count(self, usual: int) -> int:
        """Return the number of rounds: the given one, else 1 for a quick run, else `usual`."""
        return self.rounds or (1 if self.quick else usual)

    def chosen(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names given by --only, or all names; raise `BadConfiguration` for an unknown name."""
        unknown = sorted(set(self.only) - set(names))
        if unknown:
            raise BadConfiguration(
                f"--only names {', '.join(unknown)}, which this benchmark does not have. It has: {', '.join(names)}."
            )
        return tuple(name for name in names if not self.only or name in self.only)
