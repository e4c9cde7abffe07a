"""Why a city could not be added or opened, each in one sentence that says what to do."""


class BundleError(Exception):
    """A city bundle cannot be built or opened; the message is meant for the person who asked."""

    code = "bundle"


class BadCityId(BundleError):
    """The short name of the city cannot be the name of a folder and of an address."""

    code = "bad_city_id"


class ExtractMissing(BundleError):
    """There is no such file."""

    code = "extract_missing"


class BadExtract(BundleError):
    """The file is no OpenStreetMap extract, or not a whole one."""

    code = "bad_extract"


class TooLarge(BundleError):
    """The map is larger than any city's, or takes more memory than it may."""

    code = "too_large"


class NoRoads(BundleError):
    """The extract holds no road that a vehicle may drive."""

    code = "no_roads"


class BadWards(BundleError):
    """The file of wards cannot be used, or lies somewhere else than the roads."""

    code = "bad_wards"


class PlaceNotFound(BundleError):
    """The map knows no area of that name."""

    code = "place_not_found"


class MapServerUnreachable(BundleError):
    """The map cannot be downloaded: no network, or the server refuses."""

    code = "map_server_unreachable"


class NoDiskSpace(BundleError):
    """The disk is full, or would be."""

    code = "no_disk_space"


class NotWritable(BundleError):
    """The folder of the cities cannot be written."""

    code = "not_writable"


class BundleBusy(BundleError):
    """The same city is being built by another process."""

    code = "bundle_busy"


class BundleMissing(BundleError):
    """There is no such city yet."""

    code = "bundle_missing"


class BundleDamaged(BundleError):
    """Files of the bundle are missing, changed or not of this version."""

    code = "bundle_damaged"
