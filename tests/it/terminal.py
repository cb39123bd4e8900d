"""Sits at a terminal: plays a dialogue with a program.

usage: terminal.py PROGRAM ARGUMENT...

Standard input has the dialogue as JSON: a list of [text to wait for, keys to send then]. Standard output gets what the
terminal showed, without the codes for colours and movements. The exit code is the program's, or 99 if a text did not come.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 60.0
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


def main():
    steps = json.load(sys.stdin)
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 110, 0, 0))
    shown = b""
    read_to = 0
    deadline = time.monotonic() + PATIENCE

    def plain():
        return CODES.sub("", shown.decode("utf-8", "replace"))

    def end(code):
        sys.stdout.write(plain())
        sys.stdout.flush()
        sys.exit(code)

    for awaited, keys in steps + [[None, ""]]:
        while awaited is None or awaited not in plain()[read_to:]:
            ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
            try:
                more = os.read(terminal, 65536) if ready else b""
            except OSError:
                more = b""
            if not more:
                _, status = os.waitpid(process, 0 if ready else os.WNOHANG)
                finished = ready and awaited is None
                if not finished:
                    sys.stderr.write(f"it did not come: {awaited!r}\n")
                end(os.waitstatus_to_exitcode(status) if finished else 99)
            shown += more
        if awaited is not None:
            read_to = plain().index(awaited, read_to) + len(awaited)
            os.write(terminal, keys.encode())


main()
