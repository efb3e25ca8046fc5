"""Act 4: cups change hands, and a bank disputes what was paid for them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dev.tour.act1_sign_in import join
from dev.tour.act3_redeem import CONFLICT, check_refusal, redeem, wanted
from dev.tour.client import Answer
from dev.tour.party import Shopper
from dev.tour.reading import read_balance
from dev.tour.tour import PACK, Act, Tour

_GIVEN = 3
_DISPUTED = "1172"
_MESSAGE = "For the rainy days."


def give(tour: Tour) -> None:
    """Alice gives three cups of her pack away by a link, which she posts to two friends."""
    alice = tour.alice
    made = _give(tour, cups=_GIVEN)
    tour.links["friends"] = made["token"]
    alice.gift = tour.books.give(alice.pack, _GIVEN)
    moved = alice.happened("gift")[0]
    seen = (moved["cups"], moved["amount"]["amount"])
    tour.story.check(
        "cups and money that left her wallet", expected=(-_GIVEN, -alice.gift.net), seen=seen
    )
    tour.story.check("cups under way", expected=_GIVEN, seen=alice.wallet()["under_way"])
    tour.story.check("cups left to her", expected=alice.pack.left, seen=alice.cups(PACK))


def claim(tour: Tour) -> None:
    """Both claim them in the same moment: one gets them, and that is Bob."""
    friends = [join(tour, name) for name in ("One friend", "The other friend")]
    path = f"/v1/gifts/{tour.links['friends']}"
    told = friends[0].api.get(path)
    seen = (told["status"], told["cups"], told["message"])
    tour.story.check("the link says", expected=("open", _GIVEN, _MESSAGE), seen=seen)

    def ask(friend: Shopper) -> Answer:
        return friend.api.send("POST", f"{path}/claim")

    with ThreadPoolExecutor(len(friends)) as both:
        answers = list(both.map(ask, friends))
    statuses = sorted(answer.status for answer in answers)
    tour.story.check("their answers", expected=[200, CONFLICT], seen=statuses)
    [(bob, _), (other, late)] = sorted(
        zip(friends, answers, strict=True), key=lambda asked: asked[1].status
    )
    tour.story.tell(f"{bob.name} was first, and is called Bob from here on")
    bob.name = "Bob"
    tour.shoppers.remove(other)
    tour.shoppers.sort(key=lambda one: one is bob)
    check_refusal(tour, "who comes second", late, CONFLICT, "gift-claimed")
    bob.gift = tour.alice.gift
    tour.story.check("cups in Bob's wallet", expected=_GIVEN, seen=bob.cups(PACK))
    moved = bob.happened("claim")[0]["amount"]["amount"]
    tour.story.check("they carry what left Alice's lot", expected=bob.gift.net, seen=moved)
    tour.story.check("cups under way", expected=0, seen=tour.alice.wallet()["under_way"])


def dispute(tour: Tour) -> None:
    """Alice's bank disputes what she paid: what is left of it is held back, Bob's cups too."""
    bob, intent_id = tour.bob, tour.alice.intents[PACK]
    tour.disputed_before = _held_by_bank(tour)
    opened = tour.merchant.post("/v1/test_helpers/disputes", payment_intent=intent_id)
    tour.story.check("disputed, in hundredths", expected=50_000, seen=opened["amount"])
    tour.disputes.append(opened["id"])
    _await_frozen(tour, is_frozen=True)
    held = _held_by_bank(tour) - tour.disputed_before
    tour.story.check("what the bank holds, by the books", expected=500, seen=held)
    body = wanted(tour, bob, bob.gift, cups=1)
    answer = tour.tills["B"].api.send("POST", "/v1/redemptions", body)
    check_refusal(tour, "Bob's cup at B", answer, CONFLICT, "lot-frozen")


def win(tour: Tour) -> None:
    """The bank decides for the chain: the cups are good again, and Bob collects one at B."""
    bob = tour.bob
    tour.merchant.post(f"/v1/test_helpers/disputes/{tour.disputes.pop()}/decide", outcome="won")
    _await_frozen(tour, is_frozen=False)
    held = _held_by_bank(tour) - tour.disputed_before
    tour.story.check("what the bank holds, by the books", expected=0, seen=held)
    redeem(tour, bob, bob.gift, store="B", cups=1)
    tour.story.tell("A owes B for it, since A had sold it to Alice")


def take_back(tour: Tour) -> None:
    """Alice gives one more cup away, and takes it back before anybody has claimed it."""
    alice = tour.alice
    path = f"/v1/gifts/{_give(tour, cups=1)['id']}"
    gift = tour.books.give(alice.pack, 1)
    withdrawn = alice.api.delete(path)
    tour.books.take_back(alice.pack, gift)
    tour.story.check("the gift is", expected="withdrawn", seen=withdrawn["status"])
    back = alice.happened("gift_return")[0]
    seen = (back["cups"], back["amount"]["amount"])
    tour.story.check("cups and money that came back", expected=(1, gift.net), seen=seen)
    tour.story.check("cups of the pack", expected=alice.pack.left, seen=alice.cups(PACK))


def explain(tour: Tour) -> None:
    """Both histories explain every cup."""
    gifts = [event["cups"] for event in _about_gifts(tour.alice)]
    tour.story.check("gifts in Alice's, oldest first", expected=[-_GIVEN, -1, 1], seen=gifts)
    kinds = [(event["kind"], event["cups"]) for event in reversed(_history(tour.bob))]
    expected = [("claim", _GIVEN), ("redemption", -1)]
    tour.story.check("all of Bob's", expected=expected, seen=kinds)
    for shopper in tour.shoppers:
        explained = sum(event["cups"] for event in _history(shopper))
        cups = shopper.wallet()["cups"]
        tour.story.check(f"cups explained to {shopper.name}", expected=cups, seen=explained)


def _give(tour: Tour, *, cups: int) -> Any:
    body = {"offer_id": tour.chain.offers[PACK]["id"], "cups": cups, "message": _MESSAGE}
    made = tour.alice.api.post("/v1/gifts", body)
    tour.story.tell(f"its link is {made['link']}")
    return made


def _await_frozen(tour: Tour, *, is_frozen: bool) -> None:
    """Wait until both wallets show what is left of the disputed pack as held back, or not."""
    for shopper, lot in ((tour.alice, tour.alice.pack), (tour.bob, tour.bob.gift)):
        expected = lot.left if is_frozen else 0

        def told(shopper: Shopper = shopper, expected: int = expected) -> Any:
            wallet = shopper.wallet()
            return wallet if wallet["frozen"] == expected else None

        wallet = tour.story.wait(f"{shopper.name}'s wallet hears of it", told)
        tour.story.check("cups held back", expected=expected, seen=wallet["frozen"])


def _held_by_bank(tour: Tour) -> int:
    return read_balance(tour.desks.of("finance"), _DISPUTED, month=tour.months()[-1])


def _history(shopper: Shopper) -> list[Any]:
    return shopper.api.everything("/v1/wallet/history")


def _about_gifts(shopper: Shopper) -> list[Any]:
    kinds = {"gift", "gift_return", "claim"}
    return [event for event in reversed(_history(shopper)) if event["kind"] in kinds]


ACT = Act("4  Cups change hands", (give, claim, dispute, win, take_back, explain))
