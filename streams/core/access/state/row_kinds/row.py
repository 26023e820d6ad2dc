"""The base of all rows of the access table."""

import msgspec


class Row(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of all rows. A row with a field that is not known here has another meaning, and is refused."""
