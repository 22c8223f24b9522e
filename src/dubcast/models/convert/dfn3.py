"""DeepFilterNet3: its three networks out of their archive, with their state outside."""

from __future__ import annotations

import tarfile
from pathlib import Path

import onnx

from dubcast.models.convert.streaming import streaming

_ARCHIVE = "DeepFilterNet3_onnx.tar.gz"
# The networks: recurrent layers, and the inputs that reach into the past.
_NETS: dict[str, tuple[int, tuple[str, ...]]] = {
    "enc": (1, ("feat_erb", "feat_spec")),
    "erb_dec": (2, ()),
    "df_dec": (2, ("c0",)),
}


def convert(folder: Path) -> dict[str, onnx.ModelProto]:
    """`enc.onnx`, `erb_dec.onnx` and `df_dec.onnx`. Raises ValueError if they are others."""
    published = archived(folder)
    return {
        f"{name}.onnx": streaming(onnx.load_model_from_string(published[name]), layers, past)
        for name, (layers, past) in _NETS.items()
    }


def archived(folder: Path) -> dict[str, bytes]:
    """The published networks by name. Raises ValueError if the archive is not what we know."""
    found = {}
    try:
        with tarfile.open(folder / _ARCHIVE) as archive:
            for member in archive:
                name = Path(member.name)
                data = archive.extractfile(member) if name.suffix == ".onnx" else None
                if data is not None:
                    found[name.stem] = data.read()
    except tarfile.TarError as error:
        raise ValueError(f"{_ARCHIVE} cannot be read: {error}") from error
    if missing := sorted(set(_NETS) - set(found)):
        raise ValueError(f"{_ARCHIVE} lacks the networks {', '.join(missing)}")
    return found
