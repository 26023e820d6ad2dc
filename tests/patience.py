"""How long tests wait for what has to happen."""

from typing import Final

DEADLINE_S: Final = 120.0
"""Far above what an idle machine needs: other tests and other programs compute meanwhile. Every wait ends with its condition, so this costs nothing."""
