"""The conversions of the pull: graphs opened for streams, and TensorFlow's checkpoints."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, NodeProto, helper
from onnx_graphs import HIDDEN, WIDTH, recurrent_graph

from dubcast.errors import ModelStoreError
from dubcast.models.convert import dfn3, spleeter
from dubcast.models.convert.checkpoint import read_tensors
from dubcast.models.convert.converters import convert
from dubcast.models.convert.streaming import streaming
from dubcast.models.manifest import ModelEntry, load_manifest


def _gru(name: str, source: str, inputs: int = 6) -> NodeProto:
    names = [source, *(f"{name}{at}" for at in range(1, inputs))]
    outputs = [f"{name}_y", f"{name}_h"]
    return helper.make_node("GRU", names, outputs, hidden_size=HIDDEN)


def _model(*nodes: NodeProto) -> ModelProto:
    graph = helper.make_graph(nodes, "test", [], [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_the_state_of_both_layers_goes_in_and_out() -> None:
    relu = helper.make_node("Relu", ["x"], ["y"])
    graph = streaming(_model(_gru("a", "x"), relu, _gru("b", "y")), 2).graph
    first, between, second = graph.node
    assert list(first.input) == ["x", "a1", "a2", "a3", "a4", "state_0"]
    assert between == relu
    assert list(second.input) == ["y", "b1", "b2", "b3", "b4", "state_1"]
    assert [value.name for value in graph.input] == ["state_0", "state_1"]
    assert [value.name for value in graph.output] == ["a_h", "b_h"]
    assert [_shape(value) for value in [*graph.input, *graph.output]] == [[1, 1, HIDDEN]] * 4


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([_gru("a", "x")], "2 recurrent layers expected, 1 found"),
        ([], "2 recurrent layers expected, 0 found"),
        ([_gru("a", "x"), _gru("b", "y", inputs=5)], "without state"),
    ],
)
def test_another_graph_is_refused(nodes: list[NodeProto], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        streaming(_model(*nodes), 2)


def test_what_came_before_is_given_where_the_graph_puts_zeros() -> None:
    pad = helper.make_node("Pad", ["x", "amount"], ["padded"])
    conv = helper.make_node("Conv", ["padded", "w"], ["y"])
    other = helper.make_node("Pad", ["z", "amount"], ["kept"])
    graph = streaming(_model(pad, conv, other), 0, ["x"]).graph
    assert [list(node.input) for node in graph.node] == [["x", "w"], ["z", "amount"]]


def test_an_input_that_is_not_padded_is_refused() -> None:
    with pytest.raises(ValueError, match="of the inputs x, 0 are padded"):
        streaming(_model(helper.make_node("Relu", ["x"], ["y"])), 0, ["x"])


def test_a_stream_in_pieces_gives_what_the_published_graph_gives_for_the_whole() -> None:
    published = recurrent_graph(1)
    source = np.random.default_rng(1).standard_normal((20, 1, WIDTH)).astype(np.float32)
    [whole] = _session(published).run(None, {"x": source})
    opened = _session(streaming(published, 1))
    state, pieces = np.zeros((1, 1, HIDDEN), dtype=np.float32), []
    for first, last in ((0, 1), (1, 8), (8, 20)):
        piece, state = opened.run(None, {"x": source[first:last], "state_0": state})
        pieces.append(piece)
    assert np.abs(whole).max() > 0.1
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-6


def _session(model: ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A table block whose keys share what they can with the one before."""
    out, last = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(last)) and key[shared] == last[shared]:
            shared += 1
        out += bytes([shared, len(key) - shared, len(value)]) + key[shared:] + value
        last = key
    return out + struct.pack("<II", 0, 1)


def _bundle(folder: Path, tensors: dict[str, np.ndarray], compressed: int = 0) -> None:
    raw, entries = b"", [(b"", _number(1, 1))]
    for name in sorted(tensors):
        data = tensors[name].astype("<f4").tobytes()
        shape = b"".join(_bytes(2, _number(1, size)) for size in tensors[name].shape)
        where = _number(4, len(raw)) + _number(5, len(data))
        crc = _varint(6 << 3 | 5) + b"crc!"
        entries.append((name.encode(), _number(1, 1) + _bytes(2, shape) + where + crc))
        raw += data
    data_block = _block(entries)
    index_block = _block([(b"z", _varint(0) + _varint(len(data_block)))])
    at = len(data_block) + 5
    footer = b"\0\0" + _varint(at) + _varint(len(index_block))
    kind = bytes([compressed])
    table = data_block + kind + b"crc!" + index_block + b"\0crc!" + footer.ljust(48, b"\0")
    (folder / "model.index").write_bytes(table)
    (folder / "model.data").write_bytes(raw)


