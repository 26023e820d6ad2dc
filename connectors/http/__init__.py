"""What the HTTP servers of this product have in common: sockets, and limits for slow clients."""
