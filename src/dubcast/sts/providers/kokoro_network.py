"""Kokoro's network in torch, for batches of clauses of different lengths.

The published architecture (StyleTTS 2 with an ISTFTNet decoder; hexgrad/kokoro, Apache-2.0), with
its names of weights. What is padded has no effect on what is spoken: every normalisation counts
only the frames that are there, everything beyond them is zero, as it is at the edge of a clip
alone, and a recurrent layer meets a clip's end in its first state. The random noise of the
published source is left out, as in the ONNX export: a clause sounds the same each time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

RATE = 24_000
STYLE = 128
HIDDEN = 512
# Samples per frame of the alignment (40 Hz); pitch and energy have two values in each.
FRAME = 600
_PITCH_FRAME = FRAME // 2
_LAYERS = 12
_HEADS = 12
_HARMONICS = 9
_SINE_AMPLITUDE = 0.1
_VOICED_HZ = 10.0
_N_FFT, _HOP = 20, 5
_BINS = _N_FFT // 2 + 1
_KERNELS = (3, 7, 11)
_DILATIONS = (1, 3, 5)
_UPS = ((20, 10), (12, 6))  # kernel and stride
# The ONNX export does not divide by what its windows add up to; as loud is what is told here.
_LOUDNESS = 1.5
_RSQRT2 = 1 / math.sqrt(2)
_ALBERT = "bert.encoder.albert_layer_groups.0.albert_layers.0"
# Added to the input gate of a recurrent layer beyond the end of a clip: it stays shut.
_SHUT = -1e4


@dataclass(frozen=True)
class Frames:
    """Which frames of a padded batch are there: `mask` (batch, 1, frames), `count` of each clip."""

    mask: Tensor
    count: Tensor

    @classmethod
    def of(cls, count: Tensor, most: int, dtype: torch.dtype) -> Frames:
        """`count` (batch,) of at most `most` frames."""
        at = torch.arange(most, device=count.device)
        mask = (at[None, :] < count[:, None]).to(dtype)[:, None, :]
        return cls(mask, count.to(torch.float32)[:, None, None])


@dataclass(frozen=True)
class Encoded:
    """A batch of texts: `prosody` (batch, tokens, 640) and `text` (batch, tokens, 512) of each
    token, and for how many frames it sounds, as whole numbers in `durations` (batch, tokens)."""

    prosody: Tensor
    text: Tensor
    durations: Tensor


class Layers:
    """The weights by their published names, and what is done with them."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self._weights = dict(weights)
        self._lstms: dict[str, Any] = {}
        for name in [
            n.removesuffix(".weight_ih_l0") for n in weights if n.endswith("weight_ih_l0")
        ]:
            self._lstms[name] = _lstm(name, self._weights)

    def to(self, device: str) -> None:
        """Move all weights."""
        self._weights = {name: value.to(device) for name, value in self._weights.items()}
        for lstm in self._lstms.values():
            lstm.to(device)

    def halve(self, part: str) -> None:
        """The weights of a part in half precision."""
        for name, value in self._weights.items():
            if name.startswith(part):
                self._weights[name] = value.to(torch.float16)

    def get(self, name: str) -> Tensor:
        """A weight by its name."""
        return self._weights[name]

    def linear(self, name: str, x: Tensor) -> Tensor:
        """A linear layer over the last axis."""
        return F.linear(x, self.get(f"{name}.weight"), self.get(f"{name}.bias"))

    def conv(
        self,
        name: str,
        x: Tensor,
        *,
        stride: int = 1,
        dilation: int = 1,
        padding: int | None = None,
    ) -> Tensor:
        """A convolution over time; with stride 1 it keeps the length."""
        weight = self.get(f"{name}.weight")
        if padding is None:
            padding = dilation * (weight.shape[-1] - 1) // 2
        bias = self._weights.get(f"{name}.bias")
        return F.conv1d(x, weight, bias, stride, padding, dilation)

    def upsample(
        self, name: str, x: Tensor, stride: int, *, groups: int = 1, odd: int = 0
    ) -> Tensor:
        """A transposed convolution that makes `stride` frames of one."""
        weight = self.get(f"{name}.weight")
        padding = (weight.shape[-1] - stride + odd) // 2
        bias = self.get(f"{name}.bias")
        return F.conv_transpose1d(x, weight, bias, stride, padding, odd, groups)

    def norm(self, name: str, x: Tensor, eps: float, *, names: tuple[str, str]) -> Tensor:
        """Layer normalisation over the last axis, in single precision."""
        weight, bias = (self.get(f"{name}.{one}") for one in names)
        return F.layer_norm(x, (x.shape[-1],), weight, bias, eps)

    def lstm(self, name: str, x: Tensor, frames: Frames) -> Tensor:
        """A recurrent layer in both directions: (batch, time, in) to (batch, time, out)."""
        mask = frames.mask.transpose(1, 2)
        out, _ = self._lstms[name](torch.cat([x * mask, 1 - mask], dim=-1))
        return out * mask

    def adain(self, name: str, x: Tensor, style: Tensor, frames: Frames) -> Tensor:
        """Instance normalisation, with the style's gain and offset; `x` is zero beyond its end."""
        gain, offset = self.linear(f"{name}.fc", style)[:, :, None].float().chunk(2, dim=1)
        mean = x.sum(-1, keepdim=True, dtype=torch.float32) / frames.count
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        variance = (norm.square() / frames.count - mean.square()).clamp_min(0.0)
        scale = (1 + gain) * torch.rsqrt(variance + 1e-5)
        shift = offset - mean * scale
        return torch.addcmul(shift.to(x.dtype), x, scale.to(x.dtype))


