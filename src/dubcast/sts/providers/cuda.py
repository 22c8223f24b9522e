"""Whether a GPU can be used, and what its libraries need before they are loaded.

CTranslate2 computes with cuBLAS 12, which it opens by its name and which no package of it brings:
the driver's CUDA may be another version. `dubcast[gpu]` has it in a package of its own.
"""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path
from typing import Any

from dubcast.errors import MissingPartError

_CUBLAS = ("libcublasLt.so.12", "libcublas.so.12")
_GB = 1e9


def missing() -> str | None:
    """Why there is no GPU to use, or None."""
    try:
        import ctranslate2
    except ImportError as error:
        return f"{error.name} is missing: pip install 'dubcast[sts]'"
    if not ctranslate2.get_cuda_device_count():
        return "there is no NVIDIA GPU, or its driver does not answer"
    return None


def load_cublas() -> None:
    """Load cuBLAS 12, from the system or from its package, so that CTranslate2 finds it.

    Raises MissingPartError if it is in neither.
    """
    package = _package_folder()
    for name in _CUBLAS:
        for path in (name, *([str(package / name)] if package else [])):
            try:
                ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
                break
            except OSError:
                continue
        else:
            raise MissingPartError(
                f"{name} is missing, with which CTranslate2 computes on a GPU: "
                "pip install nvidia-cublas-cu12 (it belongs to 'dubcast[gpu]')"
            )


def float_type() -> str:
    """What CTranslate2 computes in: half precision, where the GPU does."""
    import ctranslate2

    return "float16" if "float16" in ctranslate2.get_supported_compute_types("cuda") else "auto"


def _package_folder() -> Path | None:
    try:
        found = importlib.util.find_spec("nvidia.cublas")
    except ImportError:
        return None
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) / "lib" if places else None


def torch_on_gpu(limit_gb: float | None) -> Any:
    """The module torch, which sees the GPU and takes at most `limit_gb` of its memory.

    Raises MissingPartError if it is not installed, or does not see one.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingPartError("torch is missing: pip install 'dubcast[gpu]'") from error
    if not torch.cuda.is_available():
        raise MissingPartError("this torch sees no GPU: its build is for another CUDA, or for none")
    if limit_gb is not None:
        share = limit_gb * _GB / torch.cuda.mem_get_info()[1]
        torch.cuda.set_per_process_memory_fraction(min(share, 1.0))
    return torch


def memory_used() -> float:
    """Bytes of the GPU's memory that are taken, by whomever; 0 where nobody can say."""
    try:
        import torch

        free, total = torch.cuda.mem_get_info()
    # A metric is asked for in any state of the driver, a broken one too.
    except (ImportError, RuntimeError, AssertionError):
        return 0.0
    return float(total - free)
