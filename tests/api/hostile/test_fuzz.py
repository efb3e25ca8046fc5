"""Every route against its own description, with data made from it: right, and wrong on purpose.

Whatever comes in, the answer is one that the documents name: status, content type, headers and
schema; never a 5xx; and what the documents forbid is refused. It is looked for by `make faults`,
with the same data at each run.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.api.hostile.targets import TARGETS
from tests.examples import examples

pytestmark = pytest.mark.faults

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
BUDGET = settings(
    max_examples=examples(3),
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def described(http_application):
    """The application's own document."""
    return openapi.from_wsgi("/openapi.json", http_application)


@pytest.fixture
def same_time(cast):
    """The sandbox's clock, put back afterwards: it is one of the routes that moves it."""
    clock_file = Path(os.environ["CLOCK_FILE"])
    before = clock_file.read_text(encoding="ascii")
    yield
    clock_file.write_text(before, encoding="ascii")


@pytest.mark.usefixtures("same_time")
@pytest.mark.parametrize("target", TARGETS, ids=[target.label for target in TARGETS])
def test_every_answer_is_one_that_is_documented(described, cast, target):
    path, method = target.described, target.route.method.lower()
    operation = described[path][method]
    real = {name: cast.ids[name] for name in target.route.path_names}
    made = [operation.as_strategy(mode) for mode in GenerationMode]
    if real:
        made += [operation.as_strategy(mode, path_parameters=real) for mode in GenerationMode]
    owner = cast.owners(cast.kind(target.route.guard))  # afresh, since it may sign out

    @BUDGET
    @given(case=st.one_of(made))
    def attack(case):
        answer = case.call(headers=owner)
        case.validate_response(answer, checks=CHECKS)

    attack()
