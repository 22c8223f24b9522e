"""`python -m bench.sts.plain_service PORT`: a dubbing service as it is written in an afternoon.

The same models as dubcast's, each called as its own page shows, one fragment after the other.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import soxr

from bench.sts.services import CORES
from dubcast.config import Settings
from dubcast.contract.sts import PcmAudio, StageTimes, StsMetadata, StsRequest, StsResponse
from dubcast.languages import catalogue
from dubcast.languages.spoken_form import spoken_form
from dubcast.models.store import ModelStore
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import (
    ASR_RATE,
    Float,
    MtProvider,
    MtTask,
    TtsProvider,
    TtsTask,
)
from dubcast.sts.providers.registry import Setup

_METADATA = StsMetadata(
    asr_model="whisper-base", translation_model="plain", tts_model="kokoro", replica="plain"
)


class Plain:
    """The three models, and a lock around them."""

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        settings = Settings()
        store = ModelStore(settings.models)
        folder = str(store.path("whisper-base"))
        self._ear: Any = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=CORES)
        providers = settings.sts_server.providers
        self._translator = registry.create(MtProvider, providers.mt, Setup(store))
        self._voice = registry.create(
            TtsProvider, providers.tts, Setup(store, threads=CORES, engine="onnxruntime")
        )
        for one in (self._translator, self._voice):
            one.load()
        self._lock = threading.Lock()

    def dub(self, request: StsRequest) -> StsResponse:
        """One fragment, when those before it are done."""
        config, audio = request.config, request.audio
        language = catalogue.find(config.target_language)
        assert language is not None
        with self._lock:
            segments, _ = self._ear.transcribe(_samples(audio), language=config.source_language)
            said = " ".join(segment.text.strip() for segment in segments)
            task = MtTask(said, config.source_language, config.target_language)
            text = self._translator.run([task])[0] if said else ""
            pcm = self._spoken(spoken_form(text, language), audio.sample_rate_hz) if text else b""
        return StsResponse(
            fragment_id=request.fragment_id,
            status="success" if pcm else "no_speech",
            dubbed_audio=PcmAudio.from_pcm(pcm, audio.sample_rate_hz, 1) if pcm else None,
            transcript=said,
            translated_text=text,
            detected_language=config.source_language,
            processing_time_ms=0,
            stages_ms=StageTimes(),
            metadata=_METADATA,
        )

    def _spoken(self, text: str, rate_hz: int) -> bytes:
        voices = self._voice.capabilities.voices
        voice = next(one for one in voices if one.name == "pf_dora")
        speech = self._voice.run([TtsTask(text, voice)])[0]
        samples = soxr.resample(speech.samples, speech.rate_hz, rate_hz)
        return np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes()


def _samples(audio: PcmAudio) -> Float:
    mono = np.frombuffer(audio.pcm_bytes(), "<i2").astype(np.float32) / 32768
    samples: Float = soxr.resample(mono, audio.sample_rate_hz, ASR_RATE).astype(np.float32)
    return samples


def _handler(plain: Plain) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(b"ready")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = plain.dub(StsRequest.model_validate_json(body))
            self._send(reply.model_dump_json().encode())

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    return Handler


if __name__ == "__main__":
    handler = _handler(Plain())
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
