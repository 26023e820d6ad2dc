"""Facts about policies: the policy itself, approvals for policies by tickets, and the calendars that deadlines count by."""
