"""
Outgoing calls 对外调用: the only place from which the gateway calls an address somebody gave it (R34).

The host is resolved here, every address is checked, and the call goes to the very address that was checked, so a
name that resolves differently a moment later reaches nothing. No redirects; 3 s to connect, 10 s in all, 1 MiB of
answer at most, whatever the other side does.
"""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

import httpx

from kernel.tls import TRUSTED

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
MAX_RESPONSE_BYTES = 1024 * 1024


class CallFailed(Exception):
    """The call did not succeed; `code` says how, `is_theirs` that the other side is unwell, not this message."""

    def __init__(self, code: str, *, is_theirs: bool) -> None:
        super().__init__(code)
        self.code = code
        self.is_theirs = is_theirs


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: where to connect, and under which name."""

    url: str
    host: str
    name: str


def check_target(url: str, networks: str) -> Target:
    """Resolve and check; public addresses pass, others only inside `networks`. Raises CallFailed."""
    try:
        parts = urlsplit(url)
        name = (parts.hostname or "").encode("idna").decode()  # 热线.政务.cn as the network writes it
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise CallFailed("unresolved", is_theirs=True) from error
    listed = [ip_network(network.strip()) for network in networks.split(",") if network.strip()]
    addresses = [ip_address(entry[4][0]) for entry in found]
    refused = [a for a in addresses if not _is_public(a) and not any(a in network for network in listed)]
    if refused or not addresses:
        raise CallFailed("address_not_allowed", is_theirs=True)
    literal = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    host = (f"[{name}]" if ":" in name else name) + (f":{parts.port}" if parts.port else "")
    return Target(
        urlunsplit((parts.scheme, f"{literal}:{port}", parts.path or "/", parts.query, "")), host, name
    )


def post(target: Target, body: bytes, headers: Mapping[str, str]) -> None:
    """POST and expect a 2xx; raises CallFailed."""
    ends = time.monotonic() + TOTAL_SECONDS
    timeout = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    sent = {**headers, "host": target.host, "content-type": "application/json", "accept-encoding": "identity"}
    try:
        with (
            httpx.Client(timeout=timeout, verify=TRUSTED, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", target.url, content=body, headers=sent, extensions={"sni_hostname": target.name}
            ) as response,
        ):
            _read_bounded(response, ends)
            status = response.status_code
    except httpx.TimeoutException as error:
        raise CallFailed("timed_out", is_theirs=True) from error
    except (httpx.HTTPError, OSError) as error:
        raise CallFailed("unreachable", is_theirs=True) from error
    if not 200 <= status < 300:
        raise CallFailed(f"status_{status}", is_theirs=status >= 500 or status == 429)


def _read_bounded(response: httpx.Response, ends: float) -> None:
    size = 0
    for part in response.iter_raw():
        size += len(part)
        if size > MAX_RESPONSE_BYTES:
            raise CallFailed("answer_too_large", is_theirs=True)
        if time.monotonic() > ends:
            raise CallFailed("timed_out", is_theirs=True)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast
