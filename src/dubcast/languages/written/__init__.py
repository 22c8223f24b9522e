"""Rules of single languages: how each writes dates, times and numbers. Data and pure functions."""
