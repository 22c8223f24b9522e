"""The bytes of ONNX graphs and of TensorFlow's checkpoints, made in the test."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from dubcast.errors import MissingPartError
from dubcast.separation import onnxfile as pb
from dubcast.separation import spleeter
from dubcast.separation.engine import streaming_session
from dubcast.separation.tensorbundle import read_tensors


def test_a_message_survives_both_ways() -> None:
    fields: pb.Message = [
        (1, 0),
        (2, 300),
        (16, b"text"),
        (3, pb.Fixed(b"\0\0\x80?")),
        (4, 1 << 62),
    ]
    fields.append((5, pb.Fixed(b"12345678")))
    assert pb.decode(pb.encode(fields)) == fields


@pytest.mark.parametrize("data", [b"\x0a\x05ab", b"\x80", b"\x0b", b"\x0d\x00"])
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="protocol buffer"):
        pb.decode(data)


def _gru(name: str, inputs: int = 6) -> bytes:
    fields: pb.Message = [(pb.NODE_INPUT, f"{name}{at}".encode()) for at in range(inputs)]
    outputs = [(pb.NODE_OUTPUT, f"{name}_y".encode()), (pb.NODE_OUTPUT, f"{name}_h".encode())]
    return pb.encode([*fields, *outputs, (pb.OP_TYPE, b"GRU")])


def _model(*nodes: bytes) -> bytes:
    return pb.model([(pb.NODE, node) for node in nodes], 13)


def test_the_state_of_both_layers_goes_in_and_out() -> None:
    relu = pb.node("Relu", ["x"], "y")
    edited = dict(pb.decode(pb.streaming(_model(_gru("a"), relu, _gru("b")), 2, 600)))
    graph = pb.decode(edited[pb.GRAPH])  # type: ignore[arg-type]
    nodes = [pb.decode(value) for number, value in graph if number == pb.NODE]  # type: ignore[arg-type]
    inputs = [[value for number, value in node if number == pb.NODE_INPUT] for node in nodes]
    assert inputs[0][5] == b"state_0"
    assert inputs[1] == [b"x"]
    assert inputs[2] == [b"b0", b"b1", b"b2", b"b3", b"b4", b"state_1"]
    named = [dict(pb.decode(value))[1] for n, value in graph if n in (pb.INPUT, pb.OUTPUT)]  # type: ignore[arg-type]
    assert named == [b"state_0", b"a_h", b"state_1", b"b_h"]


@pytest.mark.parametrize("nodes", [[_gru("a")], [_gru("a"), _gru("b", 5)], []])
def test_another_graph_is_refused(nodes: list[bytes]) -> None:
    with pytest.raises(MissingPartError, match="separation model cannot be used"):
        streaming_session(_model(*nodes), 2, 600)


def test_what_came_before_is_given_where_the_graph_puts_zeros() -> None:
    pad = pb.node("Pad", ["x", "amount"], "padded")
    conv = pb.node("Conv", ["padded", "w"], "y")
    other = pb.node("Pad", ["z", "amount"], "kept")
    edited = dict(pb.decode(pb.streaming(_model(pad, conv, other), 0, 1, ["x"])))
    graph = pb.decode(edited[pb.GRAPH])  # type: ignore[arg-type]
    nodes = [pb.decode(value) for number, value in graph if number == pb.NODE]  # type: ignore[arg-type]
    assert [pb.names(node, pb.NODE_INPUT) for node in nodes] == [[b"x", b"w"], [b"z", b"amount"]]


def test_an_input_that_is_not_padded_is_refused() -> None:
    with pytest.raises(ValueError, match="of the inputs x, 0 are padded"):
        pb.streaming(_model(pb.node("Relu", ["x"], "y")), 0, 1, ["x"])


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


def _bundle(folder: Path, tensors: dict[str, np.ndarray]) -> None:
    raw, entries = b"", [(b"", pb.encode([(1, 1)]))]
    for name in sorted(tensors):
        data = tensors[name].astype("<f4").tobytes()
        shape = pb.encode([(2, pb.encode([(1, size)])) for size in tensors[name].shape])
        entry: pb.Message = [(1, 1), (2, shape), (4, len(raw)), (5, len(data))]
        entries.append((name.encode(), pb.encode([*entry, (6, pb.Fixed(b"crc!"))])))
        raw += data
    data_block = _block(entries)
    handle = pb._varint(0) + pb._varint(len(data_block))
    index_block = _block([(b"z", handle)])
    at = len(data_block) + 5
    footer = b"\0\0" + pb._varint(at) + pb._varint(len(index_block))
    table = data_block + b"\0crc!" + index_block + b"\0crc!" + footer.ljust(48, b"\0")
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
    assert all(np.array_equal(got[name], tensors[name]) for name in tensors)


def test_a_checkpoint_without_our_nets_is_refused(tmp_path: Path) -> None:
    _bundle(tmp_path, {"other": np.ones(4, dtype=np.float32)})
    with pytest.raises(MissingPartError, match=r"not Spleeter.*models pull spleeter-2stems"):
        spleeter.converted(tmp_path)
