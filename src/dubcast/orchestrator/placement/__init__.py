"""Where children run: a small driver interface, and the driver for this machine."""
