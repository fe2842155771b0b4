"""An event stream over TLS whose every event says when it was sent, by the clock that all processes of
a machine share. Usage: slow.py FOLDER PORT PIECES GAP"""

import gc
import socket
import ssl
import sys
import time

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Connection: close\r\n\r\n"
)


def serve(stream, pieces, gap):
    """Answers one request."""
    asked = b""
    while b"\r\n\r\n" not in asked:
        more = stream.recv(65536)
        if not more:
            return
        asked += more
    stream.sendall(HEAD)
    begun = time.monotonic()
    for number in range(pieces):
        time.sleep(max(0.0, begun + (number + 1) * gap - time.monotonic()))
        event = b'data: {"n":%d,"sent":%d}\n\n' % (number, time.monotonic_ns())
        stream.sendall(b"%x\r\n%s\r\n" % (len(event), event))
    stream.sendall(b"0\r\n\r\n")
    stream.unwrap()


def main():
    folder, port, pieces, gap = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    context.num_tickets = 0
    gc.disable()
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                with context.wrap_socket(connection, server_side=True) as stream:
                    serve(stream, int(pieces), float(gap))
            except OSError:
                # A probe that only connects, or a client that has seen enough.
                pass


main()
