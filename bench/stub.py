"""A bare provider that pays every intent, in its own process: `python -m bench.stub LATENCY_MS`.

Prints its port. Answers what `Stripe-Version` clients read of a payment intent, and nothing else;
`GET /times` tells when each charge came, in seconds.
"""

import asyncio
import json
import sys
import time
import urllib.parse

_INTENT = {
    "object": "payment_intent",
    "status": "succeeded",
    "client_secret": None,
    "last_payment_error": None,
    "payment_method": None,
}
_times: list[float] = []


def _intent(body: bytes) -> dict[str, object]:
    asked = dict(urllib.parse.parse_qsl(body.decode()))
    payment_id = asked["metadata[payment_id]"]
    return {
        **_INTENT,
        "id": f"pi_{payment_id}",
        "amount": int(asked["amount"]),
        "currency": asked["currency"],
        "metadata": {"payment_id": payment_id},
    }


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency_s: float
) -> None:
    while head := await _head(reader):
        length = next(
            (int(line[15:]) for line in head if line.lower().startswith(b"content-length:")), 0
        )
        body = await reader.readexactly(length)
        if head[0].startswith(b"GET"):
            answer = json.dumps(_times).encode()
        else:
            _times.append(time.time())
            await asyncio.sleep(latency_s)
            answer = json.dumps(_intent(body)).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(answer), answer)
        )
        await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> list[bytes]:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return []


async def main(latency_s: float) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(
        lambda reader, writer: _serve(reader, writer, latency_s), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) / 1000))
