"""`simulate`: send a small company's history to an ingress; `simulate serve`: be a workspace of Intercom."""

from streams.cli.verbs.simulate.history import simulate
from streams.cli.verbs.simulate.serve import serve

simulate.add_command(serve)

__all__ = ["simulate"]
