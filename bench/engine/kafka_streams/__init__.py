"""The rival in Java: its program, its jars by a lock file, and its compilation. It needs a JDK, which the local stack does not."""
