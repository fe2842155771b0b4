"""The servers of the benchmarks: nginx for one small answer and one big file, and a slow event stream.
All of them on loopback, over TLS, with a certificate made for the run."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    sendfile off;
    output_buffers 2 128k;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_protocols TLSv1.3;
        ssl_session_cache off;
        ssl_session_tickets off;
        ssl_buffer_size 16k;
        location = /small {{
            default_type application/json;
            return 200 '{answer}';
        }}
        location /big/ {{
            alias {folder}/big/;
            types {{ }}
            default_type text/event-stream;
        }}
    }}
}}
"""

ANSWER = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini",'
    '"choices":[{"index":0,"message":{"role":"assistant","content":"Hello, wire."},'
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}'
)


def make_certificates(folder):
    """An authority in ca.pem, and what it signed for localhost in server.pem and server.key."""

    def openssl(*arguments):
        subprocess.run(
            ["openssl", *arguments], cwd=folder, check=True, stderr=subprocess.DEVNULL
        )

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=wire benchmarks")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
    )
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "names")


def free_port():
    """A port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    """Returns once something listens on `port`."""
    for _ in range(200):
        if process.poll() is not None:
            sys.exit("a server of the benchmarks did not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit("a server of the benchmarks does not listen")


@contextmanager
def running(arguments, port, stop=signal.SIGTERM):
    """A server for as long as the block runs."""
    process = subprocess.Popen(arguments)
    try:
        wait_for(port, process)
        yield f"https://localhost:{port}"
    finally:
        process.send_signal(stop)
        process.wait()


def nginx(folder):
    """Answers /small at once, and serves what lies in `folder`/big under /big/."""
    port = free_port()
    (folder / "big").mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, answer=ANSWER))
    # As root it would give its worker to a user who may not read the folder.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    return running(["nginx", "-p", str(folder), "-c", str(config), *user], port)


def slow(folder, pieces, gap):
    """Streams `pieces` events, one every `gap` seconds, to each client."""
    port = free_port()
    program = [sys.executable, str(HERE / "slow.py"), str(folder), str(port), str(pieces), str(gap)]
    return running(program, port)
