"""The agents of activities: what a contact did, and so what a person did."""
