"""Fill the placeholders of a text: `${NAME}` and `${NAME:-default}` from the environment, `${file:path}` from a file."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

_PLACEHOLDER = re.compile(
    r"\$\{(?:file:(?P<file>[^}]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?)\}|(?P<bad>\$\{[^}]*\}?)"
)


class UnfilledPlaceholder(Exception):  # not one of `schemas.errors`: `load` reports it as one problem among others
    """A placeholder cannot be filled; the text says why, for the author of the file."""


def fill(text: str, environment: Mapping[str, str], folder: Path) -> str:
    """Return the text with its placeholders filled; a filled value is not filled again. Raises `UnfilledPlaceholder`.

    A variable that is set but empty counts as unset for `:-`, as in a shell. A file's last newline is not part of its value.
    """
    return _PLACEHOLDER.sub(_replacer(environment, folder), text)


def _replacer(environment: Mapping[str, str], folder: Path) -> Callable[[re.Match[str]], str]:
    def replace(placeholder: re.Match[str]) -> str:
        if placeholder["bad"] is not None:
            raise UnfilledPlaceholder(
                f"{placeholder['bad']!r} is not a placeholder: write ${{NAME}}, ${{NAME:-default}} or ${{file:path}}"
            )
        if placeholder["file"] is not None:
            return _content(folder / placeholder["file"])
        value = environment.get(placeholder["name"], "")
        if value:
            return value
        if placeholder["default"] is None:
            state = "empty" if placeholder["name"] in environment else "not set"
            raise UnfilledPlaceholder(f"the environment variable {placeholder['name']} is {state}")
        return placeholder["default"]

    return replace


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UnfilledPlaceholder(
            f"the file {path} cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8 text'})"
        ) from error
