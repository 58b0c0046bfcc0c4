"""Figures as people read them."""

from schemas.records import nanodollars
from streams.monitoring.share import Share

NONE = "–"


def usd(nanos: int) -> str:
    """Whole nano-dollars as dollars, to the cent; what is less than a cent to the millionth of a dollar."""
    return f"{nanos / 1e9:,.2f}" if abs(nanos) >= nanodollars(0.01) or not nanos else f"{nanos / 1e9:.6f}"


def percent(share: float | None) -> str:
    """A share, to a tenth of a percent."""
    return NONE if share is None else f"{share:.1%}"


def limits(share: Share) -> str:
    """The interval of a share that was counted."""
    low, high = share.limits
    return f"{low:.1%} to {high:.1%}" if share.trials else NONE


def milliseconds(value: float | None) -> str:
    """A duration, to three digits."""
    return NONE if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def figure(count: int) -> str:
    """A whole number."""
    return f"{count:,}"


def lasted(ms: int) -> str:
    """A duration in its two largest units."""
    seconds = max(0, ms) // 1000
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, name in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
