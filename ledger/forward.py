"""The columns of the roll-forward: which kinds of event each of them shows, and on which side.

Every kind has a column; one that is not named is among the adjustments, so nothing is hidden.
"""

ADDING = {
    "sold": ("sale",),
    "voided": ("void", "rest"),
    "transferred": ("gift", "claim", "gift_return", "transfer"),
    "adjusted": (),
}
TAKING = {
    "redeemed": ("redemption",),
    "lapsed": ("lapse",),
    "breakage": ("breakage",),
    "refunded": ("refund",),
    "charged_back": ("dispute_lost",),
    "earned": ("earning",),
}
COLUMNS = (
    "sold",
    "redeemed",
    "voided",
    "lapsed",
    "breakage",
    "refunded",
    "charged_back",
    "earned",
    "transferred",
    "adjusted",
)
FORMULA = "opening{} = closing".format(
    "".join(f" {'-' if column in TAKING else '+'} {column}" for column in COLUMNS)
)

# Columns by number, so that a row is held against texts once and not for every sum of it.
PLACE = "CASE kind {} ELSE {} END".format(
    " ".join(
        f"WHEN '{kind}' THEN {COLUMNS.index(column)}"
        for column, kinds in {**ADDING, **TAKING}.items()
        for kind in kinds
    ),
    COLUMNS.index("adjusted"),
)
"""SQL: the number of the column that a row's `kind` belongs to."""


def sums(measure: str) -> str:
    """SQL: the columns, each the sum of what rows with its number in `place` have moved."""
    return ", ".join(
        f"{'-' if column in TAKING else ''}total({measure}) FILTER (WHERE place = {place})"
        for place, column in enumerate(COLUMNS)
    )


def net(prefix: str = "") -> str:
    """SQL: by how much the columns of a row together have moved what is owed."""
    return " ".join(f"{'-' if column in TAKING else '+'} {prefix}{column}" for column in COLUMNS)


def named(prefix: str = "") -> str:
    """SQL: the columns' names."""
    return ", ".join(prefix + column for column in COLUMNS)
