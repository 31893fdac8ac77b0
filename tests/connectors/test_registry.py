"""The registry: each vendor by its name, and nothing of a vendor loaded before it is used."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from syncjob.config.models import CrmConfig, LedgerConfig
from syncjob.connectors.registry import VENDORS, Vendor, open_side
from syncjob.errors import ConfigError


@pytest.mark.parametrize("name", sorted(VENDORS))
def test_each_vendor_has_options_of_its_side_and_a_factory(name: str) -> None:
    vendor = VENDORS[name]
    base = CrmConfig if vendor.side == "crm" else LedgerConfig
    assert issubclass(vendor.options_model(), base)
    assert callable(vendor._load(vendor.build))


def test_reading_a_config_loads_no_client_and_no_sdk() -> None:
    code = (
        "import sys\n"
        "from syncjob.connectors.registry import register_all\n"
        "register_all()\n"
        "heavy = ('requests', 'xero_python', 'pipedrive', 'sqlite_utils')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_a_missing_package_is_named_with_what_to_install() -> None:
    lost = Vendor(
        side="ledger", module="no_such_sdk", options="options:X", build="f:b", extra="lost"
    )
    with pytest.raises(ConfigError, match=r"no_such_sdk is missing.*syncjob\[lost\]"):
        lost.options_model()


@pytest.mark.parametrize("name", sorted(n for n, v in VENDORS.items() if v.library))
def test_a_missing_sdk_is_told_before_anything_is_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is loaded with the first write only: in the midst of a batch would be too late."""
    there = importlib.util.find_spec
    monkeypatch.setattr(
        "syncjob.connectors.registry.find_spec",
        lambda asked: None if asked == VENDORS[name].library else there(asked),
    )
    base = CrmConfig if VENDORS[name].side == "crm" else LedgerConfig
    with pytest.raises(ConfigError, match=rf"{VENDORS[name].library} is missing.*{name}\]"):
        open_side(base(type=name), None)  # type: ignore[arg-type]


def test_an_unknown_type_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="'sage' is not one of hubspot, pipedrive, xero"):
        open_side(LedgerConfig(type="sage"), None)  # type: ignore[arg-type]
