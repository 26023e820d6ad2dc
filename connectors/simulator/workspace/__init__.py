"""A simulated workspace: made of its seed row by row when it is asked for, with what has changed since kept beside."""
