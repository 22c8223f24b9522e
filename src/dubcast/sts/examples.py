"""Examples for the OpenAPI document: valid against the contract (a test checks it)."""

from __future__ import annotations

from typing import Any

from dubcast.contract.sts import PcmAudio

_SILENCE = PcmAudio.from_pcm(bytes(2 * 800), 8000, 1).model_dump()

REQUEST_EXAMPLE: dict[str, Any] = {
    "fragment_id": "0b7e9f52-6e1f-4c39-9d3c-2f5a1f0f4c11",
    "stream_id": "demo",
    "sequence_number": 123,
    "audio": _SILENCE,
    "config": {
        "source_language": "en",
        "target_language": "pt-BR",
        "voice_profile": "default",
        "duration_policy": "match",
        "max_tempo": 1.25,
        "timings": "words",
        "overlap_ms": 0,
    },
    "context": {"source_text": "Good evening.", "target_text": "Boa noite."},
    "timeout_ms": 8000,
}

RESPONSE_EXAMPLE: dict[str, Any] = {
    "fragment_id": "0b7e9f52-6e1f-4c39-9d3c-2f5a1f0f4c11",
    "status": "success",
    "dubbed_audio": _SILENCE,
    "transcript": "Hello world.",
    "translated_text": "Olá mundo.",
    "detected_language": "en",
    "speech_ms": 100,
    "tempo": 1.0,
    "speech_start_ms": 10,
    "speech_end_ms": 90,
    "words": [
        {"text": "Hello", "start_ms": 10, "end_ms": 50},
        {"text": "world.", "start_ms": 50, "end_ms": 90},
    ],
    "clauses": [
        {"text": "Olá mundo.", "start_ms": 10, "end_ms": 90, "source_text": "Hello world."}
    ],
    "shortened": False,
    "processing_time_ms": 840.0,
    "stages_ms": {"queue": 12, "resample": 3, "asr": 210, "mt": 9, "tts": 590, "fit": 8},
    "metadata": {
        "asr_model": "whisper-base",
        "translation_model": "bergamot",
        "tts_model": "kokoro-82m-int8",
        "replica": "host-1234",
    },
}
