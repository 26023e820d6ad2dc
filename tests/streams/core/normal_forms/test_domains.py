import pytest

from streams.core.normal_forms import domains


@pytest.mark.parametrize(
    ("website", "expected"),
    [
        ("https://www.Engines.Example.com/about?x=1#top", "engines.example.com"),
        ("engines.example.com", "engines.example.com"),
        ("//engines.example.com:8443/", "engines.example.com"),
        ("http://jo:secret@engines.example.com", "engines.example.com"),
        (" https://bücher.example/ ", "xn--bcher-kva.example"),
        ("engines.example.com.", "engines.example.com"),
    ],
)
def test_a_site_is_its_domain(website, expected):
    assert domains.normal(website) == expected


@pytest.mark.parametrize(
    "website", ["", "   ", "n/a", "localhost", "10.0.0.1", "http://", "https:///path", "two words.com", "x" * 5000, "a@b", "www."]
)
def test_what_names_no_domain_is_none(website):
    assert domains.normal(website) is None
