"""`python -m streams.cli`: run the command line from any environment, also where `intercom-streams` is not on the PATH."""

from streams.cli.main import main

main()
