"""Numbers as people read them: the same in messages, text reports and the tab (``frontend/src/model/format.ts``).

``summaries/golden/numbers.json`` holds the cases that both are tested with.
"""

from __future__ import annotations

import math

# Beyond this a ratio or a percentage says no more than that it is huge.
HUGE = 1_000
_PLAIN = (1e-3, 1e5)
# Whole numbers below this are counts, written in full.
_WHOLE = 1e9
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Units that a number does not name: a share is written as a percentage, the others say it by what is counted.
_SILENT = ("share", "ratio", "count", "norm")


def number(value: float, unit: str = "") -> str:
    """A number with at most three significant digits: ``12.3 %`` for a share of 0.123, ``1,234`` for a count.

    Powers of ten stand outside 10⁻³ … 10⁵; shares and ratios above 1,000 are written ``> 1,000 %`` and ``> 1,000 ×``.
    """
    if math.isnan(value):
        return "not measured"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if unit == "share":
        return _percent(100 * value)
    if unit == "ratio" and abs(value) > HUGE:
        return f"{'> ' if value > 0 else '< −'}{HUGE:,} ×"
    return _plain(value)


def labeled(value: float, unit: str) -> str:
    """The number with its unit behind it, where it has one worth naming."""
    return f"{number(value, unit)}{'' if unit in _SILENT or not unit else f' {unit}'}"


def percent(share: float) -> str:
    """A share as a percentage: ``12.3 %``."""
    return number(share, "share")


def times(ratio: float) -> str:
    """A ratio as a factor: ``12.3 ×``, ``> 1,000 ×``."""
    text = number(ratio, "ratio")
    return text if text.endswith("×") else f"{text} ×"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """``1 snapshot``, ``1,234 snapshots``."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def _percent(value: float) -> str:
    if abs(value) > HUGE:
        return f"{'> ' if value > 0 else '< −'}{HUGE:,} %"
    if 0 < abs(value) < _PLAIN[0]:
        return "< 0.001 %" if value > 0 else "> −0.001 %"
    return f"{_plain(value)} %"


def _plain(value: float) -> str:
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    if value == int(value) and abs(value) < _WHOLE:
        text = f"{int(value):,}"
    elif _PLAIN[0] <= abs(rounded) < _PLAIN[1]:
        text = f"{rounded:,.10g}"
    else:
        mantissa, exponent = f"{value:.1e}".split("e")
        power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
        text = power if mantissa == "1.0" else f"{mantissa.removesuffix('.0')}·{power}"
        text = f"-{power}" if mantissa == "-1.0" else text
    return text.replace("-", "−", 1) if text.startswith("-") else text
