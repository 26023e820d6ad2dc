"""What operators see and decide of a workspace's teams and agents."""
