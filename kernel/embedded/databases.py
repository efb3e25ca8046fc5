"""Further databases on a running server."""

import psycopg
from psycopg import sql


def create(url: str, *, name: str, template: str | None, strategy: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER jibei_owner TEMPLATE {} STRATEGY {}").format(
                sql.Identifier(name), sql.Identifier(template or "template1"), sql.SQL(strategy)
            )
        )
        # rights on a database are not copied with it
        for rights in (
            "REVOKE ALL ON DATABASE {} FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {} TO jibei_app, jibei_finance",
        ):
            connection.execute(sql.SQL(rights).format(sql.Identifier(name)))


def drop(url: str, *, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
