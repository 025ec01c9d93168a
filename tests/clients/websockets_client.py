"""What a client made with Python's `websockets` sees of a server: one scenario a run.

    websockets_client.py SCENARIO URL

URL is the server's, without a path; what options a scenario's server is started with says ../clients.rs. The exit
code is 0 when everything was as it should be, else 1, with one line that says what was expected and what came.
ws_client.mjs has the same scenarios under the same names: who changes one changes both.
"""

import asyncio
import random
import ssl
import sys

from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

# For the whole scenario; ../clients.rs has more patience than that.
LIMIT_SECONDS = 40
MEBIBYTE = 1024 * 1024
# Ends a text of exactly so many bytes: one byte long.
FILLER = "."


class Unexpected(Exception):
    """Something came that was not to come, or nothing did."""


async def broadcast(url):
    """Everybody hears everything, the sender too, in one order and in its kind."""
    clients = [await connect(f"{url}/") for _ in range(3)]
    rows = ["Grüße, 世界 🎺", b"\x00\xff\x81 is no text", "", b"", "the end"]
    for message in rows:
        await send(clients[0], message)
    for at, each in enumerate(clients):
        expect_all(f"client {at}", await receive_all(each, len(rows)), rows)
    # And now all at once: what one said stays in its order, and all hear the same.
    said = [[f"{at} says {number}" for number in range(100)] for at in range(len(clients))]
    await asyncio.gather(*map(send_all, clients, said))
    heard = await asyncio.gather(*(receive_all(each, 100 * len(clients)) for each in clients))
    for at, each in enumerate(heard):
        expect_all(f"client {at}, all at once", each, heard[0])
        own = [message for message in heard[0] if message.startswith(f"{at} ")]
        expect_all(f"what client {at} said at once", own, said[at])
    await leave(*clients)


async def no_self(url):
    """With --no-self everybody hears everything but what is their own."""
    one, other = await connect(f"{url}/"), await connect(f"{url}/")
    for message in ["ä", b"\xe4", ""]:
        await send(one, message)
        expect("the other", await receive(other), message)
    await send(other, "from the other")
    expect("the first thing the one hears", await receive(one), "from the other")
    await send(one, "from the one")
    expect("the next thing the other hears", await receive(other), "from the one")
    await leave(one, other)


async def echo(url):
    """On /echo a message of any length comes back, to its sender alone."""
    one, other = await connect(f"{url}/echo"), await connect(f"{url}/echo")
    sizes = [0, 1, 2, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 1_000_000]
    rows = [make(size) for size in sizes for make in (text, binary)]
    came, _ = await asyncio.gather(receive_all(one, len(rows)), send_all(one, rows))
    expect_all("echo", came, rows)
    await send(other, "other")
    expect("the first thing another one hears", await receive(other), "other")
    await leave(one, other)


async def big(url):
    """Messages of 16 MiB, back and to several."""
    rows = [text(16 * MEBIBYTE), binary(16 * MEBIBYTE)]
    alone = await connect(f"{url}/echo")
    for message in rows:
        came, _ = await asyncio.gather(receive(alone), send(alone, message))
        expect("an echo of 16 MiB", came, message)
    clients = [await connect(f"{url}/") for _ in range(3)]
    for message in rows:
        heard = await asyncio.gather(*map(receive, clients), send(clients[0], message))
        for at, came in enumerate(heard[:-1]):
            expect(f"16 MiB to client {at}", came, message)
    await leave(alone, *clients)


async def fragments(url):
    """A message in fragments arrives as one, behind what another says and a ping that is answered meanwhile."""
    one, other = await connect(f"{url}/"), await connect(f"{url}/")

    async def pieces(first, middle, last):
        yield first
        await pong(one, b"in the middle")
        await send(other, "in between")
        expect("meanwhile", await receive(one), "in between")
        yield middle
        yield last

    for row in [("Grü", "", "ße"), (b"\xff", b"", binary(70_000))]:
        whole = row[0] + row[1] + row[2]
        await send(one, pieces(*row))
        expect("who sent the fragments", await receive(one), whole)
        expect_all("the other", await receive_all(other, 2), ["in between", whole])
    await leave(one, other)


