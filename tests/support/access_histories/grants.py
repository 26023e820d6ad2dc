"""Exemptions and approvals of a history: granted, granted again, revoked."""

from collections.abc import Callable
from typing import Any, Final

from tests.support.access_histories.builder import HistoryBuilder
from tests.support.access_histories.pools import DAY, EARLY, HOUR, LOG_START
from tests.support.access_oracle.log import FactDict

Staff = Callable[[HistoryBuilder], str]
_ENDS: Final = (LOG_START + HOUR // 2 + 11, LOG_START + 3 * HOUR, LOG_START + 20 * HOUR, LOG_START + 60 * DAY)


def _period(build: HistoryBuilder) -> dict[str, Any]:
    starts = build.draw.choice((None, None, None, LOG_START - DAY, LOG_START + 1_200_013, LOG_START + 2 * HOUR))
    return {"starts": starts, "expires": build.draw.choice((None, *(end for end in _ENDS if end > (starts or 0))))}


def exemption_facts(build: HistoryBuilder, staff: Staff) -> list[list[FactDict]]:
    """Return a few exemptions, each granted, perhaps revoked, perhaps granted again; some are void."""
    return [_exemption(build, staff, f"x{number}") for number in range(build.draw.choice((0, 1, 1, 2, 3)))]


def _exemption(build: HistoryBuilder, staff: Staff, id_: str) -> list[FactDict]:
    """Return an exemption from a check that may not even fail."""
    check = build.draw.choice(("C1", "C2", "C2", "C2", "C3", "C4", "C4", "C5"))
    about: dict[str, Any] = build.account()
    if check == "C3":
        del about["account"]
    elif build.chance(0.4):
        about["staff"] = staff(build)
    return exemption_of(build, id_, check, about)


def exemption_of(build: HistoryBuilder, id_: str, check: str, about: dict[str, Any]) -> list[FactDict]:
    """Return an exemption, perhaps revoked, perhaps granted again. Some are dated before much of what is observed."""

    def granted() -> FactDict:
        grant = {"id": id_, "check": check, **_period(build), "approver": "boss"}
        parts: dict[str, Any] = {"grant": grant, "actor": {"kind": "operator", "id": "me"}, "person": {"text": "reason"}}
        faults: tuple[Callable[[], Any], ...] = (
            lambda: parts.update(person={"text": " "}),
            lambda: grant.update(approver=None),
            lambda: grant.update(approver="me"),
            lambda: grant.update(check="C99"),
            lambda: grant.update(expires=LOG_START - HOUR, starts=None),
        )
        time = build.draw.choice((None, None, EARLY + 3 * DAY, LOG_START - DAY // 2))
        fact = build.fact("exemption.granted", "o", "decided", time=time, **about, **parts)
        if build.chance(0.12):
            build.draw.choice(faults)()
            fact.update(parts, void=True)
        return fact

    def revoked() -> FactDict:
        return build.fact("exemption.revoked", "o", "decided", **about, grant={"id": id_})

    return build.draw.choice(
        (lambda: [granted()], lambda: [granted()], lambda: [granted(), revoked()], lambda: [granted(), revoked(), granted()])
    )()


def approval_facts(build: HistoryBuilder, staff: Staff) -> list[list[FactDict]]:
    """Return a few approvals, of accounts and of members of staff, each granted, perhaps revoked, perhaps granted again."""
    return [_approval(build, staff, f"a{number}") for number in range(build.draw.choice((0, 1, 2, 3)))]


def _approval(build: HistoryBuilder, staff: Staff, id_: str) -> list[FactDict]:
    about: dict[str, Any] = build.account()
    if build.chance(0.5):
        about = {"staff": staff(build), **({"app_id": about["app_id"]} if build.chance(0.6) else {})}
    return approval_of(build, id_, about)


def approval_of(build: HistoryBuilder, id_: str, about: dict[str, Any]) -> list[FactDict]:
    """Return an approval, perhaps revoked, perhaps granted again."""

    def fact(word: str) -> FactDict:
        grant = {"id": id_, **(_period(build) | {"ticket": "T-1"} if word == "granted" else {})}
        return build.fact(f"approval.{word}", "o", "decided", **about, grant=grant)

    words = build.draw.choice((("granted",), ("granted", "revoked"), ("granted", "revoked", "granted")))
    return [fact(word) for word in words]
