"""What the speech service carries, and what it costs."""
