"""The long soak: two streams on air for hours, and a fault of some kind every minute or two.

Everything is real but the speech service, which has to fail to order. One stream, `air`, suffers
what must never be noticed on air. The other, `struck`, also loses what carries it: its worker,
its publisher, its egress. What it costs is told; it is not in the share of good seconds.

`--short` is another: one stream, really dubbed for half an hour, and nothing broken.
"""
