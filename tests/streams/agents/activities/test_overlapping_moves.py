"""Contacts and conversations that move at the same time: nothing stays where it was, and nothing comes back under an id that it had."""

from itertools import combinations

import pytest

from schemas.activities.marks import MARK, REMNANT, mark_of, pack, unpack
from schemas.activities.messages import PATCH, RECORD, ActivityRecord, MarksPatch, MarksRecord, Participants, ParticipantsRecord
from schemas.activities.records import PersonActivity
from schemas.ids import derived
from schemas.message import RecordValue
from schemas.profiles.identity import ASSIGNMENT, AssignmentMessage
from schemas.profiles.registers import Assignment, PatchCause
from schemas.topics import DAY_MS
from streams.agents.activities import agent as module
from streams.agents.activities.expiry import remnant_of
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.tenancy import TENANCY

ONE, OTHER, THIRD, THREAD = "abc12345:c1", "abc12345:c2", "abc12345:c3", "abc12345:215"
OWN = derived("acme", "person", ONE)


def record(item, message):
    return RecordValue(f"{ONE}|{item}".encode(), RECORD.encode(message))


class Interrupted:
    """The agent with work of many pieces, which waits until it is resumed: records that come meanwhile are before it."""

    def __init__(self, monkeypatch):
        monkeypatch.setattr(module, "_AT_A_TIME", 2)
        self.agent = module.activities(TENANCY)
        self.table, self.sent, self.pending = MemoryTable(self.agent.codec), [], []

    def feed(self, topic, *records):
        out = ListOutbox()
        self.pending.append(self.agent.step(Batch(topic, 0, records), self.table, out))
        self._commit(out)

    def resume(self):
        for rest in self.pending:
            while rest is not None:
                out = ListOutbox()
                rest = self.agent.resume(rest, self.table, out)
                self._commit(out)

    def on(self, topic):
        return [each for each in self.sent if each.topic == topic]

    def _commit(self, out):
        self.sent += out.sent
        self.table.commit()


def test_an_activity_that_is_dropped_before_its_move_is_at_its_end_leaves_both_people(monkeypatch):
    work = Interrupted(monkeypatch)
    first = Participants(1, (ONE,))
    details = [PersonActivity(id=f"a{n}", type="conversation.noted", time=n, conversation=THREAD) for n in range(1, 6)]
    earlier = [
        PersonActivity(id=f"e{n}", type="call.ended", time=n, conversation="abc12345:100") for n in range(1, 4)
    ]  # the first piece of the move takes these
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0))) for each in earlier))
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0), first)) for each in details))
    moved = ASSIGNMENT.encode(AssignmentMessage(Assignment(1, "ada"), PatchCause("m", 0)))
    work.feed("activity.assignments", RecordValue(ONE.encode(), moved))
    left = ParticipantsRecord(THREAD, Participants(2, (OTHER,)), (ONE,), PatchCause("l", 0))
    work.feed("activity.records", record(f"={THREAD}", left))
    work.resume()
    patches = [(each.key.decode(), PATCH.decode(each.value)) for each in work.on("activity.patches")]
    final = {(profile, patch.activity.id): patch.gone for profile, patch in patches}
    assert {final[profile, each.id] for profile in (OWN, "ada") for each in details if (profile, each.id) in final} == {True}
    assert {activity for profile, activity in final if profile == OWN} == {each.id for each in (*details, *earlier)}
    passed_on = {each.key.decode() for each in work.on("activity.records") if each.key.startswith(OTHER.encode())}
    assert passed_on == {f"{OTHER}|{each.id}" for each in details}


@pytest.mark.parametrize("pieces", [0, 1, 2])
def test_a_contact_that_is_erased_while_it_moves_leaves_nothing_with_anybody(monkeypatch, pieces):
    """The first move has given some activities and marks to the other person when the erasure comes; the second one takes them away."""
    work = Interrupted(monkeypatch)
    details = [PersonActivity(id=f"a{n}", type="conversation.noted", time=n, conversation=THREAD) for n in range(1, 8)]
    marks = pack({mark_of("old"): remnant_of(details[0]).packed()})
    expired = MarksRecord("conversation.noted", THREAD, marks, PatchCause("e", 0))
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0))) for each in details))
    work.feed("activity.records", record(f"=s|conversation.noted|{THREAD}", expired))
    moved = ASSIGNMENT.encode(AssignmentMessage(Assignment(1, "ada"), PatchCause("m", 0)))
    work.feed("activity.assignments", RecordValue(ONE.encode(), moved))
    for _ in range(pieces):
        out = ListOutbox()
        work.pending[-1] = work.agent.resume(work.pending[-1], work.table, out)
        work._commit(out)
    work.feed("activity.assignments", RecordValue(ONE.encode(), None, [("ce_causationid", b"x")]))
    work.resume()
    held = {OWN: set(), "ada": set()}
    for each in work.on("activity.patches"):
        patch, profile = PATCH.decode(each.value), held[each.key.decode()]
        if isinstance(patch, MarksPatch):
            profile |= set(unpack(patch.expired, MARK))
            profile -= set(unpack(patch.gone, MARK))
        elif patch.gone:
            profile.discard(mark_of(patch.activity.id))
        else:
            profile.add(mark_of(patch.activity.id))
    assert held == {OWN: set(), "ada": set()}
    assert list(work.table.rows()) == [ONE]


