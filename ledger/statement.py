"""Statements made of pieces."""


def filled(statement: str, **pieces: str) -> str:
    """Put pieces of SQL, which are ours, into a statement where it names them in braces."""
    for name, piece in pieces.items():
        statement = statement.replace("{" + name + "}", piece)
    return statement
