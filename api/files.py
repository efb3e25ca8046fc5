"""Answering with a file that was written whole, in bounded memory.

All of it is written before the first byte is sent, to memory while it is small and else to a
temporary file that is gone when it was sent. So what is written may come straight from an open
transaction, which is over before a slow reader begins; the answer has a length; and what breaks at
the last line is a problem, and no half of a file that looks like a whole one.
"""

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO

from flask import Request, Response
from werkzeug.wsgi import wrap_file

_IN_MEMORY = 1 << 20


def file_answer(
    write: Callable[[IO[bytes]], None], *, content_type: str, sent: Request
) -> Response:
    """Have a file written, and answer with it."""
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed when it has been sent
    try:
        write(file)
        size = file.tell()
        file.seek(0)
        response = _response(file, size, sent)
    except BaseException:
        file.close()
        raise
    response.content_type = content_type
    return response


def name_file(response: Response, name: str) -> None:
    """Say under which name to keep the file: plain ASCII, without quotes."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'


def _response(file: IO[bytes], size: int, sent: Request) -> Response:
    if size <= _IN_MEMORY:
        with file:
            return Response(file.read())
    response = Response(wrap_file(sent.environ, file), direct_passthrough=True)
    response.content_length = size
    return response
