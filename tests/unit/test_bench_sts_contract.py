"""The bench of the contract measures a request that the service answers, in both forms."""

from __future__ import annotations

import pytest

from bench.sts import contract


async def test_it_measures_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "_TIMES", 2)
    found = await contract.measure()
    assert {bar.key for bar in contract.BARS} <= set(found)
    assert all(value > 0 for value in found.values())
