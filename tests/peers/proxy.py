"""A proxy for HTTP and SOCKS 5 on one port, with a password: pproxy's.

usage: proxy.py USER:PASSWORD
Prints `listening PORT`, then a line for each way that it opens, and ends when its standard input does.
"""

import asyncio
import sys

import pproxy


async def main():
    server = pproxy.Server("http+socks5://127.0.0.1:0/#" + sys.argv[1])
    options = {
        "rserver": [],
        "verbose": lambda text: print(text, flush=True),
        # It would take whoever was let in once for the same user ever after.
        "authtime": -1,
    }
    listening = await server.start_server(options)
    print("listening", listening.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
