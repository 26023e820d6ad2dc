"""What Intercom sends: the envelope of a webhook, where each topic goes, and the spellings of times and ids."""
