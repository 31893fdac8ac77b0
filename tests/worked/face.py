"""What a worked invoice looks like over the ledger's HTTP face: a plain client, none of ours."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import requests

_SUMS = {"sub_total": "SubTotal", "total_tax": "TotalTax", "total": "Total"}
_MARKER = re.compile(r"SJ-(\d+)-([A-Z]+)(\d+)")
_TEMPLATE = re.compile(r"SJ-(\d+)-r\d+")


class Face:
    """Reads the sandbox's Xero as any client would: a token, then pages."""

    def __init__(self, base: str) -> None:
        self.base, self.http = base, requests.Session()
        form = {"grant_type": "client_credentials", "client_id": "sandbox-custom",
                "client_secret": "sandbox-secret"}  # fmt: skip
        answer = self.http.post(f"{base}/xero/identity/connect/token", data=form, timeout=10)
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.http.headers["Accept"] = "application/json"
        rates = self.get("TaxRates")["TaxRates"]
        self.rates = {rate["TaxType"]: rate["Name"] for rate in rates}
        themes = self.get("BrandingThemes")["BrandingThemes"]
        self.themes = {theme["BrandingThemeID"]: theme["Name"] for theme in themes}

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(f"{self.base}/xero/api.xro/2.0/{path}", params=query, timeout=10)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return json.loads(answer.text, parse_float=Fraction, parse_int=Fraction)

    def invoices(self) -> dict[int, list[dict[str, Any]]]:
        """The sales invoices of each deal, in the order of their markers."""
        query = {"page": 1, "pageSize": 1000, "unitdp": 4, "includeArchived": "true"}
        rows = self.get("Invoices", **query)["Invoices"]
        made: dict[int, list[tuple[Any, dict[str, Any]]]] = {}
        for row in rows:
            key = _MARKER.search(row.get("Url") or "")
            if row["Type"] == "ACCREC" and key:
                order = (len(key[2]), key[2], int(key[3]))
                made.setdefault(int(key[1]), []).append((order, self._shown(row, key[0])))
        return {deal: [one for _, one in sorted(found, key=_first)] for deal, found in made.items()}

    def templates(self) -> dict[int, list[dict[str, Any]]]:
        """The repeating invoices of each deal."""
        made: dict[int, list[dict[str, Any]]] = {}
        for row in self.get("RepeatingInvoices")["RepeatingInvoices"]:
            key, schedule = _TEMPLATE.search(row.get("Reference") or ""), row["Schedule"]
            if key and row["Status"] != "DELETED":
                shown = {
                    "status": row["Status"],
                    "amounts": row["LineAmountTypes"],
                    "currency": row["CurrencyCode"],
                    "unit": schedule["Unit"],
                    "period": schedule["Period"],
                    "start": _day(schedule["StartDate"]),
                    "end": _day(schedule["EndDate"]) if "EndDate" in schedule else "",
                    "due": f"{schedule['DueDate']} {schedule['DueDateType']}",
                    **{name: row[key_] for name, key_ in _SUMS.items()},
                    "lines": [self._line(line) for line in row["LineItems"]],
                }
                made.setdefault(int(key[1]), []).append(shown)
        return made

    def _shown(self, row: dict[str, Any], key: str) -> dict[str, Any]:
        """An invoice in the words of the table."""
        return {
            "key": key,
            "number": row.get("InvoiceNumber") or "",
            "amounts": row["LineAmountTypes"],
            "status": row["Status"],
            "currency": row["CurrencyCode"],
            "date": row["DateString"][:10],
            "due": row.get("DueDateString", "")[:10],
            "reference": row.get("Reference") or "",
            "branding": self.themes.get(row.get("BrandingThemeID"), ""),
            "customer": row["Contact"]["Name"],
            **{name: row[key_] for name, key_ in _SUMS.items()},
            "rate": row["CurrencyRate"],
            "lines": [self._line(line) for line in row["LineItems"] if not _is_words(line)],
            "words": [line["Description"] for line in row["LineItems"] if _is_words(line)],
        }

    def _line(self, line: dict[str, Any]) -> dict[str, Any]:
        rate, off = line.get("DiscountRate"), line.get("DiscountAmount")
        return {
            "text": line["Description"],
            "quantity": line["Quantity"],
            "price": line["UnitAmount"],
            "discount": ("%", rate) if rate else ("", off or Fraction(0)),
            "account": line.get("AccountCode", ""),
            "tax": self.rates[line["TaxType"]],
            "item": line.get("ItemCode", ""),
            "tracking": {t["Name"]: t["Option"] for t in line["Tracking"]},
            "amount": line["LineAmount"],
            "of_tax": line["TaxAmount"],
        }


def _day(stamp: str) -> str:
    """The calendar day of a /Date(milliseconds)/."""
    found = re.search(r"-?\d+", stamp)
    assert found is not None, stamp
    return datetime.fromtimestamp(int(found[0]) // 1000, UTC).date().isoformat()


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def _is_words(line: dict[str, Any]) -> bool:
    """A line of text only: no quantity, no account, nothing to pay."""
    return not line.get("Quantity") and not line.get("AccountCode") and not line["LineAmount"]
