"""Python's http.server, as many a mock of an API is built on it.

usage: plain.py PROTOCOL, where PROTOCOL is HTTP/1.0 or HTTP/1.1
Prints `listening PORT`, and ends when its standard input does. What it answers is in the path:

/length   a body whose length is given
/close    one that ends with the connection
/chunked  one in chunks, each written by itself
/echo     what was sent
/reset/N  N bytes of the body of /length, then the connection is torn down
"""

import http.server
import socket
import struct
import sys
import threading

BODY = b'{"object": "list", "data": [1.0, "\\u00fc", "\xc3\xbc"]}\n'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = sys.argv[1]

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, sent):
        what, *rest = self.path.strip("/").split("/")
        getattr(self, "answer_" + what)(sent, *rest)

    def head(self, *fields):
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), *fields):
            self.send_header(name, value)
        self.end_headers()

    def answer_length(self, _):
        self.head(("Content-Length", len(BODY)))
        self.wfile.write(BODY)

    def answer_close(self, _):
        self.head(("Connection", "close"))
        self.wfile.write(BODY)
        self.close_connection = True

    def answer_chunked(self, _):
        self.head(("Transfer-Encoding", "chunked"))
        for byte in BODY:
            self.wfile.write(b"1\r\n%c\r\n" % byte)
        self.wfile.write(b"0\r\n\r\n")

    def answer_echo(self, sent):
        self.head(("Content-Length", len(sent)))
        self.wfile.write(sent)

    def answer_reset(self, _, length):
        if int(length) > 0:
            self.head(("Content-Length", len(BODY)))
            self.wfile.write(BODY[: int(length)])
        # Linger for no time at all: closing then resets (SO_LINGER, RFC 9293 3.10.4).
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    def shutdown_request(self, request):
        # As it is: a shutdown would say goodbye first, even where there is to be none.
        self.close_request(request)

    def server_bind(self):
        # The one it inherits asks the resolver for the machine's name.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening", server.server_port, flush=True)
sys.stdin.read()
