"""A text as the picture of its QR, for whoever scans it."""

from typing import Any, Literal

from flask import Response
from marshmallow import fields, validate

from api.fields import Schema
from redemption import picture

PRODUCED = ("image/svg+xml", "image/png", "text/plain")

_DRAWN = {"svg": (picture.svg, "image/svg+xml"), "png": (picture.png, "image/png")}


class CodeQuery(Schema):
    """How a code is shown."""

    format = fields.String(
        load_default="svg",
        validate=validate.OneOf(["svg", "png", "text"]),
        metadata={"description": "A picture, or the text of it."},
    )


def shown_code(code: str, query: dict[str, Any]) -> Response:
    """Answer a code as it was asked for."""
    shape: Literal["svg", "png", "text"] = query["format"]
    if shape == "text":
        return Response(code, content_type="text/plain; charset=us-ascii")
    draw, kind = _DRAWN[shape]
    return Response(draw(code), content_type=kind)
