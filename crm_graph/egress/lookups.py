"""Lookups of host names: each in a thread of its own, and one owner's names in a share of them only."""

import asyncio
import socket
import threading
import uuid
from dataclasses import dataclass
from ipaddress import ip_address

LOOKUPS_MAX = 128  # at once; a lookup that hangs is one until the resolver gives it up, so that threads stay few
OWNER_LOOKUPS_MAX = 16
WAIT_SECONDS = 5.0  # for one of them to end


class LookupsBusy(OSError):
    """The name was not looked up, because too many lookups are waiting."""


@dataclass(frozen=True)
class _Lookup:
    owner_id: uuid.UUID | None
    result: "asyncio.Future[list[str] | OSError]"


_Key = tuple[asyncio.AbstractEventLoop, str]
_lookups: dict[_Key, _Lookup] = {}


async def resolve(host: str, owner_id: uuid.UUID | None = None) -> list[str]:
    """The addresses of a host that an endpoint of this owner calls, in the resolver's order.

    Each name is looked up in a thread of its own, which concurrent callers share: a lookup that hangs delays neither
    other names nor the end of the process. With OWNER_LOOKUPS_MAX of the owner, or LOOKUPS_MAX in all, a name waits
    until one has ended. Raises OSError: LookupsBusy after WAIT_SECONDS, socket.gaierror when there are no addresses.
    """
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    key = (asyncio.get_running_loop(), host)
    await _wait_for_place(key, owner_id)
    if key not in _lookups:
        _start(key, owner_id)
    result = await asyncio.shield(_lookups[key].result)
    if isinstance(result, OSError):
        raise result
    return result


async def _wait_for_place(key: _Key, owner_id: uuid.UUID | None) -> None:
    """Wait until the name is being looked up, or may be. Raises LookupsBusy."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while key not in _lookups and (lookups := _in_the_way(key[0], owner_id)):
                await asyncio.wait([one.result for one in lookups], return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        raise LookupsBusy("too many name lookups are waiting") from None


def _in_the_way(loop: asyncio.AbstractEventLoop, owner_id: uuid.UUID | None) -> list[_Lookup]:
    """The lookups of which one must end before another may start; none if it may start now."""
    lookups = [one for (of_loop, _), one in _lookups.items() if of_loop is loop]
    of_owner = [one for one in lookups if owner_id is not None and one.owner_id == owner_id]
    if len(of_owner) >= OWNER_LOOKUPS_MAX:
        return of_owner
    return lookups if len(lookups) >= LOOKUPS_MAX else []


def _start(key: _Key, owner_id: uuid.UUID | None) -> None:
    loop, host = key
    _lookups[key] = _Lookup(owner_id, loop.create_future())
    _lookups[key].result.add_done_callback(lambda _: _lookups.pop(key))
    threading.Thread(target=_look_up, args=(loop, host, _lookups[key].result), daemon=True).start()


def _look_up(loop: asyncio.AbstractEventLoop, host: str, future: "asyncio.Future[list[str] | OSError]") -> None:
    result: list[str] | OSError
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        result = list(dict.fromkeys(str(info[4][0]) for info in infos))
    except OSError as error:
        result = error
    except UnicodeError:  # Python's own codec for host names rejects it
        result = socket.gaierror(socket.EAI_NONAME, "no host name")
    try:
        loop.call_soon_threadsafe(future.set_result, result)
    except RuntimeError:  # the loop was closed meanwhile
        _lookups.pop((loop, host), None)
