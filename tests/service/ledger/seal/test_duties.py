"""The daily head: written once, sent until it has arrived, kept where nobody can rewrite it."""

import http.server
import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.messages import NoMailServer
from kernel.transaction import transaction
from ledger import seal
from ledger.models import SealHead
from ledger.seal import Head, duties
from ledger.seal.sinks import keep, object_store
from tests.mailbox import running_mailbox

HEAD = Head(date(2026, 1, 14), 7, bytes(range(32)))


def heads():
    with transaction():
        rows = db.session.scalars(select(SealHead).order_by(SealHead.on_date)).all()
        db.session.expunge_all()
        return rows


def due(duty):
    with transaction():
        return is_due(duty, clock.now())


def test_a_head_is_made_once_a_day_for_the_day_that_has_ended(traded, at):
    at(2026, 1, 15, 0, 1)
    assert due(duties.MAKING)
    duties.make_heads()
    duties.make_heads()
    assert not due(duties.MAKING)
    at(2026, 1, 15, 23, 59)
    assert not due(duties.MAKING)
    at(2026, 1, 16, 0, 0)
    assert due(duties.MAKING)
    duties.make_heads()
    assert [head.on_date for head in heads()] == [date(2026, 1, 14), date(2026, 1, 15)]


def test_nothing_sealed_has_no_head(world):
    assert not due(duties.MAKING)
    duties.make_heads()
    assert heads() == []


def test_a_head_waits_while_there_is_nowhere_to_send_it_to(traded):
    duties.make_heads()
    assert not due(duties.SENDING)
    duties.send_heads()
    (row,) = heads()
    assert (row.sent_at, row.tries) == (None, 0)


def test_a_head_arrives_in_a_file_once_and_verifies(traded, tmp_path, configured):
    configured(SEAL_TO=f"file:{tmp_path}/heads")
    duties.make_heads()
    assert due(duties.SENDING)
    duties.send_heads()
    duties.send_heads()
    assert not due(duties.SENDING)
    (row,) = heads()
    assert row.sent_at is not None
    assert row.sent_to == f"file:{tmp_path}/heads"
    with (tmp_path / "heads").open() as lines:
        kept = list(seal.parse_all(lines))
    assert kept == [Head(row.on_date, row.number, row.chain)]
    assert [one for step in seal.verify(kept) for one in step.found] == []


def test_a_place_that_fails_is_tried_again_and_the_others_are_not(traded, tmp_path, configured, at):
    at(2026, 1, 15, 12, 0)
    configured(SEAL_TO=f"file:{tmp_path}/away/heads,file:{tmp_path}/heads")
    duties.make_heads()
    duties.send_heads()
    (row,) = heads()
    assert (row.sent_at, row.tries, row.sent_to) == (None, 1, f"file:{tmp_path}/heads")
    assert row.last_error == f"file:{tmp_path}/away/heads: FileNotFoundError"
    assert row.due_at > clock.now()
    assert not due(duties.SENDING)
    (tmp_path / "away").mkdir()
    at(2026, 1, 15, 12, 1)
    duties.send_heads()
    (row,) = heads()
    assert row.sent_at is not None
    assert row.last_error is None
    assert len((tmp_path / "heads").read_text().splitlines()) == 1
    assert len((tmp_path / "away" / "heads").read_text().splitlines()) == 1


def test_waits_between_tries_grow_to_an_hour_and_no_more(traded, tmp_path, configured, at):
    at(2026, 1, 15, 12, 0)
    configured(SEAL_TO=f"file:{tmp_path}/away/heads")
    duties.make_heads()
    waits = []
    for _ in range(13):
        duties.send_heads()
        (row,) = heads()
        waits.append(row.due_at - clock.now())
        with transaction():
            db.session.get_one(SealHead, row.on_date).due_at = clock.now()
    assert waits[1] < timedelta(seconds=5)
    assert timedelta(minutes=59) < waits[-1] <= timedelta(hours=1)


@pytest.fixture
def bucket():
    """An object store of one folder that honours If-None-Match; `bucket.objects` by path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.authorizations.append(self.headers.get("Authorization"))
            taken = self.path in self.server.objects and self.headers["If-None-Match"] == "*"
            status = self.server.refuses or (412 if taken else 201)
            if status == 201:
                self.server.objects[self.path] = body
            self._answer(status, b"")

        def do_GET(self):
            self._answer(200, self.server.objects[self.path])

        def _answer(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.objects, server.authorizations, server.refuses = {}, [], None
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def folder(bucket, query=""):
    return f"http://127.0.0.1:{bucket.server_port}/heads{query}"


def test_an_object_a_day_is_put_once(bucket, configured):
    configured(SEAL_AUTHORIZATION="Bearer of the tests")
    for _ in range(2):
        keep(folder(bucket, "?signed=yes"), HEAD)
    assert bucket.objects == {"/heads/2026-01-14.json?signed=yes": f"{HEAD.line()}\n".encode()}
    assert set(bucket.authorizations) == {"Bearer of the tests"}


def test_another_head_of_the_same_day_is_not_written_over_the_first(bucket, configured):
    configured()
    keep(folder(bucket), HEAD)
    with pytest.raises(object_store.NotKept, match="another head"):
        keep(folder(bucket), Head(HEAD.on_date, 8, HEAD.chain))
    assert bucket.objects == {"/heads/2026-01-14.json": f"{HEAD.line()}\n".encode()}


@pytest.mark.parametrize("status", [403, 500, 302])
def test_a_store_that_refuses_has_not_kept_it(bucket, configured, status):
    configured()
    bucket.refuses = status
    with pytest.raises(object_store.NotKept, match=str(status)):
        keep(folder(bucket), HEAD)


@pytest.fixture
def mailbox():
    with running_mailbox() as running:
        yield running


def test_a_letter_carries_the_line(mailbox, configured):
    address = f"smtp://127.0.0.1:{mailbox.port}"
    configured(SMTP_URL=address, MAIL_FROM="jibei@example.com")
    keep("mailto:finance@example.com", HEAD)
    (letter,) = mailbox.raw
    assert HEAD.line() in letter
    assert "To: finance@example.com" in letter
    assert "From: jibei@example.com" in letter


def test_a_password_is_never_sent_in_the_clear(mailbox, configured):
    address = f"smtp://alice:secret@127.0.0.1:{mailbox.port}"
    configured(SMTP_URL=address, MAIL_FROM="jibei@example.com")
    with pytest.raises(Exception, match="STARTTLS"):
        keep("mailto:finance@example.com", HEAD)
    assert (mailbox.raw, mailbox.logins) == ([], [])


def test_without_a_mail_server_no_letter_is_sent(configured):
    configured()
    with pytest.raises(NoMailServer):
        keep("mailto:finance@example.com", HEAD)


def test_an_address_that_is_secret_is_not_kept(traded, bucket, configured):
    configured(SEAL_TO=folder(bucket, "?signature=secret").replace("http:", "https:"))
    duties.make_heads()
    duties.send_heads()
    (row,) = heads()
    assert "secret" not in f"{row.last_error} {row.sent_to}"
