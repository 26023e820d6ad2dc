"""Every way in which an endpoint can fail has an outcome, and a sentence that says what to do."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import time

import pytest
import trustme

from connectors.webhooks.sender import EndpointSender, WebhookResult
from schemas.errors import BadConfiguration
from schemas.tenancy import Secret, WebhookEndpoint
from schemas.webhooks.posted import PostedEvent
from tests.support.webhooks.receiver import SECRET, receiving, verified

pytestmark = pytest.mark.asyncio
EVENT = PostedEvent(id="8b9c", type="access.violation.opened", finding="f", body=b'{"data":"\xc3\xa9"}')
LOCAL = ("127.0.0.0/8", "::1/128")


def endpoint(url, **more):
    return WebhookEndpoint(name="pager", url=Secret(url), secrets=(Secret(SECRET),), **{"allow": LOCAL, **more})


async def post(url, timeout_s=5.0, **more):
    async with EndpointSender(endpoint(url, **more), "test/1", timeout_s=timeout_s) as sender:
        return await sender.post(EVENT)


async def test_a_post_is_signed_and_carries_the_events_id():
    with receiving() as receiver:
        answer = await post(f"http://127.0.0.1:{receiver.port}/hook?token=s3cret")
    (received,) = receiver.posts
    assert answer.result is WebhookResult.ACCEPTED
    assert (received.id, received.body, received.headers["content-type"]) == (EVENT.id, EVENT.body, "application/json")
    assert verified(received)
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 120


async def test_a_connection_is_used_again_and_each_post_has_its_own_signature():
    with receiving() as receiver:
        async with EndpointSender(endpoint(f"http://127.0.0.1:{receiver.port}/"), "test/1") as sender:
            answers = [await sender.post(EVENT) for _ in range(3)]
    assert [answer.result for answer in answers] == [WebhookResult.ACCEPTED] * 3
    assert all(verified(each) for each in receiver.posts)


@pytest.mark.parametrize(
    ("status", "headers", "result", "wait", "sentence"),
    [
        (200, {}, "accepted", 0, ""), (204, {}, "accepted", 0, ""), (500, {}, "refused", 0, "answered 500"),
        (400, {}, "refused", 0, "answered 400"), (410, {}, "gone", 0, "wants no more events"),
        (302, {"location": "http://127.0.0.1:1/"}, "refused", 0, "a redirect, which is not followed"),
        (429, {"Retry-After": "7"}, "away", 7, "answered 429"), (503, {"retry-after": "99999"}, "away", 3600, "answered 503"),
        (503, {"retry-after": "soon"}, "away", 0, "answered 503"), (503, {"retry-after": "-5"}, "away", 0, "answered 503"),
        (503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "away", 0, "answered 503"),
    ],
)  # fmt: skip
async def test_what_an_answer_means(status, headers, result, wait, sentence):
    with receiving(lambda _: (status, headers)) as receiver:
        answer = await post(f"http://127.0.0.1:{receiver.port}/")
    assert (answer.result, answer.retry_after_s) == (result, wait)
    assert sentence in answer.reason
    assert len(receiver.posts) == 1, "nothing is followed and nothing is repeated by itself"


async def test_a_redirect_is_not_followed_to_anybody():
    with receiving() as inside, receiving(lambda _: (307, {"location": f"http://127.0.0.1:{inside.port}/"})) as receiver:
        assert (await post(f"http://127.0.0.1:{receiver.port}/")).result is WebhookResult.REFUSED
    assert inside.posts == []


async def test_a_private_address_is_refused_unless_it_is_allowed():
    with receiving() as receiver:
        for host in ("127.0.0.1", "localhost"):
            answer = await post(f"https://{host}:{receiver.port}/", allow=("10.0.0.0/8",))
            assert answer.result is WebhookResult.AWAY
            assert "no public address" in answer.reason
            assert "allow" in answer.reason
    assert receiver.posts == []


async def test_plain_http_goes_to_allowed_networks_only():
    answer = await post("http://93.184.216.34/", allow=("10.0.0.0/8",))
    assert "plain http" in answer.reason


@contextlib.asynccontextmanager
async def silent(say=b""):
    """A server that accepts connections, says something, and nothing after that."""

    async def answer(reader, writer):
        writer.write(say)
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await reader.read()
            await asyncio.sleep(600)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    handlers = asyncio.all_tasks()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in asyncio.all_tasks() - handlers:
            task.cancel()


@pytest.mark.parametrize("say", [b"", b"HTTP/1.1 2"])
async def test_an_endpoint_that_hangs_is_timed_out_wherever_it_hangs(say):
    async with silent(say) as port:
        answer = await post(f"http://127.0.0.1:{port}/", timeout_s=0.4)
    assert answer.result is WebhookResult.AWAY
    assert answer.reason == "127.0.0.1 did not answer within 0.4 s"


async def test_the_status_counts_also_where_the_rest_of_an_answer_hangs():
    async with silent(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab") as port:
        assert (await post(f"http://127.0.0.1:{port}/")).result is WebhookResult.ACCEPTED


async def test_an_endpoint_that_is_not_there_or_speaks_something_else():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "cannot be reached: Connection refused" in (await post(f"http://127.0.0.1:{port}/")).reason
    async with silent(b"220 mail.example ESMTP\r\n\r\n") as other:
        assert "does not speak HTTP" in (await post(f"http://127.0.0.1:{other}/")).reason
    answer = await post("https://no-such-host.invalid/")
    assert answer.result is WebhookResult.AWAY
    assert "no-such-host.invalid" in answer.reason


def serving(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def test_certificates_that_do_not_fit_are_explained(tmp_path):
    ours, other = trustme.CA(), trustme.CA()
    ca_file = tmp_path / "ca.pem"
    ours.cert_pem.write_to_path(ca_file)
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    cases = [
        (ours.issue_cert("127.0.0.1"), None),
        (ours.issue_cert("127.0.0.1", not_before=past, not_after=past + dt.timedelta(days=1)), "has expired"),
        (ours.issue_cert("elsewhere.example"), "is for a name, or for another address"),
        (other.issue_cert("127.0.0.1"), "an authority that is not known here"),
    ]
    for certificate, sentence in cases:
        with receiving(context=serving(certificate)) as receiver:
            answer = await post(f"https://127.0.0.1:{receiver.port}/", ca_file=str(ca_file))
        if sentence is None:
            assert answer.result is WebhookResult.ACCEPTED
        else:
            assert sentence in answer.reason, answer
            assert receiver.posts == []


async def test_a_certificate_that_changes_is_judged_at_each_connection(tmp_path):
    """Renewed by the same authority it is accepted without a restart; replaced by a stranger's it is not, though the one before was right."""
    ours, other = trustme.CA(), trustme.CA()
    ca_file = tmp_path / "ca.pem"
    ours.cert_pem.write_to_path(ca_file)
    context = serving(ours.issue_cert("127.0.0.1"))
    with receiving(lambda _: (204, {"connection": "close"}), context) as receiver:
        found = endpoint(f"https://127.0.0.1:{receiver.port}/", ca_file=str(ca_file))
        async with EndpointSender(found, "test/1", timeout_s=5.0) as sender:
            answers = [await sender.post(EVENT)]
            for authority in (other, ours):
                authority.issue_cert("127.0.0.1").configure_cert(context)
                answers.append(await sender.post(EVENT))
    assert [each.result for each in answers] == [WebhookResult.ACCEPTED, WebhookResult.AWAY, WebhookResult.ACCEPTED]
    assert "an authority that is not known here" in answers[1].reason
    assert len(receiver.posts) == 2


async def test_https_to_a_port_without_tls_is_explained():
    with receiving() as receiver:
        assert "is it https on that port?" in (await post(f"https://127.0.0.1:{receiver.port}/")).reason


async def test_a_certificates_file_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(BadConfiguration, match=name):
            EndpointSender(endpoint("https://receiver.example/", ca_file=str(tmp_path / name)), "test/1")