async def subprotocols(url):
    """The server speaks chat.v2 and chat.v1, and likes the former better."""
    rows = [
        (["chat.v1", "chat.v2"], "chat.v2"),
        (["chat.v1", "other"], "chat.v1"),
        (["other", "CHAT.V1"], None),
        ([], None),
    ]
    for offered, chosen in rows:
        one = await connect(f"{url}/echo", offered)
        expect(f"the choice from {offered}", one.subprotocol, chosen)
        await send(one, "hello")
        expect(f"with {chosen}", await receive(one), "hello")
        await leave(one)


async def compression(url):
    """Without asking for anything else a client gets permessage-deflate, whatever window it wants from 9 to 15."""
    windows = {None: None, 15: "15", 12: "9", 9: "9"}
    clients = []
    for asked, told in windows.items():
        offer = ClientPerMessageDeflateFactory(server_max_window_bits=asked, client_max_window_bits=True)
        one = await connect(f"{url}/", extensions=[offer])
        agreed = {"permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"}
        agreed |= {f"server_max_window_bits={told}"} if told else set()
        came = one.response.headers.get("Sec-WebSocket-Extensions", "")
        expect(f"what is agreed on with a window of {asked}", set(came.split("; ")), agreed)
        clients.append(one)
    rows = [text(200), text(20_000), binary(20_000), "short", text(500_000), ""]
    for sender in clients:
        for message in rows:
            await send(sender, message)
        for at, each in enumerate(clients):
            expect_all(f"client {at}", await receive_all(each, len(rows)), rows)
    await leave(*clients)


async def no_compression(url):
    """With --no-deflate nothing is agreed on."""
    one = await connect(f"{url}/echo")
    expect("what is agreed on", one.response.headers.get("Sec-WebSocket-Extensions"), None)
    await send(one, text(5_000))
    expect("an echo", await receive(one), text(5_000))
    await leave(one)


async def ping(url):
    """A pong has what its ping had."""
    for path in ["/", "/echo"]:
        one = await connect(url + path)
        for payload in [b"", b"p", bytes(range(125))]:
            await pong(one, payload)
        await send(one, "and messages still come")
        expect("behind the pongs", await receive(one), "and messages still come")
        await leave(one)


async def close(url):
    """A Close is answered with its code and its reason, and then the connection ends."""
    for path in ["/", "/echo"]:
        for code, reason in [(1000, ""), (1000, "bye"), (3000, "r" * 123), (3001, ""), (4999, "Grüße 🎺")]:
            one = await connect(url + path)
            await soon("the end", one.close(code, reason))
            expect_closed(path, one, code, reason)
        one = await connect(url + path)
        await soon("the end", close_without_code(one))
        expect_closed(path, one, 1005, "")


async def too_big(url):
    """The server takes 1,024 bytes. Who sends more is closed with 1009, and nobody hears of it."""
    other = await connect(f"{url}/")
    for message in [text(1025), binary(1025), binary(8 * MEBIBYTE), halves(binary(600))]:
        one = await connect(f"{url}/")
        await send(one, "still fits")
        expect("the one", await receive(one), "still fits")
        try:
            await send(one, message)
        except ConnectionClosed:
            pass  # the server need not read it to its end
        await expect_close("a message that is too big", one, 1009)
        expect("the other", await receive(other), "still fits")
    await send(other, binary(1024))
    expect("the longest message", await receive(other), binary(1024))
    await leave(other)


async def drain(url):
    """The server is asked to stop once this says that it is ready: everybody is closed with 1001."""
    clients = [await connect(url + path) for path in ["/", "/echo", "/"]]
    print("ready", file=sys.stderr, flush=True)
    for each in clients:
        await expect_close("a server that stops", each, 1001)


SCENARIOS = {
    "broadcast": broadcast,
    "no_self": no_self,
    "echo": echo,
    "big": big,
    "fragments": fragments,
    "subprotocols": subprotocols,
    "compression": compression,
    "no_compression": no_compression,
    "ping": ping,
    "close": close,
    "too_big": too_big,
    "drain": drain,
}


