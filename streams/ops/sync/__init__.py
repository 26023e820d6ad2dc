"""The process that reads from Intercom while the installation runs: what agents ask for, and what is due."""
