"""Examine an installation from outside its processes: each finding says what is so, what it means and what to do."""
