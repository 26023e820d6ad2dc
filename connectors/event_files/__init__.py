"""Files of JSON lines that events are appended to, for forwarders of log files."""
