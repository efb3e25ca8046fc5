"""A client that holds every answer against the application's own documents."""

import json
import re
from typing import Any

from flask.testing import FlaskClient
from schemathesis import openapi
from schemathesis.specs.openapi import checks
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from api.openapi import EXTENSION

_BRACKETS = re.compile(r"<(?:[^:>]+:)?(\w+)>")
_CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
_UNDOCUMENTED = {
    "docs.page",
    "docs.static",
    "gift_pages.page",
    "invitation_pages.page",
    "plan_pages.page",
    "disowned_pages.ask",
    "disowned_pages.disown",
}
_READ = "tests.documents"


class ConformingClient(FlaskClient):
    """Fails a test whose answer has a status, content type or schema that is not documented."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Ask as usual; what no route answered has no description to be held against."""
        answer = super().open(*args, **kwargs)
        asked = self.application.url_map.bind("localhost")
        path, method = answer.request.path, answer.request.method
        try:
            rule, ids = asked.match(path, method=method, return_rule=True)
        except HTTPException:
            return answer
        if method != "HEAD" and rule.endpoint not in _UNDOCUMENTED:
            address = _BRACKETS.sub(r"{\1}", rule.rule)
            operation = self._documents()[address][method.lower()]
            operation.Case(path_parameters=ids).validate_response(answer, checks=_CHECKS)
        return answer

    def _documents(self) -> Any:
        extensions = self.application.extensions
        if _READ not in extensions:
            extensions[_READ] = openapi.from_dict(json.loads(extensions[EXTENSION]()))
        return extensions[_READ]
