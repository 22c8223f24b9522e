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
from dataclasses import dataclass

from pydantic import ValidationError

from dubcast import log, policy_check
from dubcast.audio.pcm import RATE
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.contract.sts import (
    FragmentConfig,
    FragmentContext,
    LanguagesReply,
    PcmAudio,
    StsRequest,
    VoicesReply,
)
from dubcast.contract.worker import BreakerState, EndpointStatus
from dubcast.errors import StsError
from dubcast.worker import reply_check
from dubcast.worker.breaker import Ticket, Verdict
from dubcast.worker.endpoint import Endpoint
from dubcast.worker.retries import PROCESS_BUDGET, RetryBudget
from dubcast.worker.work import DubReply, Work

_MIN_TIMEOUT_S = 0.2
_RETRY_PAUSE_S = 0.2
_MARGIN_S = 0.01

_log = log.get("sts_client")


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

    async def dub(self, work: Work) -> DubReply:
        """Have one fragment dubbed. Raises StsError.

        Cancelling is safe: the service drops what nobody waits for at its own deadline.
        """
        started, deadline_ns = self._now(), work.deadline_ns
        request = self._request(work)
        self._left_s(deadline_ns)
        call = self._route(self._endpoints, request, deadline_ns)
        if call is None:
            raise StsError("BREAKER_OPEN", self._why_none(), retryable=False)
        self._budget.called(self._settings.retry_ratio)
        try:
            reply = await self._send(call, request, deadline_ns)
        except StsError as error:
            again = await self._again(error, call.endpoint, request, deadline_ns)
            if again is None:
                raise
            reply = await self._send(again, request, deadline_ns)
        round_trip_s = (self._now() - started) / NS_PER_S
        return DubReply(reply.response, reply.voice, round_trip_s)

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

    def _request(self, work: Work) -> StsRequest:
        told = {"slot_ms": work.slot_ms, "overlap_ms": work.overlap_ms}
        return StsRequest(
            fragment_id=work.fragment_id,
            stream_id=self._stream_id,
            sequence_number=work.sequence,
            audio=PcmAudio.from_pcm(work.audio.astype("<i2").tobytes(), RATE, 1),
            config=self._config.model_copy(update=told),
            context=FragmentContext(source_text=work.source_text, target_text=work.target_text),
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

    def _route(
        self, endpoints: Sequence[Endpoint], request: StsRequest, deadline_ns: int
    ) -> _Call | None:
        """The first endpoint that takes calls; those before it that want a probe get a copy."""
        probes: list[_Call] = []
        for endpoint in endpoints:
            ticket = endpoint.breaker.admit()
            if ticket is None:
                continue
            call = _Call(endpoint, ticket)
            if not ticket.probe:
                for probe in probes:
                    self._shadow(probe, request, deadline_ns)
                return call
            probes.append(call)
        for spare in probes[1:]:
            spare.endpoint.report(spare.ticket, Verdict.OURS, None)
        return probes[0] if probes else None

    async def _again(
        self, error: StsError, failed: Endpoint, request: StsRequest, deadline_ns: int
    ) -> _Call | None:
        """Where to send a fragment once more; None: nowhere, too late or too often."""
        others = [endpoint for endpoint in self._endpoints if endpoint is not failed]
        budget, ratio = self._budget, self._settings.retry_ratio
        worth = error.code != "INVALID_INPUT" and (error.retryable or others)
        if not (worth and self._settings.retries and budget.allows(ratio)):
            return None
        if not self._has_time(0.0, deadline_ns):
            return None
        call = self._route(others, request, deadline_ns)
        if call is None and error.retryable:
            # A little more than asked for: the breaker holds calls back until then to the
            # nanosecond.
            pause_s = max((error.retry_after_s or 0.0) + _MARGIN_S, _RETRY_PAUSE_S)
            if not self._has_time(pause_s, deadline_ns):
                return None
            await asyncio.sleep(pause_s)
            call = self._route([failed], request, deadline_ns)
        if call is not None:
            budget.retried()
            self._retries += 1
        return call

    def _has_time(self, pause_s: float, deadline_ns: int) -> bool:
        return self._now() + (pause_s + _MIN_TIMEOUT_S) * NS_PER_S < deadline_ns

    def _why_none(self) -> str:
        waits = ", ".join(f"{e.name} in {e.breaker.retry_in_s:.0f} s" for e in self._endpoints)
        return f"the speech service is left alone after its failures; next try: {waits}"

    # -- calls ---------------------------------------------------------------------------

    def _shadow(self, probe: _Call, request: StsRequest, deadline_ns: int) -> None:
        task = asyncio.create_task(self._send_in_shadow(probe, request, deadline_ns))
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _send_in_shadow(self, probe: _Call, request: StsRequest, deadline_ns: int) -> None:
        try:
            await self._send(probe, request, deadline_ns)
        except StsError as error:
            _log.debug("probe failed", endpoint=probe.endpoint.name, code=error.code)

    async def _send(self, call: _Call, request: StsRequest, deadline_ns: int) -> DubReply:
        """One call; whatever becomes of it, the breaker gets a verdict."""
        verdict, wait_s, outcome = Verdict.OURS, None, "cancelled"
        started, timeout_s = self._now(), 0.0
        try:
            timeout_s = self._left_s(deadline_ns)
            timed = request.model_copy(update={"timeout_ms": max(int(timeout_s * 1000), 100)})
            body = timed.model_dump_json().encode()
            response, voice = await call.endpoint.post(
                body,
                reply_check.longest_body(request),
                timeout_s,
                parse=lambda raw: reply_check.checked(raw, request),
            )
            took_s = (self._now() - started) / NS_PER_S
            slow = took_s > self._settings.breaker.slow_ratio * timeout_s
            verdict = Verdict.SLOW if slow else Verdict.GOOD
            outcome = verdict.value
            return DubReply(response, voice, took_s)
        except StsError as error:
            verdict, wait_s = call.endpoint.verdict(error, timeout_s), error.retry_after_s
            outcome = error.code.lower()
            raise
        finally:
            self._calls[outcome] += 1
            call.endpoint.report(call.ticket, verdict, wait_s)

    def _left_s(self, deadline_ns: int) -> float:
        left = (deadline_ns - self._now()) / NS_PER_S
        if left < _MIN_TIMEOUT_S:
            raise StsError("TIMEOUT", "the fragment's deadline has come", retryable=False)
        return left if self._settings.timeout_s is None else min(left, self._settings.timeout_s)
