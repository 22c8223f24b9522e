"""What both pipelines need: elements by name, and a thread that listens to the bus."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from typing import Any

from dubcast import gst_elements
from dubcast.clock import NS_PER_S
from dubcast.errors import MissingPartError
from dubcast.native import prefer_gcc_unwinder

prefer_gcc_unwinder()
try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    # GstApp must be imported: try_pull_sample and push_buffer exist only then.
    from gi.repository import Gst, GstApp
except (ImportError, ValueError) as error:
    raise MissingPartError(
        "GStreamer's Python bindings are missing: apt install python3-gi python3-gst-1.0 "
        "gir1.2-gst-plugins-base-1.0, and make the venv with --system-site-packages"
    ) from error

__all__ = ["Gst", "GstApp", "Pipeline", "caps", "init", "make", "preload", "require"]

_POLL_NS = 200_000_000


def init() -> None:
    """Initialise GStreamer; calling it twice is harmless."""
    if not Gst.is_initialized():
        Gst.init(None)


def require(names: Iterable[str]) -> None:
    """Raises MissingPartError naming each of these elements that is not here, and its package.

    For what a pipeline will need: without it, the first sign of a part that an element makes inside
    itself, or of one that comes late, would be that nothing arrives.
    """
    init()
    missing = [name for name in names if Gst.ElementFactory.find(name) is None]
    if missing:
        raise MissingPartError(gst_elements.missing_message(missing))


def preload(names: Iterable[str]) -> None:
    """Load the libraries of these elements now; what is missing is left to `require`."""
    init()
    for factory in filter(None, map(Gst.ElementFactory.find, names)):
        factory.load()


def make(factory: str, **properties: Any) -> Any:
    """An element of the table with its properties set (never parsed from a string); `async_` is
    `async`.

    Raises MissingPartError naming the distribution's package that has it, LookupError for what is
    not in the table.
    """
    gst_elements.package_of(factory)
    element = Gst.ElementFactory.make(factory, None)
    if element is None:
        raise MissingPartError(gst_elements.missing_message([factory]))
    for name, value in properties.items():
        element.set_property(name.rstrip("_").replace("_", "-"), value)
    return element


def caps(text: str) -> Any:
    """Caps from a constant string."""
    return Gst.Caps.from_string(text)


class Pipeline:
    """A pipeline with a bus thread; reports its end exactly once.

    `on_end(kind, message)` is called from the bus thread with kind `eos` or `error`. A pipeline
    is used once: after `stop` a new one is made (a new generation).
    """

    def __init__(self, name: str, on_end: Callable[[str, str], None]) -> None:
        init()
        self.gst = Gst.Pipeline.new(name)
        self._on_end = on_end
        self._quit = threading.Event()
        self._playing = False
        self._threads: list[threading.Thread] = []
        self.spawn("bus", self._watch_bus)

    @property
    def stopping(self) -> bool:
        """True once `stop` was called: threads of this generation must return."""
        return self._quit.is_set()

    def await_stop(self, seconds: float) -> bool:
        """Hold the calling thread for so long, or until `stop` is called: True then."""
        return self._quit.wait(max(seconds, 0.0))

    def add(self, *elements: Any) -> None:
        """Add elements and link them in order."""
        for element in elements:
            self.gst.add(element)
        for left, right in itertools.pairwise(elements):
            if not left.link(right):
                raise RuntimeError(f"cannot link {left.get_name()} to {right.get_name()}")

    def spawn(self, name: str, target: Callable[[], None]) -> None:
        """A thread of this generation; started with `play`, or at once if playing."""
        thread = threading.Thread(target=target, name=f"{self.gst.get_name()}-{name}", daemon=True)
        self._threads.append(thread)
        if self._playing:
            thread.start()

    def play(self) -> None:
        """Start the pipeline and the threads, which find its sinks started: before that a sink
        says that it is at its end."""
        waiting = tuple(self._threads)
        self._playing = True  # those that elements bring about from now on start at once
        self.gst.set_state(Gst.State.PLAYING)
        for thread in waiting:
            thread.start()

    def stop(self) -> None:
        """Stop and free everything; harmless when repeated. Not from a streaming thread."""
        self._quit.set()
        self.gst.set_state(Gst.State.NULL)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(2)

    def _watch_bus(self) -> None:
        bus = self.gst.get_bus()
        wanted = Gst.MessageType.ERROR | Gst.MessageType.EOS
        while not self._quit.is_set():
            message = bus.timed_pop_filtered(_POLL_NS, wanted)
            if message is None:
                continue
            # One fault posts several errors (sink, queue, source): the first one counts.
            if message.type == Gst.MessageType.EOS:
                self._drain()
                self._on_end("eos", "end of stream")
            else:
                error, debug = message.parse_error()
                detail = (debug or "").rpartition("\n")[2]
                # Without its number, so that the same fault reads the same each time.
                name = message.src.get_name().rstrip("0123456789")
                self._on_end("error", f"{name}: {error.message} ({detail})")
            return

    def _drain(self) -> None:
        """Let the threads that pull take what the sinks still hold: they return at its end."""
        for thread in self._threads:
            while thread is not threading.current_thread() and thread.is_alive():
                if self.stopping:
                    return
                thread.join(_POLL_NS / NS_PER_S)