def test_a_checkpoint_is_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors = {
        "conv2d/bias": rng.standard_normal(3).astype(np.float32),
        "conv2d/kernel": rng.standard_normal((2, 3, 4, 5)).astype(np.float32),
        "conv2d_1/bias": rng.standard_normal(1).astype(np.float32),
    }
    _bundle(tmp_path, tensors)
    got = read_tensors(tmp_path / "model.index", tmp_path / "model.data")
    assert got.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(got[name], tensor)


@pytest.mark.parametrize("index", [b"", b"\xff" * 48, b"\0" * 60])
def test_what_is_no_index_is_an_error(index: bytes, tmp_path: Path) -> None:
    _bundle(tmp_path, {"a": np.ones(4)})
    (tmp_path / "model.index").write_bytes(index)
    with pytest.raises(ValueError, match=r"index"):
        read_tensors(tmp_path / "model.index", tmp_path / "model.data")


def test_a_compressed_index_is_refused(tmp_path: Path) -> None:
    _bundle(tmp_path, {"a": np.ones(4)}, compressed=1)
    with pytest.raises(ValueError, match="compressed"):
        read_tensors(tmp_path / "model.index", tmp_path / "model.data")


def test_a_checkpoint_without_our_nets_is_refused(tmp_path: Path) -> None:
    _bundle(tmp_path, {"other": np.ones(4, dtype=np.float32)})
    with pytest.raises(ValueError, match="not Spleeter's checkpoint: it has no 'conv2d/kernel'"):
        spleeter.convert(tmp_path)


def _archive(folder: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(folder / "DeepFilterNet3_onnx.tar.gz", "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def test_an_archive_that_lacks_a_network_is_refused(tmp_path: Path) -> None:
    _archive(tmp_path, {"tmp/export/enc.onnx": b"x", "tmp/export/config.ini": b""})
    with pytest.raises(ValueError, match="lacks the networks df_dec, erb_dec"):
        dfn3.convert(tmp_path)
    (tmp_path / "DeepFilterNet3_onnx.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="cannot be read"):
        dfn3.convert(tmp_path)


def _nsnet2() -> ModelEntry:
    return load_manifest().models["nsnet2-48k"]


def test_a_converted_file_says_whose_work_it_is_and_what_was_changed(tmp_path: Path) -> None:
    entry = _nsnet2()
    assert entry.conversion is not None
    onnx.save(recurrent_graph(2), tmp_path / "model.onnx")
    made = convert(entry, entry.conversion, tmp_path)
    assert made == convert(entry, entry.conversion, tmp_path)
    label = {
        p.key: p.value for p in onnx.load_model_from_string(made["streaming.onnx"]).metadata_props
    }
    assert label["licence"] == "CC-BY-4.0"
    assert "Microsoft" in label["attribution"]
    assert label["origin"] == entry.origin
    assert "input and an output" in label["changes"]


def _without_its_input() -> bytes:
    model = recurrent_graph(2)
    del model.graph.input[:]
    return model.SerializeToString()


@pytest.mark.parametrize("published", [b"no graph", b"", _without_its_input()])
def test_what_cannot_be_converted_is_a_clear_error(published: bytes, tmp_path: Path) -> None:
    entry = _nsnet2()
    assert entry.conversion is not None
    (tmp_path / "model.onnx").write_bytes(published)
    with pytest.raises(ModelStoreError, match="cannot convert by nsnet2"):
        convert(entry, entry.conversion, tmp_path)


def test_every_conversion_of_the_manifest_has_its_converter(tmp_path: Path) -> None:
    conversions = [e for e in load_manifest().models.values() if e.conversion is not None]
    assert len(conversions) == 4
    for entry in conversions:
        assert entry.conversion is not None
        # The files are not here, which each converter tells in the same way.
        with pytest.raises(ModelStoreError, match=f"cannot convert by {entry.conversion.by}"):
            convert(entry, entry.conversion, tmp_path)
