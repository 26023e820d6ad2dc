"""Run one system until it is stopped: `python -m bench.profiles.systems NAME JOB`."""

import importlib
import sys

import msgspec

from bench.profiles.systems.job import Job

importlib.import_module(f"bench.profiles.systems.{sys.argv[1]}").run(msgspec.json.decode(sys.argv[2], type=Job))
