"""`python -m streams.cli`: the command line as a process, whatever the environment calls it."""

from streams.cli.main import main

main()
