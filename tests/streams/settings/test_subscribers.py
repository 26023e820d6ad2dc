import pytest

from schemas.errors import BadConfiguration
from streams.settings import load
from tests.support.config import config_text, write_config
from tests.support.webhooks.receiver import SECRET

ENDPOINT = {"name": '"pager"', "url": '"https://receiver.example/hook"', "secrets": f'["{SECRET}"]'}


def loaded(tmp_path, endpoint=None, file=None, *, twice=False):
    tables = [("webhooks", {**ENDPOINT, **endpoint})] * (2 if twice else 1) if endpoint is not None else []
    tables += [("event_files", {"path": '"out.jsonl"', **file})] * (2 if twice else 1) if file is not None else []
    parts = [f"[[tenants.{name}]]\n" + "".join(f"{key} = {value}\n" for key, value in table.items()) for name, table in tables]
    return load(str(write_config(tmp_path, config_text() + "".join(parts))))


def test_an_endpoint_and_a_file_are_read_and_paths_begin_at_the_configuration(tmp_path):
    settings = loaded(tmp_path, {"ca_file": '"ca.pem"', "allow": '["10.0.0.0/8"]'}, {"since": '"2026-01-01T00:00:00Z"'})
    (endpoint,), (file,) = settings.tenancy.tenants["acme"].webhooks, settings.tenancy.tenants["acme"].event_files
    assert (endpoint.ca_file, file.path) == (str(tmp_path / "ca.pem"), str(tmp_path / "out.jsonl"))
    assert settings.tenancy.delivers()
    assert "receiver.example" not in repr(endpoint)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ({"name": '"a b"'}, "name"), ({"url": '"receiver.example"'}, "expected a URL as in"), ({"url": '"ftp://x.example/"'}, "expected a URL"),
        ({"url": '"https://jo:secret@x.example/"'}, "without a user and password"), ({"url": '"http://x.example/"'}, "expected https"),
        ({"url": '"https://x.example/#a"'}, "without #"), ({"url": '"https://[::1/"'}, "expected a URL"), ({"secrets": "[]"}, "expected a secret"),
        ({"secrets": '["short"]'}, "whsec_ and 24 to 64"), ({"allow": '["10.1.2.3/16"]'}, "expected networks"), ({"allow": '["inside"]'}, "expected networks"),
        ({"events": '["people"]'}, "access.violation.opened"), ({"since": '"yesterday"'}, "a time with zone"), ({"since": '"2026-01-01"'}, "a time with zone"),
        ({"give_up_hours": "0"}, "at least 1"), ({"pause_hours": "-1"}, "at least 1"), ({"colour": "1"}, "unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_endpoint_is_refused_without_its_secrets(tmp_path, endpoint, expected):
    with pytest.raises(BadConfiguration, match=r"tenants\[0\]\.webhooks\[0\]") as refused:
        loaded(tmp_path, endpoint)
    assert expected in str(refused.value)
    assert "secret@" not in str(refused.value)
    assert '"short"' not in str(refused.value)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"path": '"var/"'}, "path of a file"),
        ({"rotate_mb": "0"}, "at least 1"),
        ({"keep": "-1"}, "at least 0"),
        ({"since": '"x"'}, "zone"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, file, expected):
    with pytest.raises(BadConfiguration, match=expected):
        loaded(tmp_path, file=file)


def test_names_and_paths_stand_once(tmp_path):
    with pytest.raises(BadConfiguration, match="stands twice"):
        loaded(tmp_path, {}, twice=True)
    with pytest.raises(BadConfiguration, match="same file stands twice"):
        loaded(tmp_path, file={}, twice=True)
