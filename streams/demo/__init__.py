"""The story `demo` tells: what is posted, what is expected of it, and how it is shown."""
