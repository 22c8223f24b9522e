"""Takes the speech out of a stream: separators, the gate, and the process that runs them.

The worker imports only `client` and `gate`; engines are loaded in a process of their own.
"""
