"""Bytes of WebSocket connections as `websockets` and `wsproto` write them, without a socket.

usage: websocket.py
Prints a JSON object a line: library, mode, side, the value of Sec-WebSocket-Extensions, the bytes after the handshake in
hex, and the messages in them as [opcode, payload in hex].
"""

import json

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol
from websockets.uri import parse_uri
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

MODES = ("none", "context", "nocontext", "window")
EVENT = json.dumps({"type": "response.output_text.delta", "delta": "tök", "n": list(range(200))})
# Each message is a list of fragments.
TEXTS = [[""], ["a"], ["ä" * 60 + "🌍"], ["x" * 125], ["x" * 126], ["x" * 127], [EVENT], [EVENT], ["Köln ", "", "– three ", "frames"]]
BYTES = [[b""], [b"\x00\xff" * 31], [bytes(range(256)) * 255], [bytes(range(256)) * 256], [b"ab" * 40000, b"c"]]


class Websockets:
    def __init__(self, mode):
        offers, accepts = [], []
        if mode != "none":
            alone, bits = mode == "nocontext", 10 if mode == "window" else None
            offers = [ClientPerMessageDeflateFactory(alone, alone, bits, bits)]
            accepts = [ServerPerMessageDeflateFactory(alone, alone, bits, bits)]
        client = ClientProtocol(parse_uri("ws://localhost/"), extensions=offers)
        server = ServerProtocol(extensions=accepts)
        client.send_request(client.connect())
        server.receive_data(b"".join(client.data_to_send()))
        [request] = server.events_received()
        server.send_response(server.accept(request))
        head = b"".join(server.data_to_send())
        client.receive_data(head)
        self.head, self.ends = head, {"sent": client, "received": server}

    def write(self, side, fragments):
        end, first = self.ends[side], fragments[0]
        last = len(fragments) - 1
        for n, fragment in enumerate(fragments):
            data = fragment.encode() if isinstance(fragment, str) else fragment
            if n > 0:
                end.send_continuation(data, n == last)
            elif isinstance(first, str):
                end.send_text(data, n == last)
            else:
                end.send_binary(data, n == last)
            if n < last:
                end.send_ping(b"between")
        return b"".join(end.data_to_send())

    def close(self, side):
        self.ends[side].send_close(3001, "fragments – done")
        return b"".join(self.ends[side].data_to_send())


class Wsproto:
    def __init__(self, mode):
        client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
        extensions = lambda: [] if mode == "none" else [PerMessageDeflate(
            client_no_context_takeover=mode == "nocontext", server_no_context_takeover=mode == "nocontext",
            client_max_window_bits=10 if mode == "window" else 15, server_max_window_bits=10 if mode == "window" else 15)]
        server.receive_data(client.send(Request(host="localhost", target="/", extensions=extensions())))
        list(server.events())
        self.head = server.send(AcceptConnection(extensions=extensions()))
        client.receive_data(self.head)
        list(client.events())
        self.ends = {"sent": client, "received": server}

    def write(self, side, fragments):
        out, last = b"", len(fragments) - 1
        for n, fragment in enumerate(fragments):
            kind = TextMessage if isinstance(fragment, str) else BytesMessage
            out += self.ends[side].send(kind(data=fragment, message_finished=n == last))
            if n < last:
                out += self.ends[side].send(Ping(payload=b"between"))
        return out

    def close(self, side):
        return self.ends[side].send(CloseConnection(code=3001, reason="fragments – done"))


for library in (Websockets, Wsproto):
    for mode in MODES:
        connection = library(mode)
        lines = connection.head.decode().split("\r\n")
        extensions = [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("sec-websocket-extensions:")]
        for side in ("sent", "received"):
            raw, messages = b"", []
            for fragments in TEXTS + BYTES:
                raw += connection.write(side, fragments)
                messages += [["ping", b"between".hex()]] * (len(fragments) - 1)
                is_text = isinstance(fragments[0], str)
                payload = "".join(fragments).encode() if is_text else b"".join(fragments)
                messages.append(["text" if is_text else "binary", payload.hex()])
            raw += connection.close(side)
            messages.append(["close", (b"\x0b\xb9" + "fragments – done".encode()).hex()])
            print(json.dumps({"library": library.__name__, "mode": mode, "side": side, "extensions": ", ".join(extensions),
                              "bytes": raw.hex(), "messages": messages}))
