"""A client that holds every answer against the application's own documents."""

import json
import re
from typing import Any

from flask.testing import FlaskClient
from schemathesis import Case, openapi
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
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
            rule, _ = asked.match(path, method=method, return_rule=True)
        except HTTPException:
            return answer
        if method != "HEAD" and rule.endpoint not in _UNDOCUMENTED:
            case = self._documented(_BRACKETS.sub(r"{\1}", rule.rule), method.lower())
            if not _conforms(answer, case):
                case.validate_response(answer, checks=_CHECKS)
                raise AssertionError("an answer does not conform, and schemathesis says it does")
        return answer

    def _documented(self, address: str, method: str) -> Case:
        """Any call of an operation, made once: what is held against it are answers."""
        extensions = self.application.extensions
        if _READ not in extensions:
            extensions[_READ] = openapi.from_dict(json.loads(extensions[EXTENSION]())), {}
        documents, cases = extensions[_READ]
        if (address, method) not in cases:
            cases[address, method] = documents[address][method].Case()
        return cases[address, method]


def _conforms(answer: TestResponse, case: Case) -> bool:
    """Whether all checks pass, asked without what `validate_response` prepares for other checks.

    That costs as much as the application needs for an answer, and there are tens of thousands.
    """
    told = Response(
        status_code=answer.status_code,
        headers={name: answer.headers.getlist(name) for name, _ in answer.headers},
        content=answer.get_data(),
        request=None,  # type: ignore[arg-type]  # no check asks what was asked
        elapsed=0.0,
        verify=False,
    )
    try:
        for check in _CHECKS:
            check(None, told, case)  # type: ignore[arg-type]  # nor with which settings
    except (Failure, FailureGroup):
        return False
    return True
