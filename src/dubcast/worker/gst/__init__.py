"""The only GStreamer code of dubcast: an input and an output pipeline, each replaceable alone."""
