"""Allocates the port of each service of a stack: the requested one, else its previous one, else a free one."""

import msgspec

from connectors.local import ports
from connectors.local.stack_state import StackState
from schemas.errors import Unavailable


def with_ports(state: StackState, idle: list[str], port: int | None) -> StackState:
    """Return the state with a port for every service; only `idle` ones may change theirs.

    `port` is the first broker's, the others get the next ones. Raises `Unavailable` when the requested port is taken. Controllers
    find each other by these ports, so while one broker of a cluster runs, no port of the cluster changes.
    """
    requested = {} if port is None else {name: port + index for index, name in enumerate(state.broker_names())}
    chosen = dict(state.ports)
    cluster_runs = any(name not in idle for name in state.broker_names())
    for name in state.port_names():
        fixed = name not in idle and not name.startswith("controller-")
        fixed = fixed or (cluster_runs and name.startswith(("kafka-", "controller-")))
        chosen[name] = _port(name, chosen, requested.get(name), fixed=fixed)
    return msgspec.structs.replace(state, ports=chosen)


def _port(name: str, chosen: dict[str, int], requested: int | None, *, fixed: bool) -> int:
    current = chosen.get(name)
    if current is not None and (fixed or (requested in (None, current) and ports.is_free(current))):
        if requested not in (None, current):
            raise Unavailable(
                f"{name} of this stack runs on port {current}, not {requested}. `stack down` first, or take another --name."
            )
        return current
    if requested is None:
        return ports.free(set(chosen.values()))
    if not ports.is_free(requested):
        raise Unavailable(
            f"Port {requested} is taken by another program. Stop it, name another --port, or leave --port out for a free one."
        )
    return requested
