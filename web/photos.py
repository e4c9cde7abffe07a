"""Checks a photo somebody sent, and makes from it the two pictures that are kept."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from dispatch.core.errors import Invalid
from geo.photo_position import PhotoPosition, read_position

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""A JPEG this large is decoded at a fraction of its size; other types must fit `MAX_PLAIN`."""
MAX_PLAIN = 25_000_000
FULL_SIDE = 2048
THUMB_SIDE = 480
_MIN_SIDE = 8
# The several pictures of an MPO file (many phones) open as JPEG.
_TYPES = ("JPEG", "PNG", "WEBP", "GIF")

# Two pictures at once are enough: decoding is memory, and reports matter more than thumbnails.
_DECODING = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Picture:
    """Two JPEGs without any metadata; `width` and `height` are those of `full`, in pixels.

    `position` is what the sender's device wrote into the file, read before it was stripped.
    """

    full: bytes
    thumb: bytes
    width: int
    height: int
    position: PhotoPosition | None


def read_picture(data: bytes) -> Picture:
    """Check the file by its content and re-encode it upright, small and without metadata.

    Raises Invalid (field `photo`, and `problem`: empty, too_large, not_a_picture, too_many_pixels,
    too_small, broken) with a sentence that says what to do.
    """
    if not data:
        raise _invalid("empty", "The photo is empty. Choose it again.")
    if len(data) > MAX_BYTES:
        raise _invalid("too_large", "The photo is larger than 10 MB. Send a smaller one.")
    with _DECODING:
        image = _decode(data)
        full = _fit(image, FULL_SIDE)
        thumb = _fit(image, THUMB_SIDE)
        return Picture(
            full=_jpeg(full, quality=84),
            thumb=_jpeg(thumb, quality=78),
            width=full.width,
            height=full.height,
            position=read_position(data),
        )


def _decode(data: bytes) -> Image.Image:
    """The first frame, upright, in sRGB. Only the header is read before the limits are checked."""
    try:
        image = Image.open(io.BytesIO(data), formats=_TYPES)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _bomb() from None
    except (OSError, SyntaxError, ValueError):
        raise _invalid(
            "not_a_picture", "This file is not a JPEG, PNG or WebP picture. Send a photo."
        ) from None
    width, height = image.size
    jpeg = image.format in ("JPEG", "MPO")
    if width * height > (MAX_PIXELS if jpeg else MAX_PLAIN):
        raise _bomb()
    if min(width, height) < _MIN_SIDE:
        raise _invalid("too_small", "The picture is too small to show anything. Send a photo.")
    try:
        if jpeg:
            # libjpeg decodes at 1/2, 1/4 or 1/8 without ever holding the whole picture.
            image.draft("RGB", (FULL_SIDE, FULL_SIDE))
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError):
        raise _invalid("broken", "The photo arrived damaged. Send it again.") from None
    return _plain(ImageOps.exif_transpose(image))


def _plain(image: Image.Image) -> Image.Image:
    """Three 8-bit sRGB channels; what is transparent becomes white."""
    profile = image.info.get("icc_profile")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    if profile and image.mode in ("RGB", "CMYK"):
        converted = _to_srgb(image, profile)
        if converted is not None:
            return converted
    return image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The same colours in sRGB, or None when the profile is one nobody understands."""
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A broken profile only shifts colours a little; the picture is still the evidence.
        return None


def _fit(image: Image.Image, side: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return small


def _jpeg(image: Image.Image, *, quality: int) -> bytes:
    # A fresh picture of the pixels alone: nothing of the sender's file travels along.
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _bomb() -> Invalid:
    return _invalid("too_many_pixels", "The picture has too many pixels. Send a smaller one.")


def _invalid(problem: str, detail: str) -> Invalid:
    return Invalid(detail, field="photo", problem=problem)
