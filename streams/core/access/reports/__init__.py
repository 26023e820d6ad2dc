"""Reports about access: functions of the facts that count, of an instant, and of the rules. What a report has is in schemas/access/reports.py."""
