"""The table of verbs. The command of the verb `x-y` is `x_y` in the module `streams.cli.verbs.x_y`."""

from types import MappingProxyType

VERBS = MappingProxyType({
    "init": "Write a configuration to begin with.",
    "connect": "Check all that a workspace needs, and say what to click in Intercom.",
    "demo": "Show the whole story on a real Kafka, on this machine.",
    "stack": "Start, stop and show the local Kafka, Redis and schema registry.",
    "topics": "Create the topics, or report where they differ.",
    "ingress": "Accept Intercom's webhooks.",
    "scim": "Let identity providers write staff.",
    "sync": "Read from Intercom what is asked for, and what is due.",
    "worker": "Merge events and evaluate access.",
    "run": "Run the servers and workers on this machine, supervised.",
    "send": "Sign files and post them as Intercom would.",
    "tail": "Show any topic, decoded.",
    "staff": "Import the staff directory, and decide which of its sources is right.",
    "profiles": "Show people and organisations, and why they are what they are.",
    "policy": "Apply and show access policies.",
    "access": "Show who has access, feed lists of Intercom's teammates, and confirm them.",
    "account": "Decide whose an account is, and what it is.",
    "exempt": "Accept a failing check for a time.",
    "approval": "Approve access by a ticket, for a time.",
    "finding": "Acknowledge, assign and comment findings.",
    "backfill": "Read a workspace from Intercom: all of it, beside its webhooks.",
    "resync": "Read from Intercom what changed since the last complete reading.",
    "replay": "Send a range of a topic again, to the agents or to one downstream.",
    "rebuild": "Make tables again from the logs, compare them, and let them take over.",
    "status": "Show an installation at a glance, live.",
    "doctor": "Find what is wrong with an installation, and what to do.",
    "trace": "Follow one event to everything that came of it.",
    "dead-letters": "Show what could not be processed, by cause; send it again, or drop it.",
    "workspace": "Pause, resume, archive, restore and delete workspaces.",
    "backup": "Write all topics of an installation into files, also while it works.",
    "restore": "Verify a backup, and restore it to an empty cluster.",
    "simulate": "Send a small company's history as signed webhooks, or be a workspace of Intercom.",
})  # fmt: skip
"""The sentence of each verb in `intercom-streams --help`. A verb's own help uses the sentence from here, or says more."""
