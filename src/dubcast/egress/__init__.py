"""Forwards one dubbed stream to one destination: whole tags, nothing decoded."""
