"""A topic's range copied to a downstream's topic: the product's `replay --to` beside a bare consumer and producer."""
