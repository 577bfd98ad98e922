"""A picture as PNG, through cairosvg: a small library that draws on this machine."""

from __future__ import annotations

from typing import cast

from graphkit.errors import InvalidConfigError


def png(picture: str, scale: float) -> bytes:
    """Return an SVG picture as PNG.

    Args:
        picture: The source.
        scale: Pixels of the PNG for each pixel of the SVG.

    Raises:
        InvalidConfigError: cairosvg, or the library cairo it draws with, is not installed.
    """
    try:
        from cairosvg import svg2png  # noqa: PLC0415 - optional
    except (ImportError, OSError) as error:
        raise InvalidConfigError(
            f"A PNG needs the package cairosvg and the library cairo: {error}.",
            hint="pip install cairosvg; the library is called libcairo2 on Debian, cairo elsewhere. draw_svg() needs nothing.",
        ) from error
    return cast("bytes", svg2png(bytestring=picture.encode(), scale=scale))
