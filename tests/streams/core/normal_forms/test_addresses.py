"""Addresses in their comparable form: what is read without the library is read as the library reads it."""

from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.normal_forms.addresses import normal

labels = st.sampled_from(("acme", "A-1", "a--b", "xn--bcher-kva", "bücher", "-x", "1", "b-c-9", "local", "www", "x" * 40))
tops = st.sampled_from(("example", "Example", "com", "test", "invalid", "localhost", "arpa", "onion", "1", "c0m", "x", "co"))
locals_ = st.text("aZ09_+-.é ", min_size=1, max_size=12)
addresses = st.builds(
    lambda local, domain, top: f"{local}@{'.'.join([*domain, top])}", locals_, st.lists(labels, min_size=1, max_size=3), tops
)


@settings(max_examples=400, deadline=None)
@given(addresses | st.text("aA1.@-+_", max_size=12))
def test_every_address_has_the_form_that_the_library_gives_it(address: str):
    try:
        read = validate_email(address.strip(), check_deliverability=False, globally_deliverable=False, test_environment=True)
    except EmailNotValidError:
        assert normal(address) is None
    else:
        assert normal(address) == f"{read.local_part.casefold()}@{(read.ascii_domain or '').lower()}"
