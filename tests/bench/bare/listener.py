"""A listener of beats as one writes it in an evening: asyncio streams, one read, one answer, and the connection is closed.

It says its port, and listens until it is told to end.
"""

import asyncio
import json
import time

agents = {}


def hear(request):
    """Takes a request, gives status and answer."""
    head, _, body = request.partition("\r\n\r\n")
    method, path, _ = head.split("\r\n", 1)[0].split(" ")
    if method != "POST" or not path.startswith("/heartbeat/"):
        return "404 Not Found", {"error": "no such path"}
    agent = path.split("/")[-1]
    said = json.loads(body) if body else {}
    now = time.time()
    known = agents.setdefault(agent, {"agent_id": agent, "metadata": {}})
    known.update(status="healthy", last_heartbeat=now, last_response=now, consecutive_failures=0)
    known["metadata"].update(said.get("metadata", {}))
    return "200 OK", {"status": "ok", "agent_id": agent, "timestamp": now, "next_heartbeat": 30}


async def serve(reader, writer):
    try:
        request = await reader.read(1024)
        if not request:
            return
        try:
            status, answer = hear(request.decode())
        except ValueError as error:
            status, answer = "400 Bad Request", {"error": str(error)}
        text = json.dumps(answer)
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        writer.write((head + text).encode())
        await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
