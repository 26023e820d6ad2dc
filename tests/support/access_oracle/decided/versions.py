"""The version of the rules that answers follow: docs/access.md says what each one changed.

"A worker's `settings.applied` puts them in force, from its place in the log on", and "the rules never go back". So it is the highest that any
settings that took effect have named; a log whose settings name none has the first. Version 2 begins with a chosen role and 3 changes how a
finding says what it knows, so no row of this oracle depends on these.
"""

import json
from collections.abc import Sequence
from typing import Final

from tests.support.access_oracle.log import LoggedFact

FIRST: Final = 1
BEGINNINGS: Final = 4  # "An answer begins where the one before it ended"
DOUBT: Final = 5  # "What is not known is not taken for good"
NAME: Final = "rules"  # in settings.further


def version_by(settings: Sequence[LoggedFact]) -> int:
    """Return the version that is in force by the settings that took effect."""
    named = [(logged.fact["settings"].get("further") or {}).get(NAME) for logged in settings]
    return max([FIRST, *(int(json.loads(text)) for text in named if text)])
