"""The story of a teammate: every fact about an account and its owner, and what followed from each."""
