"""Be one rival: `python -m bench.engine.rivals NAME JOB`, until ended."""

import importlib
import sys

import msgspec

from bench.engine.job import Job
from bench.engine.rivals import RIVALS

importlib.import_module(f"bench.engine.rivals.{RIVALS[sys.argv[1]].module}").run(msgspec.json.decode(sys.argv[2], type=Job))
