"""A list of teammates that is known behind one that was requested later: what the later one showed stands."""

from tests.support.company import DAY, T0, Company, admin, by_rules, everyone, story

EARLIER, LATER = T0 + 8 * DAY, T0 + 9 * DAY
ADDRESSES = {"7": "jo@acme.example", "8": "al@acme.example"}


def read_out_of_order(rules: str) -> tuple[Company, list[str]]:
    """Return a company of two teammates, of whom a list lacks one before an earlier list is known, and what that one led to."""
    company = by_rules(rules)
    company.policy(everyone())
    for account, address in ADDRESSES.items():
        company.added(account, address)
    company.teammates(listed("7"), requested=LATER)
    return company, story(company.teammates(listed("7"), listed("8"), requested=EARLIER))


def listed(account: str):
    return admin("admin.seen", account, ADDRESSES[account])


def missed(company: Company) -> tuple[str, int]:
    (row,) = (row for row in company.states().values() if row["check"] == "S2")
    return row["result"], row["since"]


def test_an_earlier_list_that_is_known_later_does_not_say_that_no_webhook_was_missed():
    company, events = read_out_of_order("5")
    assert (events, missed(company)) == ([], ("FAIL", LATER))
    assert "C1 8" not in company.results()
    events = story(company.teammates(listed("7"), requested=LATER + DAY))
    assert (events, missed(company)) == (["S2 ws1 closed fixed"], ("PASS", LATER + DAY))


def test_a_log_of_earlier_rules_keeps_its_answers():
    company, events = read_out_of_order("4")
    assert (events, missed(company)) == (["S2 ws1 closed fixed"], ("PASS", EARLIER))
