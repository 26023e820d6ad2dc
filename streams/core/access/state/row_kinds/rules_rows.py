"""Which rules a tenant's answers follow."""

from typing import Final

from streams.core.access.state.row_kinds.row import Row
from streams.core.access.state.values import FactReference

FIRST_RULES: Final = "1"
WITH_ROLES: Final = "2"
"""The rules by which C4 compares the role that was chosen for a teammate."""
WITH_INFERENCE: Final = "3"
"""The rules by which a finding says that what it reports is known from a list of teammates alone."""
WITH_BEGINNINGS: Final = "4"
"""The rules by which an answer begins where the one before it ended, and no event is dated before what it reports."""
WITH_DOUBT: Final = "5"
"""The rules by which a status that is no word of the contract is void, what is UNKNOWN is informational, and of lists the one requested last counts."""
ALL: Final = (FIRST_RULES, WITH_ROLES, WITH_INFERENCE, WITH_BEGINNINGS, WITH_DOUBT)


def follows(version: str, rules: str) -> bool:
    """Say whether a tenant's version of the rules has what began with these."""
    return ALL.index(version) >= ALL.index(rules)


class RulesVersionRow(Row, frozen=True, tag="rules"):
    """The version of the rules that answers follow, and the fact since which they do. A tenant without it has the first version."""

    version: str
    source: FactReference
