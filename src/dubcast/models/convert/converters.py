"""The conversions by name, as the manifest calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from google.protobuf.message import DecodeError
from onnx import ModelProto, checker, helper

from dubcast.errors import ModelStoreError
from dubcast.models.convert import dfn3, nsnet2, products, spleeter
from dubcast.models.manifest import Conversion, ModelEntry

_CONVERTERS: dict[str, Callable[[Path], dict[str, ModelProto]]] = {
    "dfn3": dfn3.convert,
    "nsnet2": nsnet2.convert,
    "products": products.convert,
    "spleeter": spleeter.convert,
}


def convert(entry: ModelEntry, conversion: Conversion, folder: Path) -> dict[str, bytes]:
    """The converted files by name, out of a model's published ones in `folder`.

    Each says inside whose work it is, under which licence, and what was changed. The same input
    gives the same bytes everywhere. Raises ModelStoreError if the published files are others than
    the conversion knows.
    """
    try:
        models = _CONVERTERS[conversion.by](folder)
        for model in models.values():
            checker.check_model(model)
    except (ValueError, OSError, DecodeError, checker.ValidationError) as error:
        raise ModelStoreError(f"cannot convert by {conversion.by}: {error}") from error
    if models.keys() != conversion.files.keys():
        raise ModelStoreError(f"{conversion.by} gives {', '.join(models)}, not what is pinned")
    return {name: _labelled(model, entry, conversion) for name, model in models.items()}


def _labelled(model: ModelProto, entry: ModelEntry, conversion: Conversion) -> bytes:
    label = {
        "attribution": entry.attribution,
        "licence": entry.licence,
        "origin": entry.origin,
        "changes": conversion.changes,
    }
    helper.set_model_props(model, label)
    data: bytes = model.SerializeToString(deterministic=True)
    return data
