"""Process-wide knobs of native libraries and of the interpreter.

Some can only be turned through the environment: it writes variables around the loading of a
library, and never reads a setting from them.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_GPU_CODE_BYTES = 4 * 1024**3
_M_MMAP_THRESHOLD = -3  # malloc.h
_M_ARENA_MAX = -8
_HEAPS = 2
_MAPPED_FROM = 128 * 1024
_MADV_DONTNEED = 4  # mman.h
# Address range, rights and inode of a line of /proc/PID/smaps that begins a mapping.
_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)")
_NOTHING_WRITTEN = (["Anonymous:", "0", "kB"], ["Swap:", "0", "kB"])  # lines of a mapping


@contextmanager
def single_openmp_thread() -> Iterator[None]:
    """A library that is loaded inside runs its OpenMP loops on the calling thread alone.

    libgomp reads the variable once, when it is loaded. A voice-activity window is so little work
    that a team of spinning threads costs 12 times what it computes (2.1 ms against 0.18 ms).
    """
    name = "OMP_THREAD_LIMIT"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def single_blas_thread() -> None:
    """NumPy's matrix products run on the calling thread alone; call before NumPy is loaded.

    What the user has set stays. A log-mel spectrogram takes 6 ms, and a team of spinning threads
    50 ms of CPU time for it.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def keep_gpu_code(folder: Path) -> None:
    """Keep what the driver compiles for the GPU in a folder, unless the user has chosen one.

    CTranslate2 brings no machine code for newer GPUs: a first load takes 15 to 19 s on an H100, a
    further one 1 s. Call before a GPU is used; a folder on a volume outlasts a container.
    """
    os.environ.setdefault("CUDA_CACHE_PATH", str(folder))
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(_GPU_CODE_BYTES))


@contextmanager
def not_installed(*names: str) -> Iterator[None]:
    """Modules that are imported inside do without these, which they take where they find them."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def tame_malloc() -> None:
    """Keep glibc's heaps few and free of large blocks; elsewhere it does nothing.

    GStreamer hands buffers from thread to thread, and with one heap a thread the process keeps
    tens of megabytes of holes. Seconds of audio are mapped by themselves: glibc would raise the
    size from which it does so to the largest that was ever given back.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, _HEAPS)
        libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM)


def tamed_malloc_environment() -> dict[str, str]:
    """This process's environment for a child whose glibc shall keep its heaps small; what the user
    has set there stays.

    Node keeps 70 MB instead of 89 by it (two players that come and go every 4 s, for 250 s), and
    takes 3 % more CPU time.
    """
    return {
        "MALLOC_ARENA_MAX": str(_HEAPS),
        "MALLOC_MMAP_THRESHOLD_": str(64 * 1024),
        "MALLOC_TRIM_THRESHOLD_": str(128 * 1024),
        **os.environ,
    }


def free_memory() -> None:
    """Give back what is dead: cycles of objects, and, with glibc, the holes in its heaps.

    The traceback of an exception is easily part of a cycle, and may hold a fragment and its reply:
    megabytes, until the collector looks through the old objects, which it seldom does. By itself
    glibc gives back only the end of a heap, and the holes of seconds of media grow for half an
    hour.
    """
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def settle_memory() -> None:
    """Keep a process that runs for weeks as small as it is now; call when all is imported.

    The collector looks through everything only when a quarter of all objects is new: with a
    hundred thousand from the imports, megabytes of dead cycles pile up before. Frozen ones do
    not count.
    """
    tame_malloc()
    gc.collect()
    gc.freeze()


def give_back_loading() -> None:
    """Give back the pages of libraries that were read once, to load them; Linux only.

    To place a library and to find its symbols most of its pages are read: an AAC decoder brings
    145 libraries with it, of which next to nothing runs. What is still used comes back from the
    page cache at its next use. Call it where no other thread maps or unmaps anything.
    """
    try:
        smaps = Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for first, size in unwritten_files(smaps):
        madvise(first, size, _MADV_DONTNEED)  # what the kernel refuses stays as it is


def unwritten_files(smaps: str) -> Iterator[tuple[int, int]]:
    """Address and size of each private mapping of a file that holds nothing but the file. Pure.

    It cannot be written, and no page of it was before that: as relocations are, which may be in
    memory or swapped out, and would be lost.
    """
    mapping, unwritten = None, set[str]()
    for line in smaps.splitlines():
        if found := _MAPPING.match(line):
            first, last = int(found[1], 16), int(found[2], 16)
            is_read_only = found[3] in ("r--p", "r-xp") and found[4] != "0"
            mapping, unwritten = (first, last - first) if is_read_only else None, set()
        elif line.split() in _NOTHING_WRITTEN:
            unwritten.add(line.partition(":")[0])
            if mapping is not None and len(unwritten) == len(_NOTHING_WRITTEN):
                yield mapping


def prefer_gcc_unwinder() -> None:
    """Resolve C++ unwinding to libgcc for every library that is loaded later.

    GStreamer's core pulls libunwind into the global scope, whose `_Unwind_Resume` shadows
    libgcc's: an exception that libsrt throws and catches while it is closed then crashes the
    process. Call before GStreamer is loaded; elsewhere than on glibc it does nothing.
    """
    with suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)
