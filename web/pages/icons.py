"""The pictures of the citizen pages: 24×24 strokes, one shape per meaning."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

PATHS: Mapping[str, str] = {
    # what services show, by the `icon` of the policy
    "tree": "M12 2.5l5 7h-3l4.5 7h-13l4.5-7H7zM12 16.5v5",
    "flood": "M4 13v-2l8-7 8 7v2M2.5 17.5c2 0 2-1.5 4.75-1.5s2.75 1.5 4.75 1.5 2-1.5 "
    "4.75-1.5 2.75 1.5 4.75 1.5M2.5 21.5c2 0 2-1.5 4.75-1.5s2.75 1.5 4.75 "
    "1.5 2-1.5 4.75-1.5 2.75 1.5 4.75 1.5",
    "bridge": "M2.5 9h19M2.5 13h6l1.5 3M21.5 13h-6l-1.5 3M5.5 9v4M18.5 9v4M5.5 13v7M18.5 13v7M12 "
    "3v3M12 19v2.5",
    "traffic_light": "M8 2.5h8v17H8zM12 19.5v2.5M12 5.2v.1M12 11v.1M12 16.8v.1M16 7h3M16 "
    "12.5h3M8 7H5M8 12.5H5",
    "street_light": "M7 21.5V8a5 5 0 0 1 5-5h2M14 2.5h4.5L21 7h-8.5zM4.5 21.5h5M14 "
    "10.5l-1 2M17 10.5v2.5M20 10.5l1 2",
    "pothole": "M6 21.5L8.5 3M18 21.5L15.5 3M12 3v3.5M8.5 14.5l1.5-1.7 2 .7 "
    "2-1 1.5 2-1 1.8-2.5.7-2.5-.5z",
    "drain": "M3.5 6h17v12h-17zM7.5 9.5v5M12 9.5v5M16.5 9.5v5",
    "water": "M12 2.8s6.5 7 6.5 11.7a6.5 6.5 0 0 1-13 0C5.5 9.8 12 2.8 12 2.8zM9 15a3 3 0 0 0 3 3",
    "waste": "M4.5 7h15M9.5 7V3.5h5V7M6.5 7l1 14h9l1-14M10 11v6M14 11v6",
    "order": "M4 10v4h3l7 4.5v-13L7 10zM17.5 9.5a4 4 0 0 1 0 5M20 7a8 8 0 0 1 0 10",
    "parking": "M5 3h14v18H5zM10 17V7.5h2.75a3 3 0 0 1 0 6H10",
    "billboard": "M3 4h18v10H3zM8 14v7.5M16 14v7.5M7 8h10M7 10.8h6",
    "wifi": "M2.5 9.5a14 14 0 0 1 19 0M5.8 13a9 9 0 0 1 12.4 0M9 16.5a4.5 4.5 0 0 1 6 0M12 20v.1",
    "other": "M4 5h16v11.5H10.5l-5 4v-4H4zM8.5 10.7v.1M12 10.7v.1M15.5 10.7v.1",
    # what people do
    "alert": "M12 3.5 22 20.5H2zM12 10v4.5M12 17.5v.1",
    "camera": "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
    "check": "M4 12.5l5.5 5.5L20 6.5",
    "check_circle": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12.3l2.8 2.8L16 9.5",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5.5l3.5 2",
    "close": "M5 5l14 14M19 5L5 19",
    "copy": "M9 9h11v11H9zM15 9V4H4v11h5",
    "crew": "M2.5 16V7h11v9M13.5 10h4.5l3.5 3.5V16M2.5 16H5M9 16h6M19 16h2.5M7 14a2.2 "
    "2.2 0 1 0 0 4.4A2.2 2.2 0 0 0 7 14zM17 14a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 "
    "0-4.4z",
    "eye_off": "M3 3l18 18M10 6.2A9.5 9.5 0 0 1 12 6c6 0 9.5 6 9.5 6a16 16 0 0 1-3 "
    "3.5M6.5 7.7A15 15 0 0 0 2.5 12S6 18 12 18a9.5 9.5 0 0 0 4-.9",
    "here": "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM12 2v4M12 18v4M2 12h4M18 12h4",
    "info": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.5v.1",
    "link": "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 "
    "0 5.7 5.7L12 17",
    "lock": "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "map": "M3 6l6-2.5 6 2.5 6-2.5V18l-6 2.5-6-2.5-6 2.5zM9 3.5V18M15 6v14.5",
    "moon": "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
    "phone": "M5 3.5h4l1.5 5-2.3 1.7a12 12 0 0 0 5.6 5.6L15.5 13.5l5 1.5v4a2 2 0 0 1-2.2 "
    "2A16.5 16.5 0 0 1 3 5.7 2 2 0 0 1 5 3.5z",
    "pin": "M12 2.5a7 7 0 0 0-7 7c0 5 7 12 7 12s7-7 7-12a7 7 0 0 0-7-7zM12 7a2.5 2.5 0 1 0 0 5 "
    "2.5 2.5 0 0 0 0-5z",
    "right": "M9 5l7 7-7 7",
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L21 21",
    "send": "M21 3L10 14M21 3l-7 18-4-7-7-4z",
    "share": "M12 15V3.5M8 7l4-4 4 4M6 11H4.5v9.5h15V11H18",
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 "
    "5l1.7 1.7M17.3 17.3L19 19M5 19l1.7-1.7M17.3 6.7L19 5",
    "reopen": "M4 5v5h5M4.5 10A8 8 0 1 1 4 13.5",
}


def icon(name: str, size: int = 20) -> Markup:
    """The picture as inline SVG, decorative: the words beside it say what it means.

    An icon of a city's own policy that nobody drew shows as `other`.
    """
    path = PATHS.get(name, PATHS["other"])
    return Markup(
        '<svg class="icon" width="{0}" height="{0}" viewBox="0 0 24 24" fill="none" '
        'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" '
        'aria-hidden="true" focusable="false"><path d="{1}"/></svg>'
    ).format(size, path)
