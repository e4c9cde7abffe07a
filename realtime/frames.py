"""A text message as a WebSocket frame: a server's frames are the same for every client."""

from __future__ import annotations

import struct

_FINAL_TEXT = 0x81


def text_frame(text: str) -> bytes:
    """One unmasked, unfragmented text frame (RFC 6455, 5.2)."""
    data = text.encode()
    length = len(data)
    if length < 126:
        return bytes((_FINAL_TEXT, length)) + data
    if length < 1 << 16:
        return struct.pack("!BBH", _FINAL_TEXT, 126, length) + data
    return struct.pack("!BBQ", _FINAL_TEXT, 127, length) + data


class Packet:
    """One message or many: text, and its frames, made once however many listen."""

    __slots__ = ("_frames", "texts")

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.texts = texts
        self._frames: bytes | None = None

    @property
    def frames(self) -> bytes:
        """The texts as WebSocket frames, one after the other."""
        if self._frames is None:
            self._frames = b"".join(map(text_frame, self.texts))
        return self._frames
