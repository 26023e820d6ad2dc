"""Fill the places of a text: `${NAME}`, `${NAME:-default}` from the environment, `${file:path}` from a file."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

_PLACE = re.compile(
    r"\$\{(?:file:(?P<file>[^}]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?)\}|(?P<bad>\$\{[^}]*\}?)"
)


class UnfilledPlaceholder(Exception):  # it is a state of the text, told to the reader of the file as one problem among others
    """Say what is missing for a place, in words for the person who wrote it."""


def fill(text: str, environment: Mapping[str, str], folder: Path) -> str:
    """Return the text with its places filled; a filled value is never filled again. Raises `UnfilledPlaceholder`.

    A variable that is set but empty counts as unset for `:-`, as in a shell. A file's last newline is not part of its value.
    """
    return _PLACE.sub(_filler(environment, folder), text)


def _filler(environment: Mapping[str, str], folder: Path) -> Callable[[re.Match[str]], str]:
    def filled(place: re.Match[str]) -> str:
        if place["bad"] is not None:
            raise UnfilledPlaceholder(f"{place['bad']!r} is no place: write ${{NAME}}, ${{NAME:-default}} or ${{file:path}}")
        if place["file"] is not None:
            return _content(folder / place["file"])
        value = environment.get(place["name"], "")
        if value:
            return value
        if place["default"] is None:
            raise UnfilledPlaceholder(
                f"the environment variable {place['name']} is {'empty' if place['name'] in environment else 'not set'}"
            )
        return place["default"]

    return filled


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UnfilledPlaceholder(
            f"the file {path} cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8 text'})"
        ) from error
