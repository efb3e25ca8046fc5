"""“Not me” over HTTP: from the app, and from the link of a message."""

from uuid import UUID

import pytest
from sqlalchemy import select

from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from redemption import disown_token
from redemption.models import Credential, Redemption


@pytest.fixture
def alice(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


@pytest.fixture
def collected(world, alice) -> UUID:
    return UUID(world.take(world.add_till("A"), alice, now=clock.now()).id)


def is_disowned() -> bool:
    with transaction():
        return db.session.scalars(select(Redemption.disowned_at)).one() is not None


def test_the_app_says_it_and_again_is_no_harm(client, world, alice, collected):
    who, path = world.sign_in(alice), f"/v1/wallet/redemptions/{collected}/disown"

    assert [client.post(path, headers=who).status_code for _ in range(2)] == [204, 204]
    assert is_disowned()


def test_somebody_else_s_is_not_found(client, world, collected):
    bob = world.sign_in(world.add_member())

    refused = client.post(f"/v1/wallet/redemptions/{collected}/disown", headers=bob)

    assert (refused.status_code, refused.json["reason"]) == (404, "not-found")
    assert not is_disowned()


def test_opening_the_link_says_nothing_yet(client, collected):
    """Programs that read mail open links."""
    page = client.get(f"/n/{disown_token.make(collected)}")

    assert page.status_code == 200
    assert b'<form method="post">' in page.data
    assert not is_disowned()


def test_the_page_s_button_says_it(client, collected):
    path = f"/n/{disown_token.make(collected)}"

    answers = [client.post(path) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert is_disowned()
    with transaction():
        assert None not in db.session.scalars(select(Credential.revoked_at)).all()


def test_the_page_is_the_same_for_every_link_and_a_made_up_one_does_nothing(client, collected):
    made_up = "/n/" + "A" * 43

    assert client.get(made_up).data == client.get(f"/n/{disown_token.make(collected)}").data
    refused = client.post(made_up)
    assert refused.status_code == 404
    assert "不完整".encode() in refused.data
    assert not is_disowned()


def test_the_page_loads_nothing_and_sends_only_to_itself(client):
    policy = client.get("/n/x").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "form-action 'none'" in client.get("/g/x").headers["Content-Security-Policy"]
