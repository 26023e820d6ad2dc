"""Calendars of working days: from the configuration, a list of public holidays and the time zones, to facts."""
