"""The words of an activity: plain, whatever form Intercom sent them in, and not too long."""

import re
from html import unescape
from typing import Final

LONGEST: Final = 2_000  # characters
_BREAK: Final = re.compile(r"<\s*(?:br|/p|/div|/li|/h[1-6]|/tr)\b[^>]{0,4000}>", re.IGNORECASE)
_HIDDEN: Final = re.compile(r"<\s*(script|style)\b", re.IGNORECASE)
_END_OF_HIDDEN: Final = {kind: re.compile(rf"<\s*/\s*{kind}\s*>", re.IGNORECASE) for kind in ("script", "style")}
_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]{0,4000}>")
_JOINERS: Final = "\u200c\u200d"  # of no width, and part of words in Persian and Indic scripts, and of many an emoji
_BLANKS: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r" ?\n[ \n]*")


def plain_text(value: object) -> tuple[str, bool]:
    """Return a body as plain text, and whether it was cut. HTML, and the text that webhooks can be set to, give the same words."""
    if not isinstance(value, str) or not value:
        return "", False
    text = value[: LONGEST * 20]  # markup of a text this long is rarely more; nothing reads a megabyte of it
    text = _TAG.sub("", _BREAK.sub("\n", _without_hidden(text)))
    text = _LINES.sub("\n", _BLANKS.sub(" ", unescape(text))).strip()
    text = "".join(each for each in text if each.isprintable() or each == "\n" or each in _JOINERS)
    return text[:LONGEST], len(text) > LONGEST or len(value) > LONGEST * 20


def _without_hidden(text: str) -> str:
    """Return the text without scripts and styles. What is never closed hides nothing, and its end is looked for once: a pattern would for each beginning."""
    kept, at, closed = [], 0, set(_END_OF_HIDDEN)
    for begin in _HIDDEN.finditer(text):
        kind = begin[1].lower()
        if begin.start() < at or kind not in closed:
            continue
        end = _END_OF_HIDDEN[kind].search(text, begin.end())
        if end is None:
            closed.discard(kind)
            continue
        kept.append(text[at : begin.start()])
        at = end.end()
    return "".join([*kept, text[at:]])
