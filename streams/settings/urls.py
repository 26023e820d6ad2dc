"""Where a listening address is reached from this machine."""


def local_url(listen: str, path: str) -> str:
    """Return the URL of a path on `host:port`; an address that means "all interfaces" is reached by the loopback."""
    host, _, port = listen.rpartition(":")
    return f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{port}{path}"  # noqa: S104  # compared, not listened on
