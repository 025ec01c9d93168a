"""A server made with Python's `websockets`, for `fanfare bench`: what it does with a message is said by the path.

    websockets_server.py [CERTIFICATE KEY]

With the two files, in PEM, it speaks TLS. It takes a port that the system picks and says `listening on PORT` on standard error, and nothing else while all is
well. It compresses for those who offer to. ws_server.mjs has the same paths: who changes one changes both.
"""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.server import broadcast, serve

# Who is connected, by path, with a number for each.
connected = {"/broadcast": {}, "/no-self": {}, "/echo": {}, "/wrap": {}}


async def handle(client):
    path = client.request.path
    everybody = connected[path]
    everybody[client] = len(everybody) + 1
    try:
        async for message in client:
            await PATHS[path](client, message, everybody)
    finally:
        del everybody[client]


async def to_everybody(client, message, everybody):
    broadcast(everybody, message)


async def to_the_others(client, message, everybody):
    broadcast([each for each in everybody if each is not client], message)


async def to_its_sender(client, message, everybody):
    await client.send(message)


async def to_everybody_in_json(client, message, everybody):
    broadcast(everybody, json.dumps({"from": everybody[client], "text": message}))


PATHS = {
    "/broadcast": to_everybody,
    "/no-self": to_the_others,
    "/echo": to_its_sender,
    "/wrap": to_everybody_in_json,
}


def tls(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def main():
    context = tls(*sys.argv[1:]) if sys.argv[1:] else None
    async with serve(handle, "127.0.0.1", 0, ssl=context) as server:
        print(f"listening on {server.sockets[0].getsockname()[1]}", file=sys.stderr, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
