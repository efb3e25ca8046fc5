from argon2 import Type, extract_parameters

from tests.conftest import COSTLY


def test_a_hash_of_a_pin_costs_what_rfc_9106_asks():
    """Section 4, second recommended option: for where 2 GiB are too much."""
    cost = extract_parameters(COSTLY.hash("123456"))

    assert cost.type is Type.ID
    assert (cost.time_cost, cost.memory_cost, cost.parallelism) == (3, 64 * 1024, 4)
    assert (cost.salt_len, cost.hash_len) >= (16, 32)