def _lstm(name: str, weights: dict[str, Tensor]) -> Any:
    """A layer whose input has one more value: 1 beyond the end of the clip, where it shuts."""
    suffixes = [f"{kind}_l0{way}" for way in ("", "_reverse") for kind in _LSTM_KINDS]
    own = {suffix: weights.pop(f"{name}.{suffix}") for suffix in suffixes}
    for suffix in ("weight_ih_l0", "weight_ih_l0_reverse"):
        shut = own[suffix].new_zeros(len(own[suffix]), 1)
        shut[: len(shut) // 4] = _SHUT
        own[suffix] = torch.cat([own[suffix], shut], dim=1)
    outer, inner = own["weight_hh_l0"].shape[1], own["weight_ih_l0"].shape[1]
    layer = torch.nn.LSTM(inner, outer, batch_first=True, bidirectional=True)
    layer.load_state_dict(own)
    return layer.requires_grad_(False).eval()


_LSTM_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Kokoro:
    """`encode` texts, `align` them with time, `decode` them to sound. All clips are independent."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.layers = Layers(weights)
        self.device = "cpu"
        self._dtype = torch.float32
        self._tables()

    def _tables(self) -> None:
        self._analysis = _analysis().to(self.device)
        self._window = torch.hann_window(_N_FFT).to(self.device)
        self._synthesis = _synthesis().to(self.device)

    def to_cuda(self) -> None:
        """Move to the GPU; what makes sound works in half precision there."""
        self.device, self._dtype = "cuda", torch.float16
        self.layers.to(self.device)
        self.layers.halve("decoder.")
        self._tables()

    def encode(self, tokens: Tensor, count: Tensor, style: Tensor) -> Encoded:
        """`tokens` (batch, most) of which `count` (batch,) are there; `style` (batch, 256)."""
        frames = Frames.of(count, tokens.shape[1], torch.float32)
        pitch_style = style[:, STYLE:]
        bert = self.layers.linear("bert_encoder", self._albert(tokens, frames))
        prosody = self._durations_in(bert, pitch_style, frames)
        spoken = self.layers.lstm("predictor.lstm", prosody, frames)
        logits = self.layers.linear("predictor.duration_proj.linear_layer", spoken)
        durations = torch.sigmoid(logits).sum(-1).round().clamp_min(1.0) * frames.mask[:, 0]
        return Encoded(prosody, self._text(tokens, frames), durations.long())

    def _albert(self, tokens: Tensor, frames: Frames) -> Tensor:
        layers, at = self.layers, torch.arange(tokens.shape[1], device=tokens.device)
        x = (
            layers.get("bert.embeddings.word_embeddings.weight")[tokens]
            + layers.get("bert.embeddings.position_embeddings.weight")[at]
            + layers.get("bert.embeddings.token_type_embeddings.weight")[0]
        )
        x = layers.norm("bert.embeddings.LayerNorm", x, 1e-12, names=("weight", "bias"))
        x = layers.linear("bert.encoder.embedding_hidden_mapping_in", x)
        seen = frames.mask[:, None].bool()
        for _ in range(_LAYERS):  # one set of weights, twelve times
            x = self._albert_layer(x, seen)
        return x

    def _albert_layer(self, x: Tensor, seen: Tensor) -> Tensor:
        layers = self.layers
        query, key, value = (
            layers.linear(f"{_ALBERT}.attention.{one}", x)
            .unflatten(-1, (_HEADS, -1))
            .transpose(1, 2)
            for one in ("query", "key", "value")
        )
        heard = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        heard = layers.linear(f"{_ALBERT}.attention.dense", heard.transpose(1, 2).flatten(2))
        names = ("weight", "bias")
        x = layers.norm(f"{_ALBERT}.attention.LayerNorm", x + heard, 1e-12, names=names)
        wide = F.gelu(layers.linear(f"{_ALBERT}.ffn", x), approximate="tanh")
        wide = layers.linear(f"{_ALBERT}.ffn_output", wide)
        return layers.norm(f"{_ALBERT}.full_layer_layer_norm", x + wide, 1e-12, names=names)

    def _durations_in(self, bert: Tensor, style: Tensor, frames: Frames) -> Tensor:
        mask = frames.mask.transpose(1, 2)
        beside = style[:, None, :].expand(-1, bert.shape[1], -1)
        x = torch.cat([bert, beside], dim=-1) * mask
        for i in (0, 2, 4):
            name = f"predictor.text_encoder.lstms.{i}"
            x = F.layer_norm(self.layers.lstm(name, x, frames), (HIDDEN,), eps=1e-5)
            norm = f"predictor.text_encoder.lstms.{i + 1}.fc"
            gain, offset = self.layers.linear(norm, style)[:, None, :].chunk(2, dim=-1)
            x = torch.cat([(1 + gain) * x + offset, beside], dim=-1) * mask
        return x

    def _text(self, tokens: Tensor, frames: Frames) -> Tensor:
        x = self.layers.get("text_encoder.embedding.weight")[tokens].transpose(1, 2) * frames.mask
        for i in range(3):
            x = self.layers.conv(f"text_encoder.cnn.{i}.0", x).transpose(1, 2)
            names = ("gamma", "beta")
            x = self.layers.norm(f"text_encoder.cnn.{i}.1", x, 1e-5, names=names).transpose(1, 2)
            x = F.leaky_relu(x, 0.2) * frames.mask
        return self.layers.lstm("text_encoder.lstm", x.transpose(1, 2), frames)

    def align(self, encoded: Encoded, most: int) -> tuple[Tensor, Tensor]:
        """Prosody and text of each of `most` frames: (batch, most, ...), zero beyond the end."""
        ends = encoded.durations.cumsum(1)
        at = torch.arange(most, device=ends.device).expand(len(ends), -1).contiguous()
        token = torch.searchsorted(ends, at, right=True)
        there = (token < ends.shape[1])[:, :, None] & (at < ends[:, -1:])[:, :, None]
        token = token.clamp_max(ends.shape[1] - 1)[:, :, None]
        return tuple(
            one.gather(1, token.expand(-1, -1, one.shape[2])) * there
            for one in (encoded.prosody, encoded.text)
        )

    def decode(self, prosody: Tensor, text: Tensor, count: Tensor, style: Tensor) -> Tensor:
        """Samples (batch, most * 600) of aligned frames, of which `count` (batch,) are there."""
        most = prosody.shape[1]
        slow = Frames.of(count, most, torch.float32)
        pitch, energy = self._pitch(prosody, style[:, STYLE:], slow, count)
        voice = style[:, :STYLE].to(self._dtype)
        x = self._decoder(text.to(self._dtype), pitch, energy, voice, count)
        return self._generator(x, self._source(pitch, count), voice, count)

    def _pitch(
        self, prosody: Tensor, style: Tensor, slow: Frames, count: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Pitch in Hz and energy at 80 Hz, (batch, 1, time)."""
        shared = self.layers.lstm("predictor.shared", prosody, slow).transpose(1, 2)
        fast = Frames.of(2 * count, 2 * prosody.shape[1], torch.float32)
        curves = []
        for name in ("F0", "N"):
            x = self._block(f"predictor.{name}.0", shared, style, slow)
            x = self._block(f"predictor.{name}.1", x, style, slow, fast)
            x = self._block(f"predictor.{name}.2", x, style, fast)
            curves.append(self.layers.conv(f"predictor.{name}_proj", x) * fast.mask)
        return curves[0], curves[1]

    def _decoder(
        self, text: Tensor, pitch: Tensor, energy: Tensor, style: Tensor, count: Tensor
    ) -> Tensor:
        most = text.shape[1]
        slow = Frames.of(count, most, self._dtype)
        fast = Frames.of(2 * count, 2 * most, self._dtype)
        text = text.transpose(1, 2)
        curves = [
            self.layers.conv(f"decoder.{name}_conv", curve.to(self._dtype), stride=2) * slow.mask
            for name, curve in (("F0", pitch), ("N", energy))
        ]
        beside = [self.layers.conv("decoder.asr_res.0", text) * slow.mask, *curves]
        x = self._block("decoder.encode", torch.cat([text, *curves], dim=1), style, slow)
        for i in range(3):
            x = self._block(f"decoder.decode.{i}", torch.cat([x, *beside], dim=1), style, slow)
        x = torch.cat([x, *beside], dim=1)
        return self._block("decoder.decode.3", x, style, slow, fast)

    def _block(
        self, name: str, x: Tensor, style: Tensor, frames: Frames, up: Frames | None = None
    ) -> Tensor:
        """A residual block; with `up` it has twice as many frames after it."""
        layers, after = self.layers, up or frames
        y = F.leaky_relu(layers.adain(f"{name}.norm1", x, style, frames), 0.2) * frames.mask
        if up is not None:
            y = layers.upsample(f"{name}.pool", y, 2, groups=y.shape[1], odd=1) * up.mask
            x = x.repeat_interleave(2, dim=-1)
        y = layers.conv(f"{name}.conv1", y) * after.mask
        y = F.leaky_relu(layers.adain(f"{name}.norm2", y, style, after), 0.2) * after.mask
        y = layers.conv(f"{name}.conv2", y)
        if y.shape[1] != x.shape[1]:
            x = layers.conv(f"{name}.conv1x1", x)
        return (x + y) * (_RSQRT2 * after.mask)

    def _source(self, pitch: Tensor, count: Tensor) -> Tensor:
        """Spectrum of the voice's harmonics: magnitude and phase, (batch, 22, time)."""
        harmonics = torch.arange(1, _HARMONICS + 1, device=pitch.device)[None, :, None]
        turns = (pitch * harmonics / RATE) % 1
        phase = turns.cumsum(-1) * (2 * math.pi * _PITCH_FRAME)
        sines = F.interpolate(phase, scale_factor=float(_PITCH_FRAME), mode="linear").sin()
        voiced = (pitch > _VOICED_HZ).float().repeat_interleave(_PITCH_FRAME, dim=-1)
        sines = (_SINE_AMPLITUDE * sines * voiced).transpose(1, 2)
        name = "decoder.generator.m_source.l_linear"
        weight, bias = (self.layers.get(f"{name}.{one}").float() for one in ("weight", "bias"))
        wave = torch.tanh(F.linear(sines, weight, bias))[:, :, 0]
        return self._spectrum(_mirrored(wave, FRAME * count), count)

    def _spectrum(self, wave: Tensor, count: Tensor) -> Tensor:
        # A product of matrices, which is exact: a convolution may round to fewer bits.
        spectrum = (wave.unfold(-1, _N_FFT, _HOP) @ self._analysis).transpose(1, 2)
        real, imaginary = spectrum[:, :_BINS], spectrum[:, _BINS:] + 0.0  # no negative zero
        both = torch.cat([torch.hypot(real, imaginary), torch.atan2(imaginary, real)], dim=1)
        frames = Frames.of(_fast_count(count), both.shape[-1], torch.float32)
        return (both * frames.mask).to(self._dtype)

    def _generator(self, x: Tensor, source: Tensor, style: Tensor, count: Tensor) -> Tensor:
        rates = (
            Frames.of(20 * count, 10 * x.shape[-1], self._dtype),
            Frames.of(_fast_count(count), source.shape[-1], self._dtype),
        )
        for i, frames in enumerate(rates):
            x = self._rise(i, x, source, style, frames)
        spectrum = self.layers.conv("decoder.generator.conv_post", F.leaky_relu(x)).float()
        return self._wave(spectrum, rates[-1].mask.float())

    def _rise(self, i: int, x: Tensor, source: Tensor, style: Tensor, frames: Frames) -> Tensor:
        """One of the two steps up to the rate of the spectrum, with the source added."""
        name, last = "decoder.generator", i == len(_UPS) - 1
        stride, padding = (1, 0) if last else (6, 3)
        beside = self.layers.conv(f"{name}.noise_convs.{i}", source, stride=stride, padding=padding)
        beside = self._snakes(f"{name}.noise_res.{i}", beside * frames.mask, style, frames)
        x = self.layers.upsample(f"{name}.ups.{i}", F.leaky_relu(x, 0.1), _UPS[i][1])
        if last:
            x = F.pad(x, (1, 0), mode="reflect")
        x = x * frames.mask + beside
        blocks = [f"{name}.resblocks.{3 * i + j}" for j in range(len(_KERNELS))]
        total = self._snakes(blocks[0], x, style, frames)
        for block in blocks[1:]:
            total = total + self._snakes(block, x, style, frames)
        return total / len(blocks)

    def _snakes(self, name: str, x: Tensor, style: Tensor, frames: Frames) -> Tensor:
        """Residual convolutions with the activation x + sin(ax)^2 / a."""
        for i, dilation in enumerate(_DILATIONS):
            y = self.layers.adain(f"{name}.adain1.{i}", x, style, frames)
            y = _snake(y, self.layers.get(f"{name}.alpha1.{i}")) * frames.mask
            y = self.layers.conv(f"{name}.convs1.{i}", y, dilation=dilation) * frames.mask
            y = self.layers.adain(f"{name}.adain2.{i}", y, style, frames)
            y = _snake(y, self.layers.get(f"{name}.alpha2.{i}")) * frames.mask
            x = x + self.layers.conv(f"{name}.convs2.{i}", y) * frames.mask
        return x

    def _wave(self, spectrum: Tensor, mask: Tensor) -> Tensor:
        """Inverse transform: windows are added up, and divided by what they add up to."""
        magnitude = spectrum[:, :_BINS].exp() * mask
        phase = spectrum[:, _BINS:].sin()
        parts = torch.cat([magnitude * phase.cos(), magnitude * phase.sin()], dim=1)
        wave = F.conv_transpose1d(parts, self._synthesis, stride=_HOP)
        window = self._window.square()[None, None, :]
        weight = F.conv_transpose1d(mask, window, stride=_HOP)
        half = _N_FFT // 2
        return (_LOUDNESS * wave / weight.clamp_min(1e-8))[:, 0, half:-half]


def tensors(weights: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, Tensor]:
    """Weights as torch has them."""
    return {name: torch.tensor(value) for name, value in weights.items()}


def _fast_count(count: Tensor) -> Tensor:
    """Frames of the spectrum: one every five samples, and one at the end."""
    return FRAME // _HOP * count + 1


def _snake(x: Tensor, alpha: Tensor) -> Tensor:
    wave = (x * alpha).sin_()
    return torch.addcmul(x, wave, wave / alpha)


def _mirrored(wave: Tensor, count: Tensor) -> Tensor:
    """Each clip with half a window of its mirror image before its start and after its end."""
    half = _N_FFT // 2
    at = (torch.arange(wave.shape[1] + 2 * half, device=wave.device) - half).abs()[None, :]
    last = count[:, None] - 1
    at = torch.where(at > last, 2 * last - at, at).clamp_min(0)
    return wave.gather(1, at)


def _angles() -> Tensor:
    at = torch.arange(_N_FFT, dtype=torch.float64)
    return torch.outer(torch.arange(_BINS, dtype=torch.float64), at) * (2 * math.pi / _N_FFT)


def _sines() -> Tensor:
    sines = _angles().sin()
    sines[0] = sines[-1] = 0.0  # neither the mean nor the highest bin has an imaginary part
    return sines


def _analysis() -> Tensor:
    """Matrix of the windowed transform: (samples, real parts and imaginary parts)."""
    window = torch.hann_window(_N_FFT, dtype=torch.float64)
    both = torch.cat([_angles().cos(), 0.0 - _sines()]) * window
    return (both + 0.0).T.contiguous().float()


def _synthesis() -> Tensor:
    """Windows of the inverse transform: (real parts and imaginary parts, 1, samples)."""
    window = torch.hann_window(_N_FFT, dtype=torch.float64)
    share = torch.full((_BINS, 1), 2.0 / _N_FFT, dtype=torch.float64)
    share[0] = share[-1] = 1.0 / _N_FFT
    both = torch.cat([_angles().cos() * share, -_sines() * share]) * window
    return both[:, None, :].float()
