"""Exact limits for a share that was counted on a sample: Clopper and Pearson 1934 (Biometrika 26, 404)."""

from math import ceil, exp, lgamma, log, log1p

_CLOSE = 1e-7  # of a limit: it is moved outward by so much, never inward


def tail(successes: int, trials: int, share: float) -> float:
    """The probability of at least so many `successes` in `trials` draws that succeed with probability `share`."""
    if successes <= 0:
        return 1.0
    if successes > trials or share <= 0:
        return 0.0
    return 1.0 if share >= 1 else _incomplete_beta(successes, trials - successes + 1, share)


def lower_limit(successes: int, trials: int, confidence: float) -> float:
    """The least share for which so many `successes` or more are not less likely than 1 - `confidence`.

    In repeated samples it is above the true share in at most 1 - `confidence` of them, however few the trials are.
    """
    low, high = 0.0, successes / trials if trials else 0.0
    while high - low > _CLOSE:
        middle = (low + high) / 2
        if tail(successes, trials, middle) < 1 - confidence:
            low = middle
        else:
            high = middle
    return low


def upper_limit(successes: int, trials: int, confidence: float) -> float:
    """The same from above: in repeated samples at most 1 - `confidence` of them have it below the true share."""
    return 1 - lower_limit(trials - successes, trials, confidence)


def interval(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """The two-sided interval: a limit on each side, each missed by at most half of 1 - `confidence`."""
    one_sided = (1 + confidence) / 2
    return lower_limit(successes, trials, one_sided), upper_limit(successes, trials, one_sided)


def least_trials(share: float, confidence: float) -> int:
    """How many trials show a share of at least `share` with `confidence` when all of them succeed."""
    return ceil(log(1 - confidence) / log(share) - 1e-9)


def _incomplete_beta(a: int, b: int, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22, Lentz's method)."""
    if x > (a + 1) / (a + b + 2):  # there the fraction of the complement converges quickly
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    tiny = 1e-300
    fraction, numerator, denominator = 1.0, 1.0, 0.0
    step = 0
    while True:
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        denominator = 1 / _not_zero(1 + term * denominator, tiny)
        numerator = _not_zero(1 + term / numerator, tiny)
        change = numerator * denominator
        fraction *= change
        if step and abs(change - 1) < 1e-12:
            return front * (fraction - 1) / a
        step += 1


def _not_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
