"""The chapters of the story, by what they show; each one is a function over the context."""
