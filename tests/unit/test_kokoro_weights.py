"""Weights are found in the int8 export by the names of its nodes, and in a hub's checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from dubcast.errors import MissingPartError
from dubcast.sts.providers import kokoro_weights

RANDOM = np.random.default_rng(1)


def model(nodes: list[onnx.NodeProto], **tensors: np.ndarray) -> bytes:
    """An ONNX file; `__` in a tensor's name stands for a point."""
    named = [
        numpy_helper.from_array(value, name.replace("__", ".")) for name, value in tensors.items()
    ]
    graph = helper.make_graph(nodes, "kokoro", [], [], named)
    return bytes(helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize("data", [b"\x0a", b"not a model at all", b"\x3a\x05ab"])
def test_what_is_no_model_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no ONNX file|weights"):
        kokoro_weights.from_onnx(data)


def test_integers_are_what_they_stand_for() -> None:
    nodes = [
        helper.make_node(
            "ConvInteger",
            ["x", "w_quantized", "z", "w_zero"],
            ["a"],
            name="/encoder/F0.0/conv1/Conv_quant",
        ),
        helper.make_node(
            "MatMulInteger",
            ["a", "m_quantized", "z", "m_zero"],
            ["b"],
            name="/decoder/decoder/encode/norm1/fc/Gemm",
        ),
        helper.make_node(
            "Gather", ["encoder.text_encoder.embedding.weight_quantized", "t"], ["c"], name="g"
        ),
    ]
    found = kokoro_weights.from_onnx(
        model(
            nodes,
            w_quantized=np.array([[[1, 3]]], np.uint8),
            w_scale=np.array(0.5, np.float32),
            w_zero=np.array(2, np.uint8),
            m_quantized=np.array([[2, -4], [6, 8]], np.int8),
            m_scale=np.array([0.5, 0.25], np.float32),
            m_zero=np.array([0, 0], np.int8),
            encoder__text_encoder__embedding__weight_quantized=np.array([[4]], np.int8),
            encoder__text_encoder__embedding__weight_scale=np.array(0.5, np.float32),
            decoder__decoder__encode__norm1__fc__bias=np.array([1, 2], np.float32),
        )
    )
    assert {name: value.tolist() for name, value in found.items()} == {
        "predictor.F0.0.conv1.weight": [[[-0.5, 0.5]]],
        "decoder.encode.norm1.fc.weight": [[1.0, 3.0], [-1.0, 2.0]],
        "decoder.encode.norm1.fc.bias": [1.0, 2.0],
        "text_encoder.embedding.weight": [[2.0]],
    }


def test_the_gates_of_a_recurrent_layer_are_in_torch_s_order() -> None:
    nodes = [
        helper.make_node(
            "DynamicQuantizeLSTM",
            [
                *("x", "LSTM_w_quantized", "LSTM_r_quantized", "b", "", "", "", ""),
                *("LSTM_w_scale", "zero", "LSTM_r_scale", "zero"),
            ],
            ["y"],
            name="/encoder/shared/LSTM_quant",
        )
    ]
    ones = np.ones((2, 1, 1), np.int8)
    found = kokoro_weights.from_onnx(
        model(
            nodes,
            LSTM_w_quantized=ones * np.array([10, 20, 30, 40], np.int8),
            LSTM_w_scale=np.array([0.1, 1.0], np.float32),
            LSTM_r_quantized=ones * np.array([1, 2, 3, 4], np.int8),
            LSTM_r_scale=np.array([1.0, 1.0], np.float32),
            zero=np.zeros(2, np.int8),
            b=np.tile(np.arange(8, dtype=np.float32), (2, 1)),
        )
    )
    # Input, output, forget and cell become input, forget, cell and output.
    np.testing.assert_allclose(found["predictor.shared.weight_ih_l0"].T, [[1, 3, 4, 2]], rtol=1e-6)
    assert found["predictor.shared.weight_ih_l0_reverse"].T.tolist() == [[10, 30, 40, 20]]
    assert found["predictor.shared.weight_hh_l0"].T.tolist() == [[1, 3, 4, 2]]
    assert found["predictor.shared.bias_ih_l0"].tolist() == [0, 2, 3, 1]
    assert found["predictor.shared.bias_hh_l0"].tolist() == [4, 6, 7, 5]


def test_without_onnx_it_is_told_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPartError, match=r"onnx is missing: pip install 'dubcast\[gpu\]'"):
        kokoro_weights.from_onnx(b"")


def test_direction_and_length_become_one_weight() -> None:
    direction = RANDOM.normal(size=(3, 2, 5)).astype(np.float32)
    length = np.array([1.0, 2.0, 3.0], np.float32).reshape(3, 1, 1)
    found = kokoro_weights.without_norms(
        {"a.weight_v": direction, "a.weight_g": length, "b": length}
    )
    assert set(found) == {"a.weight", "b"}
    norms = np.sqrt((found["a.weight"] ** 2).sum(axis=(1, 2)))
    np.testing.assert_allclose(norms, [1.0, 2.0, 3.0], rtol=1e-6)


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"neither kokoro-v1_0\.pth nor model\.onnx"):
        kokoro_weights.load(tmp_path)
