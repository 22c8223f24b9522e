"""SRT as a caller that sends MPEG-TS: libsrt, loaded when it is needed, and one asyncio edge."""
