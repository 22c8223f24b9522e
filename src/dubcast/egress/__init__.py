"""Forwards one dubbed stream to one destination: a supervised ffmpeg, nothing decoded."""
