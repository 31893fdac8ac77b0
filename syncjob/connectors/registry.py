"""Which vendors there are: one line each, and nothing of a vendor is imported before it is used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

import msgspec

from syncjob.config import register_options
from syncjob.config.models import CrmConfig, LedgerConfig
from syncjob.core.records import Side
from syncjob.errors import ConfigError

if TYPE_CHECKING:
    from syncjob.connectors.pages import RecordPage
    from syncjob.connectors.ports import Opened, Ports


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor by the names of its parts: the options model and the factory that takes it.

    `extra` is what to install for it: `pip install syncjob[extra]`. `library` is the vendor's own
    package, if it needs one; it is loaded with the first write, so its absence is looked for.
    """

    side: Side
    module: str
    options: str
    build: str
    extra: str
    pages: str = "pages:record_page"
    library: str | None = None

    def options_model(self) -> type[CrmConfig] | type[LedgerConfig]:
        """The pydantic model of this vendor's part of the config."""
        return cast("type[CrmConfig] | type[LedgerConfig]", self._load(self.options))

    def open(self, options: CrmConfig | LedgerConfig, ports: Ports) -> Opened:
        """The connector on its channel. Raises ConfigError if the vendor's SDK is not there."""
        if self.library is not None and find_spec(self.library) is None:
            raise self._missing(self.library)
        build = cast("Callable[[Any, Ports], Opened]", self._load(self.build))
        return build(options, ports)

    def record_page(self, url: str) -> RecordPage | None:
        """The record that this page of the vendor's shows; loads no SDK and asks nobody."""
        read = cast("Callable[[str], RecordPage | None]", self._load(self.pages))
        return read(url)

    def _load(self, path: str) -> object:
        module, _, name = path.partition(":")
        try:
            return getattr(import_module(f"{self.module}.{module}"), name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "syncjob":
                raise
            raise self._missing(str(error.name)) from error

    def _missing(self, package: str) -> ConfigError:
        return ConfigError(
            [f"{self.side}.type: the package {package} is missing"],
            next_step=f"Install it: pip install 'syncjob[{self.extra}]'.",
        )


VENDORS: dict[str, Vendor] = {
    "xero": Vendor(
        side="ledger",
        module="syncjob.connectors.xero",
        options="options:XeroOptions",
        build="factory:build",
        extra="xero",
        library="xero_python",
    ),
    "pipedrive": Vendor(
        side="crm",
        module="syncjob.connectors.pipedrive",
        options="options:PipedriveOptions",
        build="factory:build",
        extra="pipedrive",
        library="pipedrive",
    ),
    "hubspot": Vendor(
        side="crm",
        module="syncjob.connectors.hubspot",
        options="options:HubSpotOptions",
        build="factory:build",
        extra="hubspot",
    ),
}


def register_all() -> None:
    """Let the config name every vendor here; an options model is loaded when it is named."""
    for name, vendor in VENDORS.items():
        register_options(vendor.side, name, vendor.options_model)


def record_page(url: str) -> tuple[str, RecordPage] | None:
    """The vendor whose page this is, by its `type`, and the record that it shows; None for a page
    of nobody here, or one that shows no record."""
    for name, vendor in VENDORS.items():
        found = vendor.record_page(url)
        if found is not None:
            return name, found
    return None


def open_side(options: CrmConfig | LedgerConfig, ports: Ports) -> Opened:
    """The connector that the config's `type` names. Raises ConfigError."""
    vendor = VENDORS.get(options.type)
    if vendor is None:
        raise ConfigError([f"type: {options.type!r} is not one of {', '.join(sorted(VENDORS))}"])
    return vendor.open(options, ports)
