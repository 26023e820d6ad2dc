"""The words of an activity: plain, whatever form Intercom sent them in, and not too long."""

import re
from html import unescape
from typing import Final

LONGEST: Final = 2_000  # characters
_BREAK: Final = re.compile(r"<\s*(?:br|/p|/div|/li|/h[1-6]|/tr)\b[^>]*>", re.IGNORECASE)
_HIDDEN: Final = re.compile(r"<\s*(script|style)\b.*?<\s*/\s*\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]{0,4000}>")
_BLANKS: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r" ?\n[ \n]*")


def plain_text(value: object) -> tuple[str, bool]:
    """Return a body as plain text, and whether it was cut. HTML, and the text that webhooks can be set to, give the same words."""
    if not isinstance(value, str) or not value:
        return "", False
    text = value[: LONGEST * 20]  # markup of a text this long is rarely more; nothing reads a megabyte of it
    text = _TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub("", text)))
    text = _LINES.sub("\n", _BLANKS.sub(" ", unescape(text))).strip()
    text = "".join(each for each in text if each == "\n" or each.isprintable())
    return text[:LONGEST], len(text) > LONGEST or len(value) > LONGEST * 20
