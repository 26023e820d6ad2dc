"""What the activity log and logins say, remembered for further checks."""
