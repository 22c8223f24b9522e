"""Kokoro for a batch: texts of about the same length go through the network together.

Lengths are rounded up to a few sizes and batches to a few widths, so that on a GPU each has its
CUDA graph. Work is split where a batch would be mostly padding.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dubcast.sts.providers.interface import Float
from dubcast.sts.providers.kokoro_groups import FRAMES, TOKENS, WIDTHS, Line, at_least, grouped
from dubcast.sts.providers.kokoro_network import FRAME, STYLE, Encoded, Kokoro
from dubcast.sts.providers.torch_graphs import Graphs


class KokoroBatches:
    """Speaks lines together. For one thread."""

    def __init__(self, network: Kokoro) -> None:
        self._network = network
        pool = torch.cuda.graph_pool_handle() if network.device == "cuda" else None
        self._encode = Graphs(self._encoded, pool)
        self._decode = Graphs(self._decoded, pool)

    def record(self, widest: int) -> None:
        """Record the graphs of all sizes, for batches of up to `widest` (a few seconds)."""
        widths = [width for width in WIDTHS if width <= widest]
        with torch.inference_mode():
            # The largest first: the memory that they share is taken once.
            for width, most in itertools.product(reversed(widths), reversed(TOKENS)):
                lines = [Line((1,) * (most - 2), np.zeros(2 * STYLE, np.float32))] * width
                self._encode.record(self._texts(lines, most))
            for width, most in itertools.product(reversed(widths), reversed(FRAMES)):
                self._decode.record(self._silence(width, most))
        torch.cuda.empty_cache()  # what the recording took beside the graphs

    def speak(self, lines: Sequence[Line]) -> list[Float]:
        """24 kHz samples of each line."""
        found: dict[int, Float] = {}
        with torch.inference_mode():
            for group in grouped([len(line.tokens) + 2 for line in lines], TOKENS):
                own = [lines[i] for i in group.members]
                for i, samples in self._group(own, group.size).items():
                    found[group.members[i]] = samples
        return [found[i] for i in range(len(lines))]

    def _group(self, lines: Sequence[Line], most: int) -> dict[int, Float]:
        tokens, count, style = self._texts(lines, most)
        encoded = Encoded(*(one.clone() for one in self._encode(tokens, count, style)))
        frames = encoded.durations.sum(1)
        lengths = frames.tolist()[: len(lines)]
        found: dict[int, Float] = {}
        for group in grouped(lengths, FRAMES):
            rows = torch.tensor(group.rows, device=frames.device)
            chosen = Encoded(encoded.prosody[rows], encoded.text[rows], encoded.durations[rows])
            prosody, text = self._network.align(chosen, group.size)
            (wave,) = self._decode(prosody, text, frames[rows], style[rows])
            samples = wave.cpu().numpy()
            for row, i in enumerate(group.members):
                found[i] = samples[row, : FRAME * lengths[i]].copy()
        return found

    def _encoded(self, tokens: Tensor, count: Tensor, style: Tensor) -> tuple[Tensor, ...]:
        encoded = self._network.encode(tokens, count, style)
        return encoded.prosody, encoded.text, encoded.durations

    def _decoded(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return (self._network.decode(*inputs),)

    def _texts(self, lines: Sequence[Line], most: int) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, with 0 at both ends, their count and the styles; the last line fills up."""
        lines = [*lines, *[lines[-1]] * (at_least(len(lines), WIDTHS) - len(lines))]
        tokens = np.zeros((len(lines), most), np.int64)
        for row, line in zip(tokens, lines, strict=True):
            row[1 : len(line.tokens) + 1] = line.tokens
        count = np.array([len(line.tokens) + 2 for line in lines])
        style = np.stack([line.style for line in lines])
        device = self._network.device
        return (
            torch.from_numpy(tokens).to(device),
            torch.from_numpy(count).to(device),
            torch.from_numpy(style).to(device),
        )

    def _silence(self, width: int, most: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        device = self._network.device
        encoded = self._encode(*self._texts([Line((1,), np.zeros(2 * STYLE, np.float32))], 32))
        return (
            torch.zeros(width, most, encoded[0].shape[2], device=device),
            torch.zeros(width, most, encoded[1].shape[2], device=device),
            torch.full((width,), most, device=device),
            torch.zeros(width, 2 * STYLE, device=device),
        )
