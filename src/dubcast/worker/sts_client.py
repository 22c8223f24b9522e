"""Talks to the speech service: one fragment, one deadline, at most one retry.

This is the only place where a fragment is retried. Several endpoints stand in for each other, in
the order of the settings, as their breakers allow. An endpoint that is tried again gets a copy of
a fragment in shadow while another serves the air; where no other can, the fragment would have
gone to the fallback anyhow and is the probe itself. So a failed probe costs nothing on air.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from dubcast import log, policy_check
from dubcast.audio.pcm import RATE
from dubcast.breaker import Ticket, Verdict
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.contract.stream_reply import Heard
from dubcast.contract.sts import (
    AUTO,
    FragmentConfig,
    FragmentContext,
    LanguagesReply,
    PcmAudio,
    StsRequest,
    StsResponse,
    VoicesReply,
)
from dubcast.contract.worker import BreakerState, EndpointStatus
from dubcast.errors import StsError
from dubcast.languages.spoken_language import SpokenLanguage
from dubcast.worker.answer import MIN_TIMEOUT_S, CallAnswer, last_due_ns
from dubcast.worker.clause_stream import ClauseStream
from dubcast.worker.endpoint import Endpoint
from dubcast.worker.retries import PROCESS_BUDGET, RetryBudget
from dubcast.worker.work import DubReply, Progress, StreamEnd, Work

_RETRY_PAUSE_S = 0.2
_MARGIN_S = 0.01

_log = log.get("sts_client")


@dataclass(frozen=True)
class _Order:
    """A fragment that is to be dubbed, and what has come of it."""

    request: StsRequest
    work: Work
    stream: ClauseStream

    def body(self, timeout_s: float) -> bytes:
        """What is sent."""
        changed = {"timeout_ms": max(int(timeout_s * 1000), 100)}
        return self.request.model_copy(update=changed).model_dump_json().encode()

    def in_shadow(self) -> _Order:
        """The same, for nobody to hear."""
        return replace(self, stream=ClauseStream(self.request, lambda progress: None))


@dataclass(frozen=True)
class _Call:
    """Leave to send a fragment to an endpoint."""

    endpoint: Endpoint
    ticket: Ticket


class StsClient:
    """Client of one stream. `now` is the monotonic clock in ns; `rng` spreads open times."""

    def __init__(
        self,
        settings: StsClientSettings,
        stream_id: str,
        policy: StreamSettings,
        now: Callable[[], int],
        *,
        rng: random.Random | None = None,
        budget: RetryBudget = PROCESS_BUDGET,
    ) -> None:
        self._settings = settings
        self._stream_id = stream_id
        self._policy = policy
        self._config = FragmentConfig(
            source_language=policy.source_language,
            target_language=policy.target_language,
            voice_profile=policy.voice,
            duration_policy=policy.duration_policy,
            max_tempo=policy.max_tempo,
            glossary=policy.glossary,
            leave_songs=not policy.dub_songs,
        )
        self._now = now
        self._budget = budget
        headers = {"X-Session-Id": stream_id, "Content-Type": "application/json"}
        if settings.api_key is not None:
            headers["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        rng = rng or random.Random()
        self._endpoints = [
            Endpoint(url, settings, headers, now, rng)
            for url in (settings.url, *settings.fallback_urls)
        ]
        self._spoken = SpokenLanguage()
        self._shadows: set[asyncio.Task[None]] = set()
        self._calls: Counter[str] = Counter()  # by outcome, since they were last asked for
        self._retries = 0

    async def close(self) -> None:
        """End what is under way and close the connections."""
        for task in self._shadows:
            task.cancel()
        await asyncio.gather(*self._shadows, return_exceptions=True)
        for endpoint in self._endpoints:
            await endpoint.close()

    async def dub(
        self, work: Work, on_progress: Callable[[Progress], None] = lambda progress: None
    ) -> DubReply | StreamEnd:
        """Have one fragment dubbed; of a streamed reply, `on_progress` is told what has come, each
        once whatever becomes of the connection. Raises StsError.

        Cancelling is safe: the service drops what nobody waits for at its own deadline.
        """
        started, request = self._now(), self._checked_request(work)
        order = _Order(request, work, ClauseStream(request, on_progress))
        self._left_s(work.last_due_ns)
        call = self._route(self._endpoints, order)
        if call is None:
            busy = any(endpoint.breaker.held_back for endpoint in self._endpoints)
            code = "OVERLOADED" if busy else "BREAKER_OPEN"
            raise StsError(code, self._why_none(), retryable=False)
        self._budget.called(self._settings.retry_ratio)
        try:
            reply = await self._send(call, order)
        except StsError as error:
            again = await self._again(error, call.endpoint, order)
            if again is None:
                raise
            reply = await self._send(again, order)
        self._hear(reply.response if isinstance(reply, DubReply) else order.stream.heard)
        return replace(reply, round_trip_s=(self._now() - started) / NS_PER_S)

    async def why_not(self) -> str:
        """Why the stream's policy cannot be served, with what there is; empty if it can be, or if
        nobody can say: the first endpoint that answers tells. Cancelling is safe.
        """
        for endpoint in self._endpoints:
            try:
                languages = LanguagesReply.model_validate_json(
                    await endpoint.get("/api/v1/languages")
                )
                voices = VoicesReply.model_validate_json(await endpoint.get("/api/v1/voices"))
            except (StsError, ValidationError) as error:
                _log.warning("policy not checked", endpoint=endpoint.name, reason=str(error)[:200])
                continue
            return policy_check.why_not(self._policy, languages, voices)
        return ""

    def _checked_request(self, work: Work) -> StsRequest:
        try:
            return self._request(work)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            message = f"no request can be made: {first['loc']}: {first['msg']}"
            raise StsError("INVALID_INPUT", message, retryable=False) from error

    def _request(self, work: Work) -> StsRequest:
        told = {
            "slot_ms": work.slot_ms,
            "overlap_ms": work.overlap_ms,
            "before_ms": work.before_ms,
            "after_ms": work.after_ms,
            # What a fragment's last words are is told with the one that follows.
            "timings": "words" if work.clausewise else "speech",
        }
        return StsRequest(
            fragment_id=work.fragment_id,
            stream_id=self._stream_id,
            sequence_number=work.sequence,
            audio=PcmAudio.from_pcm(work.audio.astype("<i2").tobytes(), RATE, 1),
            config=self._config.model_copy(update=told),
            context=FragmentContext(
                source_text=work.source_text,
                target_text=work.target_text,
                language=self._spoken.settled if self._config.source_language == AUTO else "",
                before_text=work.before_text,
                song_odds=work.song_odds,
            ),
        )

    def _hear(self, heard: StsResponse | Heard | None) -> None:
        """What language the stream speaks: the fragments that follow are weighed by it."""
        if heard is None or heard.language_probability is None:
            return
        start_ms, end_ms = heard.speech_start_ms, heard.speech_end_ms
        if start_ms is None or end_ms is None:
            return
        self._spoken = self._spoken.heard(
            heard.detected_language, heard.language_probability, (end_ms - start_ms) / 1000
        )

    # -- views ---------------------------------------------------------------------------

    def states(self) -> dict[str, int]:
        """How many endpoints are in each state of a breaker."""
        count = Counter(endpoint.breaker.state.value for endpoint in self._endpoints)
        return {state.value: count[state.value] for state in BreakerState}

    def new_calls(self) -> Counter[str]:
        """Calls since this was last asked, by outcome: good, slow, or an error's code."""
        calls, self._calls = self._calls, Counter()
        return calls

    def new_retries(self) -> int:
        """Retries since this was last asked."""
        retries, self._retries = self._retries, 0
        return retries

    def status(self) -> tuple[EndpointStatus, ...]:
        """The endpoints in order, as they are told."""
        return tuple(endpoint.status() for endpoint in self._endpoints)

    # -- where to ------------------------------------------------------------------------

    def _route(self, endpoints: Sequence[Endpoint], order: _Order) -> _Call | None:
        """The first endpoint that takes calls; those before it that want a probe get a copy.

        One that was busy is asked itself if there is no other.
        """
        unsure: list[_Call] = []
        for endpoint in endpoints:
            ticket = endpoint.breaker.admit()
            if ticket is None:
                continue
            call = _Call(endpoint, ticket)
            if not (ticket.probe or endpoint.breaker.busy):
                for probe in (one for one in unsure if one.ticket.probe):
                    self._shadow(probe, order)
                return call
            unsure.append(call)
        for spare in unsure[1:]:
            spare.endpoint.report(spare.ticket, Verdict.OURS, None)
        return unsure[0] if unsure else None

    async def _again(self, error: StsError, failed: Endpoint, order: _Order) -> _Call | None:
        """Where to send a fragment once more; None: nowhere, too late or too often."""
        streams = any(endpoint.streams is not False for endpoint in self._endpoints)
        whole_by_ns = order.work.deadline_ns
        deadline_ns = last_due_ns(order.work, order.stream) if streams else whole_by_ns
        others = [endpoint for endpoint in self._endpoints if endpoint is not failed]
        budget, ratio = self._budget, self._settings.retry_ratio
        worth = error.code != "INVALID_INPUT" and (error.retryable or others)
        if not (worth and self._settings.retries and budget.allows(ratio)):
            return None
        if not self._has_time(0.0, deadline_ns):
            return None
        call = self._route(others, order)
        if call is None and error.retryable:
            # A little more than asked for: the breaker holds calls back until then to the
            # nanosecond.
            pause_s = max((error.retry_after_s or 0.0) + _MARGIN_S, _RETRY_PAUSE_S)
            if not self._has_time(pause_s, deadline_ns):
                return None
            await asyncio.sleep(pause_s)
            call = self._route([failed], order)
        if call is not None:
            budget.retried()
            self._retries += 1
        return call

    def _has_time(self, pause_s: float, deadline_ns: int) -> bool:
        return self._now() + (pause_s + MIN_TIMEOUT_S) * NS_PER_S < deadline_ns

    def _why_none(self) -> str:
        waits = ", ".join(f"{e.name} in {e.breaker.retry_in_s:.0f} s" for e in self._endpoints)
        return f"the speech service is left alone, as it asks or for its faults; next try: {waits}"

    # -- calls ---------------------------------------------------------------------------

    def _shadow(self, probe: _Call, order: _Order) -> None:
        task = asyncio.create_task(self._send_in_shadow(probe, order.in_shadow()))
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _send_in_shadow(self, probe: _Call, order: _Order) -> None:
        try:
            await self._send(probe, order)
        except StsError as error:
            _log.debug("probe failed", endpoint=probe.endpoint.name, code=error.code)

    async def _send(self, call: _Call, order: _Order) -> DubReply | StreamEnd:
        """One call; whatever becomes of it, the breaker gets a verdict."""
        verdict, wait_s, outcome = Verdict.OURS, None, "cancelled"
        endpoint, timeout_s = call.endpoint, 0.0
        answer = CallAnswer(
            *(order.request, order.work, order.stream, self._now),
            streams=endpoint.streams,
            timeout_s=self._settings.timeout_s,
        )
        try:
            timeout_s = self._left_s(answer.until_ns)
            body = order.body(timeout_s)
            reply = await endpoint.post(body, answer)
            endpoint.streams = answer.streamed
            slow = answer.slowest > self._settings.breaker.slow_ratio
            verdict = Verdict.SLOW if slow else Verdict.GOOD
            outcome = verdict.value
            return reply
        except StsError as error:
            verdict, wait_s = endpoint.verdict(error, timeout_s), error.retry_after_s
            outcome = error.code.lower()
            raise
        finally:
            self._calls[outcome] += 1
            endpoint.report(call.ticket, verdict, wait_s)

    def _left_s(self, until_ns: int) -> float:
        left = (until_ns - self._now()) / NS_PER_S
        if left < MIN_TIMEOUT_S:
            raise StsError("TIMEOUT", "the fragment's deadline has come", retryable=False)
        return left if self._settings.timeout_s is None else min(left, self._settings.timeout_s)
