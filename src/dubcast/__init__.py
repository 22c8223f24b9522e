"""dubcast dubs a live stream while it is on air.

Importing the package pulls in nothing but the standard library; each role imports
its own parts when it starts.
"""

__version__ = "0.1.0"
