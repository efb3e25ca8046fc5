"""Checks of what was served offline: each cup of it is taken, borne, or waits for a person."""

from collections.abc import Iterable

from ledger.proof import Facts, KeyWalk, Part, check
from redemption.proof import REDEMPTIONS

ITEMS = KeyWalk("offline items", "offline_item", ("device_id", "number"), 20_000)


@check("offline_items", invariant=8, walk=ITEMS)
def offline_items(part: Part) -> Iterable[Facts]:
    """What an item has not left to the chain, its redemption took; what is undecided took nothing.

    8: nothing that was served is lost, and nothing is taken twice for it.
    """
    return part.find("""
        SELECT item.device_id, item.number, item.redemption_id,
               CASE WHEN item.outcome <> 'review' OR item.remedy IN ('charged', 'borne')
                    THEN item.cups - item.cups_borne ELSE 0 END AS expected,
               took.cups AS found
        FROM offline_item AS item
        LEFT JOIN LATERAL (
            SELECT redemption.cups FROM redemption
            WHERE redemption.member_id = item.member_id AND redemption.id = item.redemption_id
              AND redemption.is_offline AND redemption.credential_id = item.serial
            LIMIT 1
        ) took ON true
        WHERE {within item}
          AND coalesce(took.cups, 0)
              <> CASE WHEN item.outcome <> 'review' OR item.remedy IN ('charged', 'borne')
                      THEN item.cups - item.cups_borne ELSE 0 END
    """)


@check("offline_redemptions", invariant=8, walk=REDEMPTIONS)
def offline_redemptions(part: Part) -> Iterable[Facts]:
    """What was taken for cups that were served offline stands for one item, or was undone.

    8: an item that ended otherwise later names the redemption that it has now.
    """
    return part.find("""
        SELECT redemption.member_id, redemption.id AS redemption_id, count(item.number) AS found
        FROM redemption
        LEFT JOIN offline_item AS item
               ON item.member_id = redemption.member_id AND item.redemption_id = redemption.id
              AND {near item}
        WHERE {within redemption} AND redemption.is_offline AND redemption.voided_at IS NULL
        GROUP BY redemption.member_id, redemption.id
        HAVING count(item.number) <> 1
    """)
