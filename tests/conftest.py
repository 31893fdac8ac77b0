"""What all tests share: quiet logs, and slow tests that are left out unless asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from tests.marks import noting

noting.install()  # before anything imports syncjob
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """SYNCJOB_SLOW=1, or `-m slow`, runs what takes minutes."""
    if os.environ.get("SYNCJOB_SLOW") or "slow" in (config.option.markexpr or ""):
        return
    skip = pytest.mark.skip(reason="slow: set SYNCJOB_SLOW=1")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _starts(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that patches nothing may have a world that was set up before (tests/engine)."""
    from tests.engine.prepared import STARTS  # late: the marks come before syncjob

    STARTS.on = "monkeypatch" not in request.fixturenames and noting.FOLDER not in os.environ
    yield
    STARTS.on = False
