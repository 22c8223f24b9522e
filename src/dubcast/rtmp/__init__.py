"""RTMP spoken by ourselves: a pure core (bytes in, events and bytes out) and one asyncio edge.

Protocol: Adobe's Real-Time Messaging Protocol 1.0. A client only: it plays or publishes one stream.
"""
