"""A small company whose history is sent as signed webhooks, the same for the same seed."""
