"""The head of a tenant's ledger, signed, to be kept where nobody who could change the log can change it too.

The hash of the last entry stands for all entries before it, and these for all facts, findings and answers. So who keeps a head can prove later
whether the log is still the one that it was.
"""

from pathlib import Path
from typing import Final

import msgspec

from connectors.signatures.ed25519 import PublicKey, SigningKey
from schemas.canonical import canonical
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.json_lines import json_line

FORMAT: Final = 1


class BadSignature(BadConfiguration):
    """A head that nobody with the expected key has signed as it is."""


class LedgerHead(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's last entry: its number, its hash, where its fact lies in `access.facts`, and its log time (ms).

    `taken` (ms) is when, by the clock of who exported it. `files` is the hash of the manifest of files that were exported with it, `schemas`
    that of the file with their schemas. The signature is over all other fields as canonical JSON; `key` is the public key in base64. Both are empty in a head that was not signed.
    """

    format: int = FORMAT
    tenant: str
    entries: int
    hash: str
    partition: int
    offset: int
    log_time: int
    taken: int
    cluster: str
    product: str
    files: str = ""
    schemas: str = ""
    key: str = ""
    signature: str = ""


def signed(head: LedgerHead, key: SigningKey) -> LedgerHead:
    """Return a head with its signature."""
    head = msgspec.structs.replace(head, key=key.public.text)
    return msgspec.structs.replace(head, signature=key.sign(_signed_part(head)))


def verify_signature(head: LedgerHead, expected: PublicKey | None) -> str:
    """Return in words whose signature a head has. Raises BadSignature where it is not of `expected`, or of nobody.

    Without an expected key the one in the head is used: then only its id, compared with what was documented, says whose it is.
    """
    if not head.signature:
        if expected is not None:
            raise BadSignature("the head is not signed, and a key was named that should have signed it")
        return "not signed"
    try:
        key = PublicKey.read(head.key)
    except InvalidRecord as error:
        raise BadSignature(f"the head names a key with which nothing can be verified: {error}") from None
    if expected is not None and key != expected:
        raise BadSignature(
            f"the head was signed with the key {key.id}, and should be with {expected.id}: another installation's, or a forged one"
        )
    if not key.verifies(_signed_part(head), head.signature):
        raise BadSignature(f"the head was altered since it was signed with the key {key.id}")
    return f"signed with the key {key.id}" + (
        "" if expected else ", which the head itself names: compare it with the documented one"
    )


def write_head(path: Path, head: LedgerHead) -> None:
    """Write a head. Raises BadConfiguration where that is not possible."""
    try:
        path.write_bytes(msgspec.json.format(json_line(head)) + b"\n")
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be written: {error.strerror}") from None


def read_head(path: Path) -> LedgerHead:
    """Return the head in a file. Raises BadConfiguration where there is none."""
    try:
        head = msgspec.json.decode(path.read_bytes(), type=LedgerHead)
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadConfiguration(f"{path} is no head of a ledger: {error}") from None
    if head.format != FORMAT:
        raise BadConfiguration(f"{path} has format {head.format}, and this release reads {FORMAT}: use the release that wrote it")
    return head


def _signed_part(head: LedgerHead) -> bytes:
    fields = msgspec.to_builtins(head)
    del fields["signature"]
    return canonical(fields)
