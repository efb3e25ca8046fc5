from datetime import UTC, date, datetime

import pytest

import chain
from kernel.errors import NotFound
from kernel.ids import new_id
from tests.world import World


def test_there_is_one_online_store(world: World):
    assert chain.online_store().id == world.stores["W"]


@pytest.mark.usefixtures("app")
def test_a_chain_that_is_not_set_up_sells_nothing_online():
    with pytest.raises(NotFound):
        chain.online_store()


def test_a_store_books_on_its_calendar_day(world: World):
    after_midnight = datetime(2026, 1, 31, 17, 0, tzinfo=UTC)  # 01:00 on 1 February in Taipei

    assert chain.local_date(world.stores["A"], after_midnight) == date(2026, 2, 1)


@pytest.mark.usefixtures("world")
def test_what_is_not_there_is_not_found():
    with pytest.raises(NotFound):
        chain.get_store(new_id())


def test_lists_go_on_where_the_last_page_ended(world: World):
    stores = chain.list_stores(after=None, limit=3)
    rest = chain.list_stores(after=stores[-1].id, limit=3)
    products = chain.list_products(after=world.products["latte"], limit=3)

    assert [store.code for store in [*stores, *rest]] == ["A", "B", "C", "W"]
    assert [product.code for product in products] == ["mocha"]
