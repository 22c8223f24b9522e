"""structlog, without what it would load for tracebacks on a terminal.

Ours are text before they are rendered, and in every process rich costs 3.5 MB and its start 40 ms.
"""

from __future__ import annotations

from dubcast.native import not_installed

with not_installed("rich"):
    import structlog

__all__ = ["structlog"]
