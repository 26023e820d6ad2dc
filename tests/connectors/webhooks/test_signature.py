import base64

import pytest

from connectors.webhooks.signature import key_of, signature
from schemas.errors import BadConfiguration
from schemas.tenancy import Secret


def test_the_example_of_the_specification_has_its_signature():
    """The vector in the tests of Standard Webhooks' own libraries."""
    key = key_of(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    made = signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_rotated_both_sign():
    old, new = bytes(32), bytes(range(32))
    both = signature([old, new], "id", 1, b"{}").split(" ")
    assert both == [signature([old], "id", 1, b"{}"), signature([new], "id", 1, b"{}")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "secret",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_not base64!!",
        base64.b64encode(bytes(32)).decode(),
    ],
)
def test_a_secret_of_another_form_is_refused_without_being_shown(text):
    with pytest.raises(BadConfiguration) as refused:
        key_of(Secret(text))
    assert "whsec_ and 24 to 64" in str(refused.value)
    assert not text or len(text) < 8 or text not in str(refused.value)
