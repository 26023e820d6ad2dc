"""What the stores of an installation still have of activities, and until when: the proof that a purge is complete."""
