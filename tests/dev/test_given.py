"""What `make up` says about an environment that cannot work: everything, at once."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.given import FIRST_PORT, given
from kernel.embedded import CannotStart

_LOWEST = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_NOBODY = 65534
NOWHERE = "127.0.0.1:1"  # refuses at once: nobody may listen on port 1 but root


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        yield stranger.getsockname()[1]


def _sentences(environment: dict[str, str]) -> list[str]:
    """What is said about an environment, a line for each thing."""
    with pytest.raises(CannotStart) as caught:
        given(environment)
    heading, *sentences = str(caught.value).splitlines()
    assert heading == "The environment needs attention:"
    return sentences


def test_nothing_given_means_everything_of_ours() -> None:
    nothing = given({})

    assert nothing.port >= FIRST_PORT
    assert nothing.database_url is None
    assert nothing.redis_url is None
    assert nothing.stripe_api_key is None


def test_everything_wrong_is_named_at_once() -> None:
    sentences = _sentences(
        {
            "PORT": "eighty",
            "DATABASE_URL": f"postgresql://app:hush@{NOWHERE}/jibei",
            "REDIS_URL": f"redis://:hush@{NOWHERE}/0",
            "STRIPE_API_KEY": "sk_live_hush",
            "SECRET_KEY": "short",
            "SMTP_URL": "hush",
            "APPROVAL_FROM_CUPS": "some",
        }
    )

    named = [re.match(r"  - (\w+)", sentence)[1] for sentence in sentences]  # type: ignore[index]
    assert sorted(named) == [
        "APPROVAL_FROM_CUPS",
        "DATABASE_URL",
        "MAIL_FROM",  # goes with SMTP_URL
        "PORT",
        "REDIS_URL",
        "SECRET_KEY",
        "SMTP_URL",
        "STRIPE_API_KEY",  # no live key in development,
        "STRIPE_API_KEY",  # and none without the secret of its webhooks
    ]
    assert "hush" not in "".join(sentences)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80a", "８０８０"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert [sentence for sentence in _sentences({"PORT": port}) if "is no port" in sentence]


def test_a_given_port_that_is_taken_is_refused(taken_port: int) -> None:
    (sentence,) = _sentences({"PORT": str(taken_port)})

    assert f"PORT={taken_port} is taken by another program" in sentence


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Be nobody in particular, also where root runs the tests."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(_NOBODY)
    yield
    if is_root:
        os.seteuid(0)


def test_a_port_for_root_alone_is_not_said_to_be_taken(ordinary_user: None) -> None:
    lowest_of_all = int(_LOWEST.read_text())
    if lowest_of_all <= 1:  # a machine that lets everybody listen everywhere
        assert given({"PORT": "1"}).port == 1
        return

    (sentence,) = _sentences({"PORT": "1"})

    assert "PORT=1 is for root alone" in sentence


def test_without_a_given_port_the_next_free_one_is_used() -> None:
    first = given({}).port
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        stranger.bind(("127.0.0.1", first))
        stranger.listen()

        assert given({}).port > first


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"DATABASE_URL": "mysql://host/x"}, "DATABASE_URL is no PostgreSQL address"),
        ({"DATABASE_URL": f"postgresql://u:p@hush@{NOWHERE}/x"}, "DATABASE_URL: no server"),
        ({"DATABASE_URL": "postgresql://u:hush@h/x?a=b"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_OWNER_URL": "postgresql://host/x"}, "without DATABASE_URL"),
        ({"REDIS_URL": "http://host"}, "REDIS_URL is no Redis address"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_1"}, "without STRIPE_API_KEY"),
    ],
)
def test_a_wrong_value_is_said_without_repeating_it(
    environment: dict[str, str], named: str
) -> None:
    (sentence,) = _sentences(environment)

    assert named in sentence
    assert "hush" not in sentence


def test_a_provider_out_of_reach_is_named() -> None:
    (sentence,) = _sentences(
        {
            "STRIPE_API_KEY": "sk_test_1",
            "STRIPE_API_BASE": f"http://{NOWHERE}",
            "STRIPE_WEBHOOK_SECRET": "whsec_1",
        }
    )

    assert "STRIPE_API_BASE: the provider is out of reach" in sentence
