"""Every fault of the list, injected into streams on air, and what of it came out.

`struck` is the stream that suffers. `other` shares all processes but its worker. `control` is
beside all that: a worker, a media server and a speech service of its own, never disturbed. If
`control` shows a gap, the machine was too busy for the rest to mean anything.
"""
