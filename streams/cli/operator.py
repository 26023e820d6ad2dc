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
        person=FactPersonalData(actor=user_name()),
        replaces=replaces,
        **parts,  # type: ignore[arg-type]  # the parts of a fact are typed there
    )


def user_name() -> str | None:
    """Return the user's name on this machine, or None where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # in a container the user may have no name
        return None
