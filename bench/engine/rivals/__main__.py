"""Run one rival until it is stopped: `python -m bench.engine.rivals NAME JOB`."""

import importlib
import sys

import msgspec

from bench.engine.job import Job
from bench.engine.rivals import RIVALS

importlib.import_module(f"bench.engine.rivals.{RIVALS[sys.argv[1]].module}").run(msgspec.json.decode(sys.argv[2], type=Job))
