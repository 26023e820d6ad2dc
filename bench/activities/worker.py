"""The three agents of activities as a process, or agents that pass what these wrote without their work: `python -m bench.activities.worker JOB`."""

import sys
from pathlib import Path

import msgspec
import uvloop

from bench.activities.filling import fillable
from bench.activities.pipeline import TENANCY
from bench.agents_process import work_until_ended
from bench.profiles.prepared import load
from bench.profiles.systems.no_work import passing_agent
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from streams.agents.topology import agents_of
from streams.engine.agent import Agent

AGENTS = ("happenings", "activities", "timelines")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Where to work. With `prepared`, a file, the agents pass what is in it; with `details` a record can fill their tables with so many for a contact."""

    bootstrap: str
    prefix: str
    partitions: int
    prepared: str = ""
    details: int = 0

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap=self.bootstrap, partitions=self.partitions, topic_prefix=self.prefix)


def agents_of_job(job: Job) -> tuple[Agent, ...]:
    """Return the agents."""
    agents = tuple(agent for agent in agents_of(TENANCY, Avro.local()) if agent.name in AGENTS)
    if job.prepared:
        hops = load(Path(job.prepared))
        return tuple(passing_agent(agent.name, agent.sources[0], hops[agent.name]) for agent in agents)
    return fillable(agents, job.details) if job.details else agents


if __name__ == "__main__":
    job = msgspec.json.decode(sys.argv[1], type=Job)
    uvloop.run(work_until_ended(agents_of_job(job), job.kafka))