def test_an_activity_that_is_reported_once_more_to_a_contact_that_is_back_has_another_id():
    """Its repetition comes before those who stayed pass the activity on."""
    agent = module.activities(TENANCY)
    table, sent = MemoryTable(agent.codec), []

    def feed(item, message):
        out = ListOutbox()
        rest = agent.step(Batch("activity.records", 0, [record(item, message)]), table, out)
        while rest is not None:
            rest = agent.resume(rest, table, out)
        sent.extend(out.sent)
        table.commit()

    def contacts(number, before, after):
        feed(f"={THREAD}", ParticipantsRecord(THREAD, Participants(number, after), before, PatchCause(f"l{number}", 0)))

    noted = ActivityRecord(PersonActivity(id="a1", type="conversation.noted", time=1, conversation=THREAD), PatchCause("e", 0))
    feed("a1", noted)
    contacts(1, (ONE,), (OTHER,))
    contacts(2, (OTHER,), (ONE, OTHER))
    feed("a1", noted)
    patches = [(PATCH.decode(each.value).gone, dict(each.headers)) for each in sent if each.topic == "activity.patches"]
    assert [gone for gone, _ in patches] == [False, True, False]
    assert len({headers["ce_id"] for _, headers in patches}) == 3
    assert [headers["ce_causationid"] for _, headers in patches] == [b"e", b"l1", b"e"]


def test_a_contact_that_leaves_before_all_is_passed_on_drops_nothing_that_is_still_to_be_passed_on(monkeypatch):
    work = Interrupted(monkeypatch)
    noted = [PersonActivity(id=f"a{n}", type="conversation.noted", time=n, conversation=THREAD) for n in range(1, 6)]
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0))) for each in noted))
    joined = [
        record(f"={name}", ParticipantsRecord(name, Participants(1, (ONE, OTHER)), (ONE,), PatchCause("j", 0)))
        for name in ("abc12345:100", THREAD)
    ]
    work.feed("activity.records", *joined)  # the second waits for the first
    work.feed(
        "activity.records",
        record(f"={THREAD}", ParticipantsRecord(THREAD, Participants(2, (OTHER,)), (ONE, OTHER), PatchCause("l", 0))),
    )
    work.resume()
    written = [(each.key.decode(), each.value) for each in work.on("activity.records")]
    assert {key for key, value in written if value is not None} == {f"{OTHER}|{each.id}" for each in noted}
    assert {key for key, value in written if value is None} == {f"{ONE}|{each.id}" for each in noted}


def test_a_contact_that_is_back_before_all_is_passed_on_still_passes_on_the_rest(monkeypatch):
    """Nobody else does: who sends follows from who took part before."""
    work = Interrupted(monkeypatch)
    noted = [PersonActivity(id=f"a{n}", type="conversation.noted", time=n, conversation=THREAD) for n in range(1, 6)]
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0))) for each in noted))
    for number, before, after in ((2, (ONE,), (OTHER,)), (3, (OTHER,), (ONE, OTHER))):
        changed = ParticipantsRecord(THREAD, Participants(number, after), before, PatchCause(f"l{number}", 0))
        work.feed("activity.records", record(f"={THREAD}", changed))
    work.resume()
    written = [(each.key.decode(), each.value) for each in work.on("activity.records")]
    dropped = {key.partition("|")[2] for key, value in written if value is None}
    assert {key for key, value in written if value is not None} == {f"{OTHER}|{each.id}" for each in noted}
    assert len(dropped) == 2  # in the first piece; they come back from the other contact
    kept = {mark_of(each.id) for each in noted if each.id not in dropped}
    assert {key for key in work.table.rows() if key.startswith(f"{ONE}|a|")} == {f"{ONE}|a|{THREAD}|{mark}" for mark in kept}
    patches = [PATCH.decode(each.value) for each in work.on("activity.patches")]
    assert patches[-1].totals.number == len(kept)


