"""Plain arrays in one file that is not read but mapped: processes share it, opening costs nothing.

The file is an ordinary .npz (numpy.load reads it) whose members are stored uncompressed and begin
at multiples of 64 bytes.
"""

import mmap
import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 64
_LOCAL_HEADER = 30
_EXTRA_ID = 0x5347


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the arrays; nothing in the file is ever executed when it is read."""
    with path.open("wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as stored:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.extra = _padding(out.tell() + _LOCAL_HEADER + len(member.filename))
            data = BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            stored.writestr(member, data.getbuffer())


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of the file, read-only, mapped where they lie as `write_arrays` puts them.

    Raises OSError or ValueError when the file is something else.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as stored:
            shared = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return {
                member.filename.removesuffix(".npy"): _array(stored, member, shared)
                for member in stored.infolist()
            }
    except (zipfile.BadZipFile, struct.error, EOFError) as e:
        raise ValueError(f"{path.name} holds no arrays: {e}") from e


def _padding(at: int) -> bytes:
    # an extra field has a head of 4 bytes: its id and its length
    size = -(at + 4) % _ALIGNED
    return struct.pack("<HH", _EXTRA_ID, size) + bytes(size)


def _array(stored: zipfile.ZipFile, member: zipfile.ZipInfo, shared: mmap.mmap) -> NDArray[Any]:
    with stored.open(member) as head:
        version = np.lib.format.read_magic(head)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, is_fortran, dtype = read(head)
        header_bytes = head.tell()
    name_size, extra_size = struct.unpack_from("<HH", shared, member.header_offset + 26)
    begin = member.header_offset + _LOCAL_HEADER + name_size + extra_size + header_bytes
    is_plain = member.compress_type == zipfile.ZIP_STORED and not is_fortran
    if dtype.hasobject:
        raise ValueError("objects are not read")
    if not is_plain or begin % _ALIGNED or not np.prod(shape):
        with stored.open(member) as whole:
            return np.lib.format.read_array(BytesIO(whole.read()), allow_pickle=False)
    count = int(np.prod(shape))
    if begin + count * dtype.itemsize > len(shared):
        raise ValueError("the file is cut off")
    return np.frombuffer(shared, dtype=dtype, count=count, offset=begin).reshape(shape)
