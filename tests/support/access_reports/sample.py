"""A company whose report has something in every section: names in many scripts, leavers in time and late, exemptions, silence, decisions."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.access.facts import Actor, Case, Classification, Fact, FactPersonalData, Grace, Grant
from schemas.access.reports import AccessReport
from schemas.ids import derived
from schemas.message import RecordValue
from streams.core.access.reports.build import report
from streams.core.access.reports.scope import ReportScope
from streams.ops.reports.read_log import report_log
from tests.support.company import APP, AVRO, DAY, T0, TENANT, Company, admin, person_of, policy, roles, settings, staff

HOUR: Final = DAY // 24
START: Final = T0 + 10 * DAY
NAMES: Final = (
    "Jürgen Łukaszewicz", "Владимир Соколов", "Αθηνά Παπαδοπούλου", "أحمد الفارسي", "דוד לוי", "สมชาย ใจดี", "ნინო ბერიძე", "राम शर्मा", "田中 太郎", "王小明", "김철수",
    "Nguyễn Thị Đỗ", "Արամ Հակոբյան", "አበበ ቢቂላ",
)  # fmt: skip
TWENTY_FOUR_HOURS: Final = {"C2": Grace(amount=24, unit="hours"), "C4": Grace(amount=3, unit="days")}


def made_by(fact: Fact, who: str, why: str | None = None) -> Fact:
    """Return a decision with who made it, and why."""
    return msgspec.structs.replace(fact, actor=Actor(kind="operator", id=who), person=FactPersonalData(actor=who, text=why))


def exemption(id_: str, check: str, account: str, *, expires: int | None, why: str, starts: int | None = None) -> Fact:
    grant = Grant(id=id_, check=check, starts=starts, expires=expires, approver="security lead")
    fact = Fact(
        id=derived("exemption", id_), tenant=TENANT, kind="exemption.granted", source="operator", basis="decided", app_id=APP,
        account=account, grant=grant,
    )  # fmt: skip
    return made_by(fact, "kim", why)


def sample() -> Company:
    """Return the company, ten days after its log began."""
    company = Company()
    company.add(settings(workspaces=(APP,), further={"freshness": '{"idp":{"kind":"interval","interval":3600000}}'}))
    company.add(made_by(policy(roles("Support", "Sales", grace=TWENTY_FOUR_HOURS)), "ops", "the policy of the year"))
    everybody = [
        staff(str(number), f"p{number}@acme.example", roles=("Support",), name=name) for number, name in enumerate(NAMES)
    ]
    company.snapshot(*everybody, requested=START)
    listed = [
        admin("admin.seen", str(number), f"p{number}@acme.example", name=name, role="Agent") for number, name in enumerate(NAMES)
    ]
    company.teammates(*listed[:-1], admin("admin.seen", "90", "box@acme.example", name="Support box"), requested=START + HOUR)
    company.tick(START + 2 * HOUR)
    classified = Fact(
        id="classified-90", tenant=TENANT, kind="account.classified", source="operator", basis="decided", app_id=APP, account="90",
        classification=Classification(kind="shared", owner=person_of("1")),
    )  # fmt: skip
    company.add(made_by(classified, "kim", "the team's mailbox"))
    for number, day in enumerate((3, 4, 5, 6)):  # four leave
        ends = START + day * DAY
        company.staff(
            str(number), f"p{number}@acme.example", roles=("Support",), name=NAMES[number], at=START + DAY + number, ends=ends
        )
    company.tick(START + 3 * DAY + 10 * HOUR)
    company.removed("0", at=START + 3 * DAY + 10 * HOUR)  # in time
    company.tick(START + 6 * DAY + 12 * HOUR)
    company.removed("1", at=START + 6 * DAY + 12 * HOUR)  # late
    company.add(exemption("x-3", "C2", "3", expires=START + 30 * DAY, why="hands over until the end of the month"))
    company.staff("5", "p5@acme.example", roles=("Finance",), name=NAMES[5], at=START + 7 * DAY)
    company.added("91", "stranger@other.example", name="Nobody Knows", at=START + 7 * DAY)
    company.staff("77", "p7@acme.example", source="idp", name=NAMES[7], at=START + 7 * DAY)
    company.tick(START + 8 * DAY)
    found = next(each for each in company.findings() if each["unmapped"].get("account") == "91")
    handled = Fact(
        id="handled-91", tenant=TENANT, kind="finding.handled", source="operator", basis="decided", app_id=APP, account="91",
        case=Case(finding=found["finding_info"]["uid"], action="assigned", assignee="team:it"),
    )  # fmt: skip
    company.add(made_by(handled, "kim", "please ask"))
    company.tick(START + 9 * DAY)
    return company


def read(records: Iterable[RecordValue], scope: ReportScope) -> AccessReport:
    """Return the report of a log."""
    log = report_log(AVRO, TENANT, scope)
    for record in records:
        if not log.take(0, record):
            break
    return report(log.finished())


def as_of(at: int) -> ReportScope:
    return ReportScope(at)


def period(since: int, until: int) -> ReportScope:
    return ReportScope(until, since)
