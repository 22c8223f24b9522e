"""Alert rules and dashboard name what the roles really report."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from dubcast.egress.forwarder import EgressMetrics
from dubcast.metrics import OrchestratorMetrics, StsMetrics, WorkerMetrics

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"\bdubcast_[a-z_]+")


def reported() -> dict[str, set[str]]:
    """Every series that a role can show, with its labels."""
    found: dict[str, set[str]] = {}
    roles = (WorkerMetrics("s"), OrchestratorMetrics(), StsMetrics(), EgressMetrics("s", "d"))
    for role in roles:
        registry: CollectorRegistry = role.registry
        for collector, names in registry._collector_to_names.items():
            labels = set(getattr(collector, "_labelnames", ()))
            for name in names:
                found.setdefault(name, set()).update(labels)
    return found


def dashboard_expressions() -> Iterator[str]:
    panels = json.loads((DEPLOY / "grafana" / "dubcast.json").read_text())["panels"]
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", []))


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("expression", [*dashboard_expressions(), *(r["expr"] for r in rules())])
def test_every_series_that_is_asked_for_exists(expression: str) -> None:
    series = reported()
    names = NAME.findall(expression)
    assert names or "dubcast:" in expression or "dubcast-" in expression
    for name in names:
        assert name in series, name


def test_every_series_is_on_the_dashboard_or_has_an_alert() -> None:
    """What nobody looks at needs not be counted."""
    asked = " ".join([*dashboard_expressions(), *(rule["expr"] for rule in rules())])
    used = set(re.findall(r"dubcast_[a-z_]+?(?=_bucket\b|\b)", asked))
    ours = {
        name for name in reported() if not name.endswith(("_created", "_sum", "_count", "_bucket"))
    }
    counters = {name for name in ours if f"{name}_total" in ours}
    assert ours - counters - used == {"dubcast_build", "dubcast_build_info"}


@pytest.mark.parametrize("rule", [rule for rule in rules() if "alert" in rule], ids=str)
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "warn"}
    assert rule["annotations"]["summary"] and rule["annotations"]["action"]


def test_no_series_has_a_label_that_could_hold_a_secret() -> None:
    for name, labels in reported().items():
        assert not labels & {"url", "key", "session", "session_id", "run_id", "path"}, name


def test_the_series_of_the_contract_are_reported() -> None:
    text = (DEPLOY.parent / "docs" / "contracts.md").read_text(encoding="utf-8")
    promised = set(NAME.findall(text.partition("## Metrics and logs")[2]))
    assert promised
    assert promised <= set(reported()), promised - set(reported())


@pytest.mark.parametrize(
    "arguments",
    [["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"],
     ["test", "rules", "alerts.test.yml"]],
    ids=lambda arguments: " ".join(arguments[:2]),
)  # fmt: skip
def test_promtool_accepts_it(arguments: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH")
    result = subprocess.run(
        [promtool, *arguments], cwd=DEPLOY / "prometheus", capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
