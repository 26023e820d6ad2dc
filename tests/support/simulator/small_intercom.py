"""A small workspace behind Intercom's REST API: teammates, contacts and companies, with the paging that Intercom has; of the rest whole lists."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

Reply = tuple[int, Any]


class SmallIntercom:
    """Answers requests. `before` is called with each path, and may raise, or return a status in place of the answer."""

    def __init__(
        self, app_id: str = "abc12345", contacts: int = 7, companies: int = 3, teammates: int = 2, page: int = 2
    ) -> None:
        self.app_id, self.page = app_id, page
        self.contacts = [{"type": "contact", "id": f"c{n}", "role": "user", "name": f"N{n}", "updated_at": 1_790_000_000 + n} for n in range(contacts)]  # fmt: skip
        self.companies = [
            {"type": "company", "id": f"o{n}", "company_id": str(n), "updated_at": 1_790_000_000} for n in range(companies)
        ]
        self.teammates = [
            {"type": "admin", "id": str(n + 1), "email": f"t{n}@acme.example", "name": f"T{n}"} for n in range(teammates)
        ]
        self.others: dict[str, tuple[str, list[Any]]] = {
            "/conversations": ("conversations", []), "/conversations/search": ("conversations", []), "/tickets/search": ("tickets", []), "/teams": ("teams", []),
            "/tags": ("data", []), "/segments": ("segments", []), "/data_attributes": ("data", []), "/articles": ("data", []),
            "/admins/activity_logs/search": ("activity_logs", []),
        }  # fmt: skip
        self._scrolled = 0
        self.asked: list[str] = []
        self.before: Callable[[str], int | None] = lambda _: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as an httpx transport."""
        status, body = self.answer(request.method, str(request.url), request.content)
        return httpx.Response(status, json=body)

    def answer(  # noqa: PLR0911  # one for each endpoint
        self, method: str, url: str, content: bytes
    ) -> Reply:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        self.asked.append(parts.path)
        refused = self.before(parts.path)
        if refused is not None:
            return refused, {"type": "error.list", "errors": [{"code": "api_plan_restricted" if refused == 403 else "refused"}]}
        match method, parts.path:
            case "GET", "/me":
                return 200, {"type": "admin", "app": {"id_code": self.app_id, "name": "Acme", "region": "US"}}
            case "GET", "/admins":
                return 200, {"type": "admin.list", "admins": self.teammates}
            case "GET", "/contacts":
                return 200, self._by_cursor(self.contacts, query.get("starting_after"))
            case "POST", "/contacts/search":
                body = json.loads(content)
                found = [each for each in self.contacts if all(_fits(each, test) for test in body["query"]["value"])]
                return 200, self._by_cursor(found, body["pagination"].get("starting_after"))
            case "GET", "/companies/scroll":
                self._scrolled = self._scrolled + self.page if "scroll_param" in query else 0
                page = self.companies[self._scrolled : self._scrolled + self.page]
                return 200, {"data": page, "pages": None, "scroll_param": "same"}
        if parts.path in self.others:
            name, items = self.others[parts.path]
            items = [each for each in items if each.get("model") == query.get("model")]
            return 200, {name: items, "total_count": len(items)}
        return 404, {"type": "error.list", "errors": [{"code": "not_found"}]}

    def _by_cursor(self, items: list[Any], cursor: str | None) -> Any:
        start = int(cursor or 0)
        following = {"next": {"starting_after": str(start + self.page)}} if start + self.page < len(items) else {}
        return {"data": items[start : start + self.page], "total_count": len(items), "pages": following}

    @contextmanager
    def served(self) -> Iterator[str]:
        """Yield the URL of a server that answers so."""
        intercom = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = intercom.answer(self.command, self.path, content)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET  # noqa: N815  # the library's names

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _fits(item: Any, test: Any) -> bool:
    value = item[test["field"]]
    return value > test["value"] if test["operator"] == ">" else value < test["value"]
