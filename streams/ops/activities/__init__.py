"""What operators do about activities."""
