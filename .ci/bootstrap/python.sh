#!/bin/sh
# Print the Python that Sigap runs on: $PYTHON, else python3 if new enough, else the newest found.
suits() {
    "$1" -c "import sys; sys.exit(not (3, 11) <= sys.version_info < $2)" 2>/dev/null
}
if [ -n "${PYTHON:-}" ]; then
    suits "$PYTHON" "(4,)" && command -v "$PYTHON" && exit 0
    echo "sigap: PYTHON=$PYTHON is not a Python 3.11 or newer." >&2
    exit 1
fi
# The locked packages have wheels up to 3.14; a newer Python is the last resort.
for below in "(3, 15)" "(4,)"; do
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        suits "$name" "$below" && command -v "$name" && exit 0
    done
done
echo "sigap: needs Python 3.11 or newer and finds none: install it, or name yours with make up PYTHON=/path/to/python3" >&2
exit 1
