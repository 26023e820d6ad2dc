"""URLs and tokens that no client can use are found where the file is read."""

import pytest

from schemas.errors import BadConfiguration
from streams.settings import load
from streams.settings.urls import is_url
from tests.support.config import config_text, write_config

HTTP, REDIS = ("http://", "https://"), ("redis://", "rediss://", "unix://")


@pytest.mark.parametrize(
    ("text", "schemes"),
    [
        ("http://127.0.0.1:8095", HTTP), ("https://api.example.com/v1", HTTP), ("http://[::1]:8095", HTTP),
        ("redis://127.0.0.1:6379/0", REDIS), ("rediss://:pw@redis.example.com", REDIS), ("unix:///run/redis.sock", REDIS),
    ],
)  # fmt: skip
def test_these_are_urls(text, schemes):
    assert is_url(text, schemes)


@pytest.mark.parametrize(
    ("text", "schemes"),
    [
        ("http://[bad", HTTP), ("http://h:99999", HTTP), ("http://h:xx", HTTP), ("http://", HTTP), ("https://:8080", HTTP), ("ftp://h", HTTP),
        ("h:80", HTTP), ("redis://h:xx/0", REDIS), ("redis://h:0", REDIS), ("unix://", REDIS), ("", HTTP),
    ],
)  # fmt: skip
def test_these_are_none(text, schemes):
    assert not is_url(text, schemes)


def problems(tmp_path, **tables):
    with pytest.raises(BadConfiguration) as refused:
        load(str(write_config(tmp_path, config_text(**tables))), environment={})
    return str(refused.value)


def test_a_url_that_cannot_be_used_is_shown_without_its_password(tmp_path):
    shown = problems(tmp_path, redis={"url": "redis://user:hunter2@h:xx/0"}, registry={"url": "https://u:hunter2@[bad"})
    assert "redis.url (line 2): expected a URL with redis:// or rediss:// or unix://, found 'redis://***@h:xx/0'" in shown
    assert "registry.url (line 4): expected a URL with http:// or https://, found 'https://***@[bad'" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("token", ["dG9r\n", " dG9r", "dG9r dG9r", "d\u00f6g", "\u201cdG9r\u201d", "dG9r\u200b"])
def test_an_access_token_that_no_header_takes_is_refused_and_not_shown(tmp_path, token):
    workspace = {"app": "support", "access_token": token}
    shown = problems(tmp_path, tenants={"acme": {"abc12345": workspace}})
    assert "tenants[0].workspaces[0].access_token (line 9): expected the access token alone" in shown
    assert "dG9r" not in shown


@pytest.mark.parametrize("token", ["", "dG9rOmFiYzEyMw==", "a~!-_.z"])
def test_a_token_of_printable_ascii_is_taken(tmp_path, token):
    workspace = {"app": "support", "access_token": token}
    file = write_config(tmp_path, config_text(tenants={"acme": {"abc12345": workspace}}))
    assert load(str(file), environment={}).tenancy.workspaces["abc12345"].access_token.reveal() == token
