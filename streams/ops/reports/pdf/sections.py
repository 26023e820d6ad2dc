"""The sections of a report, each a heading with a sentence, and a table."""

from schemas.access.report_lines import ReportedAccess
from schemas.access.reports import AccessReport
from streams.ops.reports.pdf.page import Pages
from streams.ops.reports.pdf.table import Column, heading, table
from streams.ops.reports.pdf.words import duration, number, reason, short, when, who


def findings(pages: Pages, report: AccessReport) -> None:
    """Put the open findings, or all of a period."""
    is_period = report.basis.since is not None
    heading(
        pages,
        "Findings of the period" if is_period else "Open findings",
        "Every finding that was open at any time of the period, with its whole life in the JSON." if is_period else "",
    )
    columns = (
        Column("Check", 5), Column("Account", 20), Column("What", 34), Column("Result", 9), Column("Why", 16), Column("Opened", 15),
        Column("Due", 15), Column("Closed", 15), Column("Lasted", 9), Column("Id", 8),
    )  # fmt: skip
    rows = (
        [
            line.check, line.address or line.account or line.workspace, line.message, line.result or "-",
            reason(line.check, line.closed_for or line.reason), when(line.opened), when(line.due), when(line.closed), duration(line.lasted_seconds),
            short(line.uid),
        ]
        for line in report.findings
    )  # fmt: skip
    table(pages, columns, rows)


def leavers(pages: Pages, report: AccessReport) -> None:
    """Put offboarded staff and what became of their accounts."""
    heading(
        pages,
        "Offboarded staff",
        "Whose employment had ended, with every account that a link or an address names, present or former. Access had to be gone by the deadline "
        "that the policy allowed, else by the end of employment.",
    )
    columns = (
        Column("Person", 20), Column("Last day", 11), Column("Source", 9), Column("Account", 22), Column("Status", 10), Column("Revoked", 15),
        Column("Known by", 9), Column("Due", 15), Column("Within grace", 9), Column("Late by", 10),
    )  # fmt: skip
    rows = (
        [
            who(line.person), line.last_day, line.ended_source, _account(line.workspace, line.address or line.account), line.status,
            when(line.revoked), line.known_by or "-", when(line.due),
            "-" if line.within_grace is None else "yes" if line.within_grace else "no", duration(line.late_seconds) if line.late_seconds else "-",
        ]
        for line in report.leavers
    )  # fmt: skip
    table(pages, columns, rows, empty="Nobody had left.")


def times(pages: Pages, report: AccessReport) -> None:
    """Put how long it took to fix findings, of a period."""
    if report.time_to_fix is None:
        return
    heading(
        pages,
        "Time to fix",
        "From the opening of a finding to its close, of those that were fixed in the period; percentiles by nearest rank.",
    )
    heads = ("Fixed", "Open at the end", "Fixed late", "Half within", "90 % within", "95 % within", "Longest")
    columns = [Column("Check", 6), *(Column(head, 10, is_number=True) for head in heads)]
    rows = (
        [
            each.check, number(each.fixed), number(each.open), number(each.late), duration(each.p50), duration(each.p90), duration(each.p95),
            duration(each.longest),
        ]
        for each in report.time_to_fix
    )  # fmt: skip
    table(pages, columns, rows)


def unknown(pages: Pages, report: AccessReport) -> None:
    """Put what the answers rest on, and when nobody was tested."""
    heading(
        pages,
        "Coverage",
        "Whether complete lists of teammates and of staff came without a break: what is not covered was not tested.",
    )
    columns = (
        Column("Of", 20), Column("Result", 9), Column("Why", 20), Column("Since", 15), Column("Complete since", 15), Column("Evaluated through", 15),
        Column("Accounts", 8, is_number=True), Column("Records", 8, is_number=True),
    )  # fmt: skip
    rows = (
        [
            f"workspace {line.workspace}" if line.workspace else f"staff source {line.source}", line.result, reason("coverage", line.reason),
            when(line.since), when(line.complete_since), when(line.evaluated_through), "-" if line.accounts is None else number(line.accounts),
            "-" if line.records is None else number(line.records),
        ]
        for line in report.coverage
    )  # fmt: skip
    table(pages, columns, rows)
    heading(pages, "Windows of UNKNOWN", "When a check had no answer: neither a pass nor a failure.")
    window_columns = (Column("Check", 8), Column("Of", 30), Column("Why", 50), Column("From", 15), Column("Until", 15))
    windows = (
        [
            each.check, _account(each.workspace, each.account) if each.workspace else each.source or "-",
            "; ".join(reason(each.check, name) for name in each.reasons), when(each.from_), when(each.until) if each.until else "still so",
        ]
        for each in report.unknown
    )  # fmt: skip
    table(pages, window_columns, windows)


