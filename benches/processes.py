"""Runs one command, and says how long it took, what it used, and when what it printed came."""

import os
import re
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass

EVENT = re.compile(rb'data: \{"n":\d+,"sent":(\d+)\}\n\n')


@dataclass
class Run:
    """One run of one command."""

    seconds: float
    cpu: float
    # Peak resident set in KiB, where it was asked for.
    peak: int = 0


class Failed(Exception):
    """A command that did not do what it was there to do."""


def timed(command, environment, out="/dev/null"):
    """The whole process, from before it is started until it is gone."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
    ]
    begun = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment, file_actions=actions)
    _, status, used = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    if status != 0:
        raise Failed(f"{' '.join(command)}: status {status}")
    return Run(seconds, used.ru_utime + used.ru_stime)


def weighed(command, environment, folder, out="/dev/null"):
    """The same with its peak memory. GNU time starts the command: a child of this process would begin
    with this process's own peak."""
    note = folder / "peak"
    run = timed(["/usr/bin/time", "-f", "%M", "-o", str(note), *command], environment, out)
    run.peak = int(note.read_text().split()[-1])
    return run


def touch_memory(folder, size):
    """Takes memory and gives it back: in a virtual machine the host may have to supply it first, at a
    cost that would slow the program that writes first, or most."""
    path = folder / "touched"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    path.unlink()


def delays(command, environment):
    """How long after its sending each event of the slow stream left the command, in milliseconds."""
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, bufsize=0,
    )
    output = process.stdout.fileno()
    found = arrivals(lambda: os.read(output, 65536))
    if process.wait() != 0:
        raise Failed(f"{' '.join(command)}: status {process.returncode}")
    return found


def direct_delays(port, authority):
    """The same, read straight from the socket: what no client can better in this set-up."""
    context = ssl.create_default_context(cafile=authority)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        with context.wrap_socket(connection, server_hostname="localhost") as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return arrivals(lambda: stream.recv(65536))


def arrivals(read):
    """Reads to the end; the delay of each event, in milliseconds, in order."""
    waiting, found = b"", []
    while piece := read():
        now = time.monotonic_ns()
        waiting += piece
        end = 0
        for event in EVENT.finditer(waiting):
            found.append((now - int(event[1])) / 1e6)
            end = event.end()
        waiting = waiting[end:]
    return found