@pytest.mark.parametrize("cuts", [cuts for number in range(4) for cuts in combinations((1, 2, 3), number)])
@pytest.mark.parametrize("earlier", [0, 5])
def test_what_comes_to_a_contact_that_is_back_goes_to_those_who_join_when_it_leaves_once_more(monkeypatch, earlier, cuts):
    """However its records are divided into batches: the move because of the first leaving, which sends to nobody, drops nothing of it."""
    work = Interrupted(monkeypatch)
    noted = [PersonActivity(id=f"a{n}", type="conversation.noted", time=n, conversation=THREAD) for n in range(1, earlier + 2)]
    noted.sort(key=lambda each: mark_of(each.id))  # so that the move has yet to reach the last
    both = Participants(1, (ONE, OTHER))
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0), both)) for each in noted[:-1]))
    records = [
        record(f"={THREAD}", ParticipantsRecord(THREAD, Participants(number, after), before, PatchCause(f"l{number}", 0)))
        for number, before, after in ((2, (ONE, OTHER), (OTHER,)), (3, (OTHER,), (ONE, OTHER)), (4, (ONE, OTHER), (OTHER, THIRD)))
    ]
    message = ActivityRecord(noted[-1], PatchCause("e", 0), Participants(3, (ONE, OTHER)))
    records.insert(2, record(noted[-1].id, message))
    for begin, end in zip((0, *cuts), (*cuts, len(records)), strict=True):
        work.feed("activity.records", *records[begin:end])
    work.resume()
    written = [(each.key.decode(), each.value) for each in work.on("activity.records")]
    assert f"{THIRD}|{noted[-1].id}" in {key for key, value in written if value is not None}
    assert {key for key, value in written if value is None} == {f"{ONE}|{each.id}" for each in noted}
    assert not [key for key in work.table.rows() if key.startswith((f"{ONE}|a|", f"{ONE}|s|", f"{ONE}|t|"))]


def test_a_purge_that_began_before_a_contact_left_takes_nothing_that_is_still_to_be_passed_on(monkeypatch):
    """Marks were passed on when the contact left; what became a mark afterwards would stay behind, and those who joined would not count it."""
    work = Interrupted(monkeypatch)
    noted = [PersonActivity(id=f"a{n}", type="conversation.noted", time=n, conversation=THREAD) for n in range(1, 6)]
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0))) for each in noted))
    work.feed("contact.wakes", RecordValue(b"", b"", timestamp=200 * DAY_MS))
    left = ParticipantsRecord(THREAD, Participants(2, (OTHER,)), (ONE,), PatchCause("l", 0))
    work.feed("activity.records", record(f"={THREAD}", left))
    work.resume()
    passed_on = [RECORD.decode(each.value) for each in work.on("activity.records") if each.key.startswith(OTHER.encode())]
    as_marks = [mark for each in passed_on if isinstance(each, MarksRecord) for mark in unpack(each.marks, REMNANT)]
    as_details = [mark_of(each.activity.id) for each in passed_on if isinstance(each, ActivityRecord)]
    assert as_marks
    assert sorted(as_marks + as_details) == sorted(mark_of(each.id) for each in noted)
    assert [key for key in work.table.rows() if ":215" in key] == [f"{ONE}|r|:215"]


@pytest.mark.parametrize("again", ["details", "mark"])
def test_details_that_come_again_expired_are_kept_until_they_are_passed_on(monkeypatch, again):
    """As by a purge: marks were passed on when the other contact joined, and what is a mark since then would not be."""
    work = Interrupted(monkeypatch)
    noted = [PersonActivity(id=f"a{n}", type="conversation.noted", time=n, conversation=THREAD) for n in range(1, 6)]
    work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("e", 0))) for each in noted))
    joined = ParticipantsRecord(THREAD, Participants(2, (ONE, OTHER)), (ONE,), PatchCause("j", 0))
    work.feed("activity.records", record(f"={THREAD}", joined))
    work.feed("contact.wakes", RecordValue(b"", b"", timestamp=200 * DAY_MS))
    if again == "details":
        work.feed("activity.records", *(record(each.id, ActivityRecord(each, PatchCause("f", 0))) for each in noted))
    else:
        marks = pack({mark_of(each.id): remnant_of(each).packed() for each in noted})
        message = MarksRecord("conversation.noted", THREAD, marks, PatchCause("f", 0))
        work.feed("activity.records", record(f"=s|conversation.noted|{THREAD}", message))
    work.resume()
    passed_on = [RECORD.decode(each.value) for each in work.on("activity.records") if each.key.startswith(OTHER.encode())]
    assert {each.activity.id for each in passed_on} == {each.id for each in noted}
    assert not [key for key in work.table.rows() if key.startswith(f"{ONE}|a|")], "the end of the move lets them expire"
    patches = [PATCH.decode(each.value) for each in work.on("activity.patches")]
    assert {each.totals.number for each in patches if isinstance(each, MarksPatch)} == {len(noted)}
