"""The speech service: what it costs, and how many live streams it carries."""
