"""The webhook server: verify, decode the envelope, persist, answer."""
