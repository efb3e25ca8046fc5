"""How long a request's address and headers may be."""

from flask import request

from api.refusals import AddressTooLong, HeadersTooLarge

MOST_ADDRESS_BYTES = 4 * 1024
MOST_HEADER_BYTES = 8 * 1024


def refuse_oversized() -> None:
    """Refuse what gunicorn let through.

    Raises:
        AddressTooLong: path and query have more than 4 KB.
        HeadersTooLarge: all headers together have more than 8 KB.
    """
    environ = request.environ
    address = environ.get("RAW_URI") or environ["PATH_INFO"] + "?" + environ["QUERY_STRING"]
    if len(address) > MOST_ADDRESS_BYTES:
        raise AddressTooLong(most=MOST_ADDRESS_BYTES)
    size = sum(
        len(name) + len(value) for name, value in environ.items() if name.startswith("HTTP_")
    )
    if size > MOST_HEADER_BYTES:
        raise HeadersTooLarge(most=MOST_HEADER_BYTES)
