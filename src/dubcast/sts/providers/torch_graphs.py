"""CUDA graphs: what a function launches on the GPU, recorded once for each shape and played again.

A network of thousands of small operations spends its time in launching them; played from a graph
they cost one launch. A graph has fixed shapes and fixed places in memory, so the inputs are copied
in, and results must be copied out before the next one is played. On a CPU nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]
Shape = tuple[tuple[int, ...], ...]


class Graphs:
    """Plays a function whose result depends on its inputs alone. For one thread.

    All graphs share one pool of memory: only the result that was played last is valid.
    """

    def __init__(self, function: Function, pool: Any = None) -> None:
        self._function = function
        self._pool = pool
        self._side: Any = None
        self._recorded: dict[Shape, tuple[Any, tuple[Tensor, ...], tuple[Tensor, ...]]] = {}

    def record(self, inputs: Sequence[Tensor]) -> None:
        """Record the function for inputs of these shapes; they are run, so let them be sound."""
        static = tuple(one.clone() for one in inputs)
        # One stream for all: memory that is freed in a stream is kept for that stream.
        self._side = self._side or torch.cuda.Stream()
        self._side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._side):  # what libraries set up at first is not recorded
            for _ in range(2):
                self._function(*static)
        torch.cuda.current_stream().wait_stream(self._side)
        graph = torch.cuda.CUDAGraph()
        # Other threads go on using the GPU meanwhile.
        recording = torch.cuda.graph(
            graph, pool=self._pool, stream=self._side, capture_error_mode="thread_local"
        )
        with recording:
            results = self._function(*static)
        self._recorded[_shape(inputs)] = graph, static, results

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The function's results, by a graph where these shapes were recorded."""
        found = self._recorded.get(_shape(inputs))
        if found is None:
            return self._function(*inputs)
        graph, static, results = found
        for place, value in zip(static, inputs, strict=True):
            place.copy_(value)
        graph.replay()
        return results


def _shape(inputs: Sequence[Tensor]) -> Shape:
    return tuple(tuple(one.shape) for one in inputs)
