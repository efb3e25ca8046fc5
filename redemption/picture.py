"""A code as a picture. Never on the hot path: drawing takes milliseconds."""

from io import BytesIO

import segno


def svg(code: str) -> bytes:
    """Draw a code as SVG, error correction M."""
    return _drawn(code, "svg")


def png(code: str) -> bytes:
    """Draw a code as PNG, error correction M."""
    return _drawn(code, "png")


def _drawn(code: str, kind: str) -> bytes:
    picture = BytesIO()
    segno.make(code, error="m", micro=False).save(picture, kind=kind, scale=8, border=4)
    return picture.getvalue()
