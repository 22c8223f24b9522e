"""The examples of the testing page run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dubcast.testing import faults

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_example_runs(number: int) -> None:
    code = compile(EXAMPLES[number], f"docs/testing.md#{number}", "exec")
    exec(code, {"__name__": "example"})


def test_there_are_examples_and_each_asserts() -> None:
    assert len(EXAMPLES) == 4
    assert all("assert" in example for example in EXAMPLES)


def test_every_fault_is_on_the_page() -> None:
    public = [
        name for name, value in vars(faults).items()
        if callable(value) and value.__module__ == faults.__name__ and not name.startswith("_")
    ]  # fmt: skip
    assert len(public) > 20
    assert [name for name in public if f"{name}(" not in PAGE] == []