# What a client does. Each of these waits for something, which has to come within the scenario's time.


async def soon(what, something):
    left = deadline - asyncio.get_running_loop().time()
    try:
        return await asyncio.wait_for(something, left)
    except asyncio.TimeoutError:
        raise Unexpected(f"expected {what}, came nothing in {LIMIT_SECONDS} s") from None


async def connect(url, subprotocols=(), extensions=None):
    # Nothing comes in between: no proxy; and a connection that the server does not end never ends.
    options = {"max_size": 32 * MEBIBYTE, "proxy": None, "close_timeout": None}
    if extensions:
        options |= {"compression": None, "extensions": extensions}
    if url.startswith("wss:"):
        # Nobody knows the certificate of a trial.
        options["ssl"] = ssl.create_default_context()
        options["ssl"].check_hostname = False
        options["ssl"].verify_mode = ssl.CERT_NONE
    try:
        return await soon("a handshake", client.connect(url, subprotocols=list(subprotocols) or None, **options))
    except (WebSocketException, OSError) as error:
        raise Unexpected(f"expected a handshake, came {error}") from error


async def send(one, message):
    await soon("room for a message", one.send(message))


async def send_all(one, messages):
    for message in messages:
        await send(one, message)


async def receive(one):
    try:
        return await soon("a message", one.recv())
    except ConnectionClosed:
        raise Unexpected(f"expected a message, came the end with {one.close_code}") from None


async def receive_all(one, count):
    return [await receive(one) for _ in range(count)]


async def pong(one, payload):
    """Sends a ping and waits for its pong, which is one with the same payload."""
    await soon(f"the pong for {shown(payload)}", await one.ping(payload))


async def halves(message):
    """Fragments of a message, each of which has it whole."""
    yield message
    yield message


async def close_without_code(one):
    """`close` always sends a code; this is the rest of it."""
    async with one.send_context():
        one.protocol.send_close()


async def leave(*clients):
    for each in clients:
        await soon("the end", each.close())
        expect_closed("who leaves", each, 1000, "")


# What came, beside what was expected.


def expect(what, came, expected):
    if came != expected:
        raise Unexpected(f"{what}: expected {shown(expected)}, came {shown(came)}")


def expect_all(what, came, expected):
    for at, pair in enumerate(zip(came, expected, strict=True)):
        expect(f"{what}, message {at}", *pair)


async def expect_close(what, one, code):
    """Waits until the server closes; nothing but its Close may come. Its reason is its own affair."""
    try:
        came = await soon("a Close", one.recv())
    except ConnectionClosed:
        await soon("the end", one.wait_closed())
        expect_closed(what, one, code, one.close_reason)
    else:
        raise Unexpected(f"{what}: expected a Close with {code}, came {shown(came)}")


def expect_closed(what, one, code, reason):
    """Both have said Close, and this is what the server's said. Without any the code would be 1006."""
    expect(f"{what}: the server's Close", (one.close_code, one.close_reason), (code, reason))
    expect(f"{what}: whether we said Close", one.protocol.close_sent is not None, True)


def shown(value):
    """A value in a line: of a long one its kind, its length and how it begins."""
    if isinstance(value, (str, bytes)) and len(value) > 60:
        kind = "text" if isinstance(value, str) else "binary"
        return f"{kind} of {len(value)}, {value[:40]!r}…"
    return repr(value)


# Messages of a certain length in bytes. No part of them looks like another.


def text(size):
    count = size // len("0000000 Grüße 🎺\n".encode())
    lines = "".join(f"{number:07} Grüße 🎺\n" for number in range(count))
    return lines + FILLER * (size - len(lines.encode()))


def binary(size):
    return random.Random(size).randbytes(size)


async def main(name, url):
    global deadline
    deadline = asyncio.get_running_loop().time() + LIMIT_SECONDS
    try:
        await SCENARIOS[name](url)
    except (Unexpected, ConnectionClosed) as error:
        return f"{name}: {error}"


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
