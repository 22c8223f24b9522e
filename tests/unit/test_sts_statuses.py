"""Error codes and HTTP statuses: what one side sends, the other understands."""

from __future__ import annotations

from typing import get_args

import pytest

from dubcast.contract.errors import STATUSES, ErrorCode, meaning_of, usual_status

# The client's own word for a service that does not answer: no status says it.
SENT = [code for code in get_args(ErrorCode) if code != "UNAVAILABLE"]


@pytest.mark.parametrize("code", SENT)
def test_a_code_comes_back_from_its_usual_status(code: str) -> None:
    assert meaning_of(usual_status(code)).code == code


def test_every_code_but_the_clients_own_has_a_status() -> None:
    assert {meaning.code for meaning in STATUSES.values()} == set(SENT)
    with pytest.raises(KeyError):
        usual_status("UNAVAILABLE")


@pytest.mark.parametrize("status", [400, 401, 403, 413, 415, 422])
def test_the_same_mistake_is_not_worth_another_try(status: int) -> None:
    assert not meaning_of(status).retryable


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is(status: int) -> None:
    assert meaning_of(status).retryable


@pytest.mark.parametrize("status", [301, 404, 418, 501, 599])
def test_what_the_contract_does_not_know_is_the_services_fault(status: int) -> None:
    assert (meaning_of(status).code, meaning_of(status).retryable) == ("MODEL_ERROR", False)
