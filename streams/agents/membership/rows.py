"""The rows of the memberships agent: of a company, and of each of its edges. Their tags are written out."""

from typing import TypeAlias, Union

import msgspec

from schemas.profiles.memberships import MembershipEdge


class CompanyRow(msgspec.Struct, frozen=True, array_like=True, tag="company"):
    """A company's own row, once it is assigned or receives others' edges.

    `founder` is the company that its organisation is named after, itself or another; `number` is that of the assignment.
    """

    number: int = 0
    founder: str = ""  # empty: itself
    receives: bool = False


class EdgeRow(msgspec.Struct, frozen=True, array_like=True, tag="edge"):
    """An item of a company: an edge, and the company it was passed on to; empty where it counts here."""

    edge: MembershipEdge
    passed_on_to: str = ""


MembershipRow: TypeAlias = Union[CompanyRow, EdgeRow]  # noqa: UP007 - this form has the name that errors show
