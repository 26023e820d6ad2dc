"""Who signed a post: right, wrong, missing and malformed signatures, and apps with several secrets."""

import hashlib
import hmac

import pytest

from connectors.intercom.ingress.signature import CALLBACK, WEBHOOK, Keyring, sign
from schemas.tenancy import App, Secret

BODY = b'{"id": "notif_1"}'
KEYRING = Keyring([
    App(name="support", client_secrets=(Secret("old"), Secret("new"))),
    App(name="sales", client_secrets=(Secret("other"),)),
    App(name="unset", client_secrets=(Secret(""),)),
])  # fmt: skip


def test_a_signature_is_what_the_documentation_of_intercom_says_it_is() -> None:
    expected = hmac.new(b"old", BODY, hashlib.sha1).hexdigest()
    assert sign(WEBHOOK, "old", BODY) == f"sha1={expected}"
    assert sign(CALLBACK, "old", BODY) == hmac.new(b"old", BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(("secret", "app"), [("old", "support"), ("new", "support"), ("other", "sales")])
@pytest.mark.parametrize("scheme", [WEBHOOK, CALLBACK])
def test_every_live_secret_of_an_app_signs_for_it(secret: str, app: str, scheme) -> None:
    assert KEYRING.signers(scheme, BODY, sign(scheme, secret, BODY).encode()) == {app}


def test_the_case_of_the_digits_does_not_matter() -> None:
    signature = sign(WEBHOOK, "old", BODY).replace("sha1=", "").upper()
    assert KEYRING.signers(WEBHOOK, BODY, f"sha1={signature}".encode()) == {"support"}


@pytest.mark.parametrize(
    "signature",
    [None, b"", b"sha1=", b"sha1=" + b"0" * 40, b"0" * 40, b"sha1=" + b"g" * 40, b"sha256=" + b"0" * 64, b"\xff" * 45,
     sign(WEBHOOK, "old", BODY + b" ").encode(), sign(WEBHOOK, "", BODY).encode(), sign(WEBHOOK, "stranger", BODY).encode()],
)  # fmt: skip
def test_nobody_signed_with_anything_else(signature: bytes | None) -> None:
    assert KEYRING.signers(WEBHOOK, BODY, signature) == frozenset()


def test_a_secret_that_two_apps_share_signs_for_both() -> None:
    shared = Keyring([App(name=name, client_secrets=(Secret("same"),)) for name in ("a", "b")])
    assert shared.signers(WEBHOOK, BODY, sign(WEBHOOK, "same", BODY).encode()) == {"a", "b"}


def test_a_keyring_shows_no_secret() -> None:
    assert "old" not in repr(KEYRING)
