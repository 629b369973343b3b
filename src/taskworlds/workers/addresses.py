"""Whether the head of a Ray cluster answers, which can be asked without Ray."""

from __future__ import annotations

import socket

__all__ = ["silence"]

_PATIENCE = 5.0  # seconds to wait for an answer


def silence(address: str) -> str | None:
    """Returns why nothing answers at an address "host:port"; None if something does.

    Raises:
        ValueError: it has another form.
    """
    host, colon, port = address.rpartition(":")
    if "://" in address or not (host and colon and port.isdecimal()):
        raise ValueError('it is not "host:port"')
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:  # a port can be too large
        return str(error)
    return None
