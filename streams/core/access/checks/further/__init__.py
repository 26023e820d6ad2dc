"""Further checks, from the activity log and logins: one file each. A tenant's settings switch each of them on."""
