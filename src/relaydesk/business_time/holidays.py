"""The holidays of a calendar: a region's public ones, with days added and removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.business_time.hours import CalendarError, blame, read_date, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days closed by name.

    ``region`` is a country code, or one with its subdivision (``US``, ``US-CA``), "" for none; days that
    the law moves ("observed") are in. ``warnings`` are sentences about lines without effect.
    """

    region: str = ""
    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()
    warnings: tuple[str, ...] = ()
    _public: Mapping[date, str] = field(default_factory=dict, repr=False, compare=False)

    def name(self, day: date) -> str:
        """The name of the holiday on this date, or "" when it is none."""
        if day in self.removed:
            return ""
        return self._public.get(day) or ("holiday" if day in self.added else "")


def read_holidays(value: object) -> Holidays:
    """``{region: US, add: [date], remove: [date]}``, each part optional; errors as in ``hours``."""
    table = read_table(value, ("region", "add", "remove"))
    with blame("region"):
        region, public = _public_holidays(table["region"]) if "region" in table else ("", {})
    added, removed = (_dates(table, key) for key in ("add", "remove"))
    if both := added & removed:
        raise CalendarError(f"{min(both)} is in both add and remove; keep it in one of them")
    warnings = tuple(
        f"holidays: remove: {day} is not a holiday, so the line has no effect"
        for day in sorted(removed)
        if not public.get(day)
    )
    return Holidays(region, added, removed, warnings, public)


def _dates(table: Mapping[object, object], key: str) -> frozenset[date]:
    with blame(key):
        listed = table.get(key, [])
        if not isinstance(listed, list | tuple | set | frozenset):
            raise CalendarError(f"{listed!r} is not a list of dates; use one such as [2026-11-27]")
        return frozenset(read_date(day) for day in listed)


def _public_holidays(region: object) -> tuple[str, Mapping[date, str]]:
    import holidays  # noqa: PLC0415 - 0.2 s, and most commands and calendars need no region

    name = region.strip().upper() if isinstance(region, str) else ""
    country, _, subdivision = name.partition("-")
    try:
        return name, holidays.country_holidays(country, subdiv=subdivision or None, language="en_US")
    except NotImplementedError:
        raise CalendarError(
            f"{region!r} is not a region with known holidays; use a country code such as US, or with its "
            'subdivision such as US-CA, in quotes (a bare NO is "false" in YAML)'
        ) from None
