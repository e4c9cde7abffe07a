"""Brings closures and speeds into an OSRM server: `python -m geo.osrm_take FILES.osrm SPEEDS`.

The same as `sigap osrm take`, without waiting for all of Sigap to be imported: a closed road is
told to crews only when this has ended.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from geo.osrm_tools import OsrmTools, OsrmToolsError


def main(words: list[str] | None = None) -> int:
    """Returns 0 when the server has the speeds, 1 with a sentence when it has not."""
    parser = argparse.ArgumentParser(prog="python -m geo.osrm_take", description=__doc__)
    parser.add_argument("files", type=Path, help="the server's files, ….osrm")
    parser.add_argument("speeds", type=Path, help="the segment-speed file Sigap wrote")
    parser.add_argument("--dataset", help="the server's shared memory (--dataset-name)")
    given = parser.parse_args(words)
    tools = OsrmTools.find()
    try:
        if tools is None:
            raise OsrmToolsError("OSRM's programs are not here: set SIGAP_OSRM_BIN.")
        tools.customize(given.files, given.speeds)
        if given.dataset:
            tools.publish(given.files, given.dataset)
    except OsrmToolsError as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
