"""The story of `demo`: what is posted, what must follow, and how both are shown."""
