"""Nothing but reads can be asked of Intercom."""

import msgspec
import pytest

from connectors.intercom.rest.requests import READS, RestRequest, get, post
from schemas.errors import MustStop

CHANGING_CALLS = [
    ("POST", "/contacts"),
    ("PUT", "/contacts/5ba682d23d7cf92bef87bfd4"),
    ("DELETE", "/contacts/5ba682d23d7cf92bef87bfd4"),
    ("POST", "/contacts/merge"),
    ("POST", "/contacts/5ba682d23d7cf92bef87bfd4/archive"),
    ("POST", "/contacts/5ba682d23d7cf92bef87bfd4/companies"),
    ("DELETE", "/contacts/5ba682d23d7cf92bef87bfd4/tags/7"),
    ("POST", "/companies"),
    ("DELETE", "/companies/7"),
    ("PUT", "/admins/7/away"),
    ("POST", "/conversations"),
    ("POST", "/conversations/7/parts"),
    ("POST", "/conversations/7/reply"),
    ("POST", "/conversations/redact"),
    ("POST", "/data_attributes"),
    ("POST", "/events"),
    ("POST", "/messages"),
    ("PUT", "/ip_allowlist"),
    ("POST", "/tags"),
    ("POST", "/tickets"),
    ("PATCH", "/contacts/7"),
    ("GET", "/export/content/data/7"),
    ("GET", "/contacts/7/archive"),
]


@pytest.mark.parametrize(("method", "path"), CHANGING_CALLS)
def test_a_call_that_changes_something_or_is_not_known_cannot_be_made(method: str, path: str) -> None:
    with pytest.raises(MustStop, match="not among the calls that read"):
        RestRequest(method=method, path=path)


def test_a_request_that_is_read_back_from_where_it_was_stored_is_checked_too() -> None:
    stored = msgspec.json.encode(get("/contacts/{}", "7")).replace(b'"GET"', b'"DELETE"')
    with pytest.raises((MustStop, msgspec.ValidationError), match="not among the calls that read"):
        msgspec.json.decode(stored, type=RestRequest)


def test_every_post_only_searches_or_lists() -> None:
    assert all(path.endswith(("/search", "/list")) for path in READS["POST"])
    assert set(READS) == {"GET", "POST"}


@pytest.mark.parametrize("contact", ["../admins", "7/archive", "..", ".", "7?x=1", "7#", "a b", "é", "%2e%2e/me"])
def test_an_id_never_names_another_path(contact: str) -> None:
    try:
        request = get("/contacts/{}", contact)
    except MustStop:
        return
    assert request.template == "/contacts/{}"
    assert request.path.count("/") == 2


def test_the_template_has_no_id() -> None:
    assert get("/contacts/find_by_external_id/{}", "jo@example.com").template == "/contacts/find_by_external_id/{}"
    assert get("/companies/scroll").template == "/companies/scroll"


def test_requests_survive_their_storage() -> None:
    request = post("/contacts/search", {"query": {"field": "id"}}, page="2").searching(pagination={"starting_after": "x"})
    assert msgspec.json.decode(msgspec.json.encode(request), type=RestRequest) == request
