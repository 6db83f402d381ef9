"""What the pages read of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pathlib import Path

Network = IPv4Network | IPv6Network

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class WebConfig:
    """``templates`` is the folder of the pages, ``shop`` the name beside the logo, ``address`` the public
    address of the desk, such as ``https://desk.shop.example`` ("" where only its own host opens it).
    ``tls`` is whether we serve https ourselves; ``proxies`` are those that may say whom they ask for.
    """

    templates: Path
    shop: str = ""
    address: str = ""
    zone: ZoneInfo = UTC
    tls: bool = False
    proxies: tuple[Network, ...] = ()

    @property
    def secure(self) -> bool:
        """Whether the desk is opened by https, so that its cookies may go no other way."""
        return self.tls or self.address.startswith("https:")
