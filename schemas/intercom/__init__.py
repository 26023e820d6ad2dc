"""What Intercom sends: the envelope of a webhook, where each topic goes, and the formats of times and ids."""
