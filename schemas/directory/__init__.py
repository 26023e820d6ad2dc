"""Teams and agents: lists as Intercom's API answers them, decisions about them, and what is published."""
