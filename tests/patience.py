"""How long tests wait for what has to happen."""

from types import MappingProxyType
from typing import Final

DEADLINE_S: Final = 120.0
"""Far above what an idle machine needs: other tests and other programs compute meanwhile. Every wait ends with its condition, so this costs nothing."""

PATIENT_CONTROLLER: Final = MappingProxyType({"broker.session.timeout.ms": "60000"})
"""Settings of a broker that nobody kills: one that gets no CPU for the usual six seconds is alive, and no other could take its place."""
