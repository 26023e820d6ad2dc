"""Generated selections against a second, naive reading of the rules, which knows lists and decisions and nothing in between.

An agent is imported if they are selected by themselves or in any team. A team is imported if it is selected, with or without members. A
member of the imported team is who belongs to it and is selected in it. All three have to be in the latest lists.
"""

from random import Random
from typing import Any

from schemas.directory.decisions import DirectoryMatter
from tests.streams.agents.directory.in_memory_directory import APP, Directory, agent, team

AGENTS, TEAMS = "12345", ("10", "20", "30")
HISTORIES = 100
LONGEST = 40


class Reading:
    """Everything that was listed and decided, and the answer worked out again whenever it is asked for."""

    def __init__(self) -> None:
        self.listed: set[str] = set()
        self.teams: dict[str, set[str]] = {}
        self.choices: dict[tuple[str | None, str | None], bool | None] = {}

    def imported(self) -> dict[str, list[str]]:
        chosen = {pair for pair, choice in self.choices.items() if choice}
        agents = [each for each in AGENTS if each in self.listed and any(who == each for _, who in chosen)]
        teams = [each for each in TEAMS if each in self.teams and (each, None) in chosen]
        members = [f"{of}|{who}" for of in teams for who in sorted(self.teams[of]) if (of, who) in chosen]
        answer = {"agents": agents, "team.members": members, "teams": teams}
        return {topic: keys for topic, keys in answer.items() if keys}


def step(chance: Random, company: Directory, reading: Reading) -> None:
    kind = chance.choice(("agents", "teams", "decide", "decide", "decide"))
    if kind == "agents":
        reading.listed = {each for each in AGENTS if chance.random() < 0.8}
        company.agents(*map(agent, sorted(reading.listed)))
    elif kind == "teams":
        reading.teams = {each: {who for who in AGENTS if chance.random() < 0.5} for each in TEAMS if chance.random() < 0.8}
        company.teams(*(team(each, *who) for each, who in reading.teams.items()))
    else:
        of, who = chance.choice((*TEAMS, None)), chance.choice((*AGENTS, None))
        if of or who:
            selected = chance.choice((True, True, False, None))
            if chance.random() < 0.1:
                company.decide(DirectoryMatter.MEMBER if of and who else DirectoryMatter.TEAM if of else DirectoryMatter.AGENT, team=of, agent=who,
                               selected=selected, replaces="another")  # fmt: skip
            else:
                company.select(of, who, selected)
                reading.choices[of, who] = selected


def requests(company: Directory) -> dict[str, str]:
    """Return the last event of each agent's import."""
    return {each["agent"]: each["kind"] for each in company.imports if each["kind"] != "ignored"}


def test_generated_selections_agree_with_a_naive_reading():
    for seed in range(HISTORIES):
        chance, company, reading = Random(seed), Directory(), Reading()
        for _ in range(chance.randint(1, LONGEST)):
            step(chance, company, reading)
            imported = company.imported()
            assert imported == reading.imported(), f"seed {seed}"
            open_ = sorted(who for who, kind in requests(company).items() if kind == "requested")
            assert open_ == imported.get("agents", []), f"seed {seed}"
        assert len(company.ids) == len(set(company.ids)), f"seed {seed}"


def test_the_same_records_in_other_batches_give_the_same_bytes():
    for seed in range(20):
        chance, company = Random(seed), Recorded()
        for _ in range(LONGEST):
            step(chance, company, Reading())
        again = Recorded()
        for topic, records in company.fed:
            for record in records:
                again.feed(topic, record)
        assert again.table.rows() == company.table.rows()
        assert (again.latest, again.imports, again.ids) == (company.latest, company.imports, company.ids)
        assert any(key.startswith(f"{APP}|team|") for key in company.table.rows())


class Recorded(Directory):
    """Remembers what it was fed."""

    def __init__(self) -> None:
        super().__init__()
        self.fed: list[tuple[str, tuple[Any, ...]]] = []

    def feed(self, topic: str, *records: Any) -> None:
        self.fed.append((topic, records))
        super().feed(topic, *records)
