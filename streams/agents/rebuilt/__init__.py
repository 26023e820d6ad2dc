"""What generations of tables need of agents: what a rebuild compares and corrects, and copies of inputs."""
