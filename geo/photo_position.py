"""Where and when a photo was taken, as the phone wrote it into the file."""

import io
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import ExifTags, Image, UnidentifiedImageError

from geo.point import BadPoint, Point, suspicion

_GPS = ExifTags.GPS
# What cameras write. PNG is none of it, and its tags can only be read by decoding the pixels.
_PADDING = "\0 "
_CAMERA_FORMATS = ("JPEG", "WEBP", "TIFF")


@dataclass(frozen=True, slots=True)
class PhotoPosition:
    """The position in a photo's EXIF data.

    `accuracy_m` is the phone's own horizontal error (tag 31), None when it gave none; `fix_time`
    is the satellites' time in UTC, or else the camera's clock when it names its offset. All are
    claims of the sender's device, easily forged.
    """

    point: Point
    accuracy_m: float | None
    fix_time: datetime | None


def read_position(data: bytes) -> PhotoPosition | None:
    """The position in the image file `data`; None when there is none or it is no place (0, 0).

    Only the file's header is read, no pixel is decoded. What is not an image has no position.
    """
    tags, camera = _tags(data)
    lat = _angle(tags.get(_GPS.GPSLatitude), tags.get(_GPS.GPSLatitudeRef), negative="S")
    lon = _angle(tags.get(_GPS.GPSLongitude), tags.get(_GPS.GPSLongitudeRef), negative="W")
    if lat is None or lon is None:
        return None
    try:
        point = Point(lon, lat)
    except BadPoint:
        return None
    if suspicion(point):
        return None
    accuracy = _number(tags.get(_GPS.GPSHPositioningError))
    return PhotoPosition(
        point,
        accuracy if accuracy is not None and accuracy > 0 else None,
        _moment(tags.get(_GPS.GPSDateStamp), tags.get(_GPS.GPSTimeStamp)) or _clock(camera),
    )


def _tags(data: bytes) -> tuple[Mapping[int, Any], Mapping[int, Any]]:
    """The tags of the satellites and those of the camera."""
    try:
        with Image.open(io.BytesIO(data), formats=_CAMERA_FORMATS) as image:
            exif = image.getexif()
            return exif.get_ifd(ExifTags.IFD.GPSInfo), exif.get_ifd(ExifTags.IFD.Exif)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
        struct.error,
    ):
        # Pillow's ways of saying that the file or its EXIF block is broken: no position.
        return {}, {}


def _angle(parts: Any, side: Any, *, negative: str) -> float | None:
    """Degrees from (degrees, minutes, seconds); without its hemisphere letter it is nothing."""
    if not isinstance(parts, tuple) or len(parts) != 3 or not isinstance(side, str):
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers) or not side.strip("\0 "):
        return None
    degrees, minutes, seconds = (number or 0.0 for number in numbers)
    size = degrees + minutes / 60 + seconds / 3600
    return -size if side.strip("\0 ").upper().startswith(negative) else size


def _number(value: Any) -> float | None:
    """A finite number; None for what is missing and for the 0/0 that phones write for unknown."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _clock(camera: Mapping[int, Any]) -> datetime | None:
    """When the picture was taken by the camera's clock; without its offset it is nothing."""
    taken = camera.get(ExifTags.Base.DateTimeOriginal)
    offset = camera.get(ExifTags.Base.OffsetTimeOriginal)
    if not isinstance(taken, str) or not isinstance(offset, str):
        return None
    written = f"{taken.strip(_PADDING)} {offset.strip(_PADDING)}"
    try:
        return datetime.strptime(written, "%Y:%m:%d %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(date: Any, time: Any) -> datetime | None:
    if not isinstance(date, str) or not isinstance(time, tuple) or len(time) != 3:
        return None
    hours, minutes, seconds = (_number(part) for part in time)
    if hours is None or minutes is None or seconds is None:
        return None
    try:
        day = datetime.strptime(date.strip("\0 ").replace("-", ":"), "%Y:%m:%d").replace(tzinfo=UTC)
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        return None
