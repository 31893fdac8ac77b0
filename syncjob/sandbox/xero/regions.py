"""What a new organisation of each region starts with (facts: xero, 3, TaxType; spec examples).

Tax codes and rates are those of the facts; account codes follow Xero's own default charts in
style, and are never to be relied on by a client.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from syncjob.sandbox.xero.models import TaxRate


@dataclass(frozen=True)
class Region:
    version: str
    country: str
    currency: str
    timezone: str
    zone: str
    tax_basis: str
    year_end: tuple[int, int]
    sales_tax: str
    input_tax: str
    none_tax: str
    rates: tuple[TaxRate, ...]


def _rate(
    name: str, code: str, percent: str, revenue: bool = True, expenses: bool | None = None
) -> TaxRate:
    return TaxRate(
        name, code, Fraction(percent), revenue, not revenue if expenses is None else expenses
    )


def _both(name: str, code: str) -> TaxRate:
    return _rate(name, code, "0", True, True)


_AU = (
    _rate("GST on Income", "OUTPUT", "10"),
    _rate("GST on Expenses", "INPUT", "10", revenue=False),
    _rate("GST Free Income", "EXEMPTOUTPUT", "0"),
    _rate("GST Free Expenses", "EXEMPTEXPENSES", "0", revenue=False),
    _both("BAS Excluded", "BASEXCLUDED"),
)
_NZ = (
    _rate("15% GST on Income", "OUTPUT2", "15"),
    _rate("15% GST on Expenses", "INPUT2", "15", revenue=False),
    _both("Zero Rated", "ZERORATED"),
    _both("No GST", "NONE"),
)
_UK = (
    _rate("20% (VAT on Income)", "OUTPUT2", "20"),
    _rate("20% (VAT on Expenses)", "INPUT2", "20", revenue=False),
    _rate("5% (VAT on Income)", "RROUTPUT", "5"),
    _rate("5% (VAT on Expenses)", "RRINPUT", "5", revenue=False),
    _rate("Zero Rated Income", "ZERORATEDOUTPUT", "0"),
    _rate("Zero Rated Expenses", "ZERORATEDINPUT", "0", revenue=False),
    _rate("Exempt Income", "EXEMPTOUTPUT", "0"),
    _rate("Exempt Expenses", "EXEMPTINPUT", "0", revenue=False),
    _rate("Zero Rated EC Goods Income", "ECZROUTPUT", "0"),
    _rate("Zero Rated EC Services", "ECZROUTPUTSERVICES", "0"),
    _rate("Reverse Charge Expenses (20%)", "REVERSECHARGES", "20", revenue=False),
    _both("No VAT", "NONE"),
)
_US = (
    _rate("Tax on Sales", "OUTPUT", "0"),
    _rate("Tax on Purchases", "INPUT", "0", revenue=False),
    _both("Tax Exempt", "NONE"),
    TaxRate("Sales Tax 8.875%", "TAX001", Fraction("8.875"), True, True, "USSALESTAX"),
    TaxRate("Sales Tax 7.25%", "TAX002", Fraction("7.25"), True, True, "USSALESTAX"),
)
# The global edition has the US codes and whatever rates its owner adds (facts: xero, 3, TaxType).
_GLOBAL = (
    _rate("Tax on Sales", "OUTPUT", "0"),
    _rate("Tax on Purchases", "INPUT", "0", revenue=False),
    _both("Tax Exempt", "NONE"),
)

REGIONS = {
    "AU": Region(
        "AU", "AU", "AUD", "AUSEASTERNSTANDARDTIME", "Australia/Sydney", "ACCRUALS", (30, 6),
        "OUTPUT", "INPUT", "BASEXCLUDED", _AU,
    ),
    "NZ": Region(
        "NZ", "NZ", "NZD", "NEWZEALANDSTANDARDTIME", "Pacific/Auckland", "PAYMENTS", (31, 3),
        "OUTPUT2", "INPUT2", "NONE", _NZ,
    ),
    "UK": Region(
        "UK", "GB", "GBP", "GMTSTANDARDTIME", "Europe/London", "ACCRUAL", (31, 3),
        "OUTPUT2", "INPUT2", "NONE", _UK,
    ),
    "US": Region(
        "US", "US", "USD", "EASTERNSTANDARDTIME", "America/New_York", "ACCRUALS", (31, 12),
        "OUTPUT", "INPUT", "NONE", _US,
    ),
    "GLOBAL": Region(
        "GLOBAL", "DE", "EUR", "WEUROPESTANDARDTIME", "Europe/Berlin", "ACCRUALS", (31, 12),
        "OUTPUT", "INPUT", "NONE", _GLOBAL,
    ),
}  # fmt: skip

# code, name, type, class, tax (sales, input or none of the region), system account, takes payments
CHART = (
    ("090", "Business Bank Account", "BANK", "ASSET", "none", "", True),
    ("200", "Sales", "REVENUE", "REVENUE", "sales", "", False),
    ("215", "Freight Income", "REVENUE", "REVENUE", "sales", "", False),
    ("260", "Other Revenue", "REVENUE", "REVENUE", "sales", "", False),
    ("408", "Bad Debts", "EXPENSE", "EXPENSE", "none", "", False),
    ("429", "General Expenses", "EXPENSE", "EXPENSE", "input", "", False),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "none", "DEBTORS", False),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "none", "CREDITORS", False),
    ("820", "Sales Tax", "CURRLIAB", "LIABILITY", "none", "GST", False),
    ("840", "Historical Adjustment", "CURRLIAB", "LIABILITY", "none", "HISTORICAL", False),
    ("850", "Customer Deposits", "CURRLIAB", "LIABILITY", "none", "", True),
    ("860", "Rounding", "CURRLIAB", "LIABILITY", "none", "ROUNDING", False),
)

CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "GBP": "British Pound",
    "USD": "United States Dollar",
    "EUR": "Euro",
    "CAD": "Canadian Dollar",
    "SGD": "Singapore Dollar",
    "JPY": "Japanese Yen",
}  # fmt: skip

# Units of each currency for one US dollar: invented day rates, constant so that runs repeat.
PER_DOLLAR = {
    "USD": Fraction(1),
    "AUD": Fraction("1.5"),
    "NZD": Fraction("1.64"),
    "GBP": Fraction("0.78"),
    "EUR": Fraction("0.92"),
    "CAD": Fraction("1.36"),
    "SGD": Fraction("1.34"),
    "JPY": Fraction("150"),
}


def day_rate(base: str, currency: str) -> Fraction:
    """Units of `currency` for one unit of `base`."""
    return PER_DOLLAR.get(currency, Fraction(1)) / PER_DOLLAR.get(base, Fraction(1))
