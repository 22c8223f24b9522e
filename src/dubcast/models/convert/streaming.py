"""Opens a recurrent graph, so that a stream can be fed to it in pieces."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

_INITIAL_STATE = 5  # position among the inputs of a GRU


def streaming(model: ModelProto, layers: int, unpadded: Sequence[str] = ()) -> ModelProto:
    """Edit `model` so that its memory comes in and goes out; returns it.

    Its GRU layers take their states from new inputs `state_0`, `state_1`, ..., (1, 1, hidden), and
    their last states become its last outputs. Its inputs `unpadded` are taken as they are where
    the graph puts zeros before them: the caller gives what came before instead. Raises ValueError
    if the graph has not so many GRU layers, or does not pad these inputs.
    """
    graph = model.graph
    nodes, padded = _without_pads(graph.node, unpadded)
    if padded != len(unpadded):
        raise ValueError(f"of the inputs {', '.join(unpadded)}, {padded} are padded")
    recurrent = [node for node in nodes if node.op_type == "GRU"]
    if len(recurrent) != layers:
        raise ValueError(f"{layers} recurrent layers expected, {len(recurrent)} found")
    del graph.node[:]
    graph.node.extend(nodes)
    for layer, node in enumerate(node for node in graph.node if node.op_type == "GRU"):
        state_in, state_out = _opened(node, f"state_{layer}")
        graph.input.append(state_in)
        graph.output.append(state_out)
    return model


def _without_pads(
    nodes: Sequence[NodeProto], unpadded: Sequence[str]
) -> tuple[list[NodeProto], int]:
    """The nodes without those that pad these inputs, and how many those were."""
    kept: list[NodeProto] = []
    source_of: dict[str, str] = {}
    for node in nodes:
        node.input[:] = [source_of.get(name, name) for name in node.input]
        if node.op_type == "Pad" and node.input[0] in unpadded:
            source_of[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    return kept, len(source_of)


def _opened(node: NodeProto, state: str) -> tuple[ValueInfoProto, ValueInfoProto]:
    """Let a GRU begin with `state`; the graph's new input and output."""
    if len(node.input) != _INITIAL_STATE + 1 or len(node.output) != 2:
        raise ValueError("a recurrent layer without state")
    node.input[_INITIAL_STATE] = state
    shape = (1, 1, helper.get_node_attr_value(node, "hidden_size"))
    return (
        helper.make_tensor_value_info(state, TensorProto.FLOAT, shape),
        helper.make_tensor_value_info(node.output[1], TensorProto.FLOAT, shape),
    )
