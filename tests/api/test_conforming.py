"""Every answer is held against the documents: one that is spoilt fails its test."""

import pytest
from schemathesis.core.failures import Failure

from tests.api.conforming import ConformingClient
from tests.world import bearer


@pytest.fixture
def spoilt(http_application, app, monkeypatch):
    """A client whose next answers are spoilt on their way."""

    def spoilt(spoil):
        class Spoiling(ConformingClient):
            def run_wsgi_app(self, environ, buffered=False):
                body, status, headers = super().run_wsgi_app(environ, buffered)
                return spoil(b"".join(body), status, headers)

        return Spoiling(http_application, http_application.response_class)

    return spoilt


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body, _, headers: ([body], "418 Teapot", headers), id="status"),
        pytest.param(lambda _, status, headers: ([b'{"no": 1}'], status, headers), id="fields"),
        pytest.param(lambda _, status, headers: ([b"{"], status, headers), id="no JSON"),
        pytest.param(
            lambda body, status, headers: (
                headers.set("Content-Type", "text/plain") or [body],
                status,
                headers,
            ),
            id="kind",
        ),
    ],
)
def test_an_answer_that_is_not_as_documented_fails_its_test(spoilt, spoil):
    with pytest.RaisesGroup(Failure, flatten_subgroups=True, allow_unwrapped=True):
        spoilt(spoil).get("/v1/wallet", headers=bearer("mem_" + "A" * 43))


def test_an_answer_that_is_left_as_it_is_passes(spoilt):
    answer = spoilt(lambda body, status, headers: ([body], status, headers)).get(
        "/v1/wallet", headers=bearer("mem_" + "A" * 43)
    )
    assert answer.status_code == 401
