"""The operator at the command line, who decides: facts that carry who decided them."""

import getpass

from schemas.access.facts import Actor, Fact, FactPersonalData

COMMAND_LINE = Actor(kind="operator", id="command line")


def decision(*, id: str, tenant: str, kind: str, replaces: str | None = None, **parts: object) -> Fact:  # noqa: A002 - as the fact has it
    """Return a decision of the operator as a fact."""
    return Fact(
        id=id,
        tenant=tenant,
        kind=kind,
        source="operator",
        basis="decided",
        actor=COMMAND_LINE,
        person=FactPersonalData(actor=_user()),
        replaces=replaces,
        **parts,  # type: ignore[arg-type]  # the parts of a fact are typed there
    )


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # in a container the user may have no name
        return None
