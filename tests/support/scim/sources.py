"""One server with many sources for the tests of a file: each test takes a source that nobody else writes."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from schemas.access.facts import Fact
from tests.patience import DEADLINE_S
from tests.support.scim.running import ScimServer, facts_in_log, make_fact_log, scim_config, scim_server

_NONE: Mapping[str, str] = MappingProxyType({})


class FreeSource:
    """A source, and a client with its token."""

    def __init__(self, server: "ManySources", name: str, token: str) -> None:
        self._server = server
        self.name = name
        self.token = token

    def ask(self, method: str, path: str, *, status: int, headers: Mapping[str, str] = _NONE, **how: Any) -> httpx.Response:
        """Send a request and check the status of its answer."""
        response = self._server.client.request(method, path, headers={"authorization": f"Bearer {self.token}", **headers}, **how)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response

    def get(self, path: str, **how: Any) -> Any:
        """Return the body of a resource or a listing."""
        return self.ask("GET", path, status=200, **how).json()

    def facts(self) -> list[Fact]:
        """Return this source's facts in the order of the log."""
        every = asyncio.run(facts_in_log(self._server.kafka, self._server.prefix))
        return [fact for fact in every if fact.record and fact.record.source == self.name]


class ManySources:
    """A server whose sources are given out one by one."""

    def __init__(self, server: ScimServer, kafka: str, prefix: str) -> None:
        self.server = server
        self.kafka = kafka
        self.prefix = prefix
        self.client = httpx.Client(base_url=server.url, timeout=DEADLINE_S)
        self._numbers = itertools.count()

    def one(self, kind: str = "plain") -> FreeSource:
        """Return a source of that kind of configuration that no test has had."""
        name = f"{kind}{next(self._numbers)}"
        return FreeSource(self, name, _token(name))


_KINDS = {
    "plain": "",
    "groups": 'roles = "groups"',
    "department": 'roles = "department"',
    "withdrawn": 'inactive = "withdrawn"\ndeleted = "withdrawn"',
}
_MOST = 40  # sources that the tests of one file take


@contextlib.contextmanager
def many_sources(kafka: str, folder: Path) -> Iterator[ManySources]:
    """Run a server for the tests of a file."""
    prefix = f"t{secrets.token_hex(4)}."
    asyncio.run(make_fact_log(kafka, prefix))
    lines = [
        f'source = "{kind}{number}"\ntokens = ["{_token(f"{kind}{number}")}"]\n{more}'
        for kind, more in _KINDS.items()
        for number in range(_MOST)
    ]
    with scim_server(scim_config(folder, kafka, prefix, *lines)) as server:
        server.wait_until_ready()
        sources = ManySources(server, kafka, prefix)
        with sources.client:
            yield sources


def _token(name: str) -> str:
    return f"a-token-of-the-source-{name}"
