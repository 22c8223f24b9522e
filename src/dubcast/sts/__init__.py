"""The speech service: speech recognition, translation, synthesis and fitting behind HTTP."""
