"""Marks of the forms in which a conversation's activities were sent.

A reading shows all parts again and again, so of parts that are known it sends only what was not sent before. Webhooks and readings have one
part in different forms, and details that only one of them has: were a known part never sent again, the order of events would decide what
is known of it. A mark is a hash of 4 bytes of how long each text is and when the part last changed: it says nothing about the words.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from streams.core.conversations.parts import MARK


def mark_of_form(texts: Mapping[str, object], second: int = 0) -> bytes:
    """Return the mark of texts of a part that last changed in that second; nothing where all are empty."""
    sizes = {name: len(text) for name, text in sorted(texts.items()) if isinstance(text, str) and text}
    return blake2b(msgspec.msgpack.encode((sizes, second)), digest_size=MARK).digest() if sizes else b""
