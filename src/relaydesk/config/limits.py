"""The setting ``limits``: the caps of the SMTP server by name."""

from __future__ import annotations

import dataclasses

from relaydesk.smtpd import Limits

SHORTEST_LINE = 65_536  # bytes; a smaller cap bounces real mail for good
LARGEST_LIMIT = 10**12  # of bytes, seconds or counts; beyond it a clock computes no more


def read_limits(written: object) -> Limits:
    """The server's limits from a mapping of names to positive numbers; what is left out keeps its default."""
    if isinstance(written, Limits):
        return written
    if not isinstance(written, dict):
        raise ValueError("this must be a mapping; use 'name: number' lines")
    kinds = {name: type(value) for name, value in dataclasses.asdict(Limits()).items()}
    for name in written:
        if name not in kinds:
            raise ValueError(f"{name} is not a limit; use one of {', '.join(kinds)}")
    numbers = {name: kinds[name](_number(name, value)) for name, value in written.items()}
    if numbers.get("line_bytes", SHORTEST_LINE) < SHORTEST_LINE:
        raise ValueError(f"limit line_bytes must be at least {SHORTEST_LINE}; real mail has such lines")
    if nothing := next((name for name, number in numbers.items() if not number), None):
        raise ValueError(f"limit {nothing} must be at least 1, not {written[nothing]!r}")
    return Limits(**numbers)


def _number(name: str, value: object) -> float:
    try:  # a variable such as RELAYDESK_LIMITS__ERRORS comes as text
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else 0.0
    except ValueError:
        number = 0.0
    if not 0 < number <= LARGEST_LIMIT:
        raise ValueError(f"limit {name} must be a positive number, at most {LARGEST_LIMIT}, not {value!r}")
    return number
