"""The media server that streams arrive at and leave from: one interface, two adapters."""
