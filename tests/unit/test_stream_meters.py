"""The orchestrator's series of a stream: whether its destinations are up, while it runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from dubcast.contract.streams import StreamState
from dubcast.egress.forwarder import EgressMetrics
from dubcast.metrics import OrchestratorMetrics
from dubcast.orchestrator.actor import Actor
from dubcast.orchestrator.report import StreamMeters


def actor(**destinations: str | None) -> Actor:
    """A stream with forwarders by name, each with its state; None: it does not answer."""
    children = [
        SimpleNamespace(
            spec=SimpleNamespace(name=name),
            supervisor=SimpleNamespace(status={"state": state} if state else None),
        )
        for name, state in destinations.items()
    ]
    stream = SimpleNamespace(stream_id="demo", state=StreamState.LIVE)
    return cast(Actor, SimpleNamespace(stream=stream, destinations=children, worker=None))


def shown(registry: CollectorRegistry) -> dict[str, float]:
    (family,) = (one for one in registry.collect() if one.name == "dubcast_egress_up")
    return {one.labels["destination"]: one.value for one in family.samples}


def test_a_destination_is_up_while_it_takes_the_stream_and_down_without_its_forwarder() -> None:
    metrics = OrchestratorMetrics()
    meters = StreamMeters(metrics)
    meters.show(actor(one="live", two="slow", three="refused", four=None))
    assert shown(metrics.registry) == {"one": 1, "two": 1, "three": 0, "four": 0}


@pytest.mark.parametrize("forgotten", [False, True])
def test_the_destinations_of_a_stream_that_has_ended_are_not_down(forgotten: bool) -> None:
    metrics = OrchestratorMetrics()
    meters = StreamMeters(metrics)
    meters.show(actor(one="stopped"))
    meters.show(actor())
    if forgotten:
        meters.forget("demo")
    assert shown(metrics.registry) == {}


def test_the_series_has_one_owner() -> None:
    own, other = (
        {name for names in one.registry._collector_to_names.values() for name in names}
        for one in (OrchestratorMetrics(), EgressMetrics("s", "d"))
    )
    assert not {name for name in own & other if not name.startswith("dubcast_build")}
