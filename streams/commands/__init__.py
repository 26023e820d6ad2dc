"""The command line's verbs, one module each; `streams.cli` is their table."""