def exemptions(pages: Pages, report: AccessReport) -> None:
    """Put the exemptions in force."""
    heading(
        pages,
        "Exemptions in force",
        "Accepted failures. Shown says whether a finding shows it: where nothing fails, or another one is shown, it does not.",
    )
    columns = (
        Column("Check", 6), Column("Of", 20), Column("From", 15), Column("Until", 15), Column("Asked by", 14), Column("Approved by", 14),
        Column("Why", 34), Column("Shown", 6), Column("Offset", 8, is_number=True),
    )  # fmt: skip
    rows = (
        [
            line.check, _account(line.workspace, line.account), when(line.starts), when(line.expires) if line.expires else "no end",
            line.by or "-", line.approver or "-", line.why or "-", "yes" if line.shown else "no", str(line.offset),
        ]
        for line in report.exemptions
    )  # fmt: skip
    table(pages, columns, rows)


def decisions(pages: Pages, report: AccessReport) -> None:
    """Put the decisions in force, or those of a period."""
    heading(pages, "Decisions of the period" if report.basis.since else "Decisions in force")
    columns = (
        Column("Kind", 15), Column("About", 24), Column("Decided", 32), Column("At", 15), Column("By", 12), Column("Why", 30),
        Column("Offset", 8, is_number=True),
    )  # fmt: skip
    rows = (
        [line.kind, line.about, line.decided or "-", when(line.at), line.by or "-", line.why or "-", str(line.offset)]
        for line in report.decisions
    )
    table(pages, columns, rows)


def rules(pages: Pages, report: AccessReport) -> None:
    """Put the rules of the policy in force."""
    if report.basis.policy is None:
        return
    heading(pages, "Rules of the policy")
    columns = (
        Column("Workspace", 14),
        Column("Validity", 14),
        Column("Allows", 40),
        Column("From", 15),
        Column("Until", 15),
        Column("Grace", 30),
    )
    rows = (
        [
            rule.workspace, rule.validity.replace("_", " "), "; ".join(rule.allows) or "-", when(rule.starts), when(rule.until),
            ", ".join(f"{check} {grace}" for check, grace in rule.grace.items()) or "-",
        ]
        for rule in report.basis.policy.rules
    )  # fmt: skip
    table(pages, columns, rows)


def controls(pages: Pages, report: AccessReport) -> None:
    """Put the controls for which the checks give evidence."""
    heading(
        pages,
        "Controls",
        "For which controls of standards the checks give evidence. A check covers a part of a control, never all of it; whether it is enough, the reader decides.",
    )
    columns = (
        Column("Standard", 13), Column("Control", 9), Column("About", 44), Column("Checks that are on", 24), Column("Off", 16), Column("Results", 34),
    )  # fmt: skip
    rows = (
        [
            line.standard, line.control, line.about, " ".join(line.checks) or "none", " ".join(line.off) or "-",
            ", ".join(f"{name} {number(count)}" for name, count in line.results.items()) or "no answers",
        ]
        for line in report.controls
    )  # fmt: skip
    table(pages, columns, rows)


def access(pages: Pages, report: AccessReport) -> None:
    """Put everybody who had access, with what each check answered."""
    heading(
        pages,
        "Who had access",
        "Every account that was present, whose it is, since when, and what each check answered. A dash is no answer.",
    )
    shown = sorted({answer.check for line in report.access for answer in line.answers}, key=_order)
    columns = (
        Column("Account", 24), Column("Name", 20), Column("Intercom role", 12), Column("Owner", 20), Column("Since", 15), Column("Known by", 8),
        *(Column(check, 9) for check in shown),
    )  # fmt: skip
    table(pages, columns, (_access(line, shown) for line in report.access), empty="Nobody had access.")


def _access(line: ReportedAccess, shown: list[str]) -> list[str]:
    answers = {answer.check: answer.result for answer in line.answers}
    owner = line.classification or who(line.owner)
    known = line.known_by if line.state == "present" else "uncertain"
    return [
        _account(line.workspace, line.address or line.account), line.name or "-", line.role or "-", owner, when(line.since), known,
        *(answers.get(check, "-") for check in shown),
    ]  # fmt: skip


def _account(workspace: str | None, account: str | None) -> str:
    return "-" if workspace is None else workspace if account is None else f"{account} ({workspace})"


def _order(check: str) -> tuple[str, int]:
    return check[0], int(check[1:])
