"""One file per agent: decode, core, write, send."""
