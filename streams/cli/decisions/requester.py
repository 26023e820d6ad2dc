"""Who decides at the command line, and the fact that carries who decided and why."""

from typing import Any

import msgspec

from schemas.access.facts import Actor, Fact, FactPersonalData
from schemas.canonical import canonical, digest
from schemas.errors import BadConfiguration
from schemas.ids import derived
from schemas.plain_values import plain
from streams.cli.operator import COMMAND_LINE, user_name
from streams.core.normal_forms.names import read_alike, seen


class Requester(msgspec.Struct, frozen=True):
    """Who decides: an id given with `--by`, and the user's name on this machine."""

    id: str | None
    user: str | None

    @classmethod
    def of(cls, by: str | None) -> "Requester":
        """Return who uses this machine, or who they say they are."""
        return cls(by, by or user_name())

    def is_called(self, name: str) -> bool:
        """Say whether somebody of this name is the one who decides, however it is written."""
        names = {read_alike(each) for each in (self.id, self.user, None if self.id else COMMAND_LINE.id) if each}
        return read_alike(name) in names

    def __repr__(self) -> str:
        return "Requester(***)"


def made_by(requester: Requester, reason: str | None, *, tenant: str, kind: str, replaces: str | None, **parts: Any) -> Fact:
    """Return a decision as a fact. Its id follows from its content and what it replaces, so that trying again is the same decision.

    Raises BadConfiguration for a reason, or a comment, in which there is nothing to read.
    """
    if reason is not None and not seen(reason):
        raise BadConfiguration("The reason, or the comment, is blank. Others will read it: say why.")
    fact = Fact(
        id="",
        tenant=tenant,
        kind=kind,
        source="operator",
        basis="decided",
        actor=Actor(kind="operator", id=requester.id) if requester.id else COMMAND_LINE,
        person=FactPersonalData(actor=requester.user, text=reason),
        replaces=replaces,
        **parts,
    )
    return msgspec.structs.replace(fact, id=derived(tenant, kind, replaces, digest(canonical(plain(fact)))))
