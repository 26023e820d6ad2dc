"""The example configuration, each key with its default and a word about it: in a wheel beside this file, in a checkout at its top."""

from pathlib import Path
from typing import Final

_PACKAGED: Final = Path(__file__).with_name("example.toml")
_IN_CHECKOUT: Final = Path(__file__).parents[2] / "intercom-streams.example.toml"


def example() -> str:
    """Return its text."""
    return (_PACKAGED if _PACKAGED.exists() else _IN_CHECKOUT).read_text(encoding="utf-8")
