"""Where invoices go."""

from threading import Barrier, Thread

import pytest

from invoicing import mig
from invoicing.ports import port_to
from invoicing.ports.folder import Folder
from kernel.config import ConfigError
from tests.unit.invoicing.documents import ISSUED


def test_a_folder_keeps_one_file_a_document_however_often_it_comes(tmp_path):
    port = Folder(tmp_path / "made" / "at need")
    port(ISSUED)
    port(ISSUED)
    kept = list(port.path.iterdir())
    assert [file.name for file in kept] == ["F0401-AB00000007.xml"]
    assert kept[0].read_bytes() == mig.written(ISSUED)


def test_two_workers_at_once_leave_one_whole_file(tmp_path):
    port, start = Folder(tmp_path), Barrier(8)

    def write():
        start.wait()
        port(ISSUED)

    threads = [Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [mig.written(ISSUED)]


def test_what_could_not_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def is_full(_):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", is_full)
    with pytest.raises(OSError, match="no space left"):
        Folder(tmp_path)(ISSUED)
    assert list(tmp_path.iterdir()) == []


def test_a_place_names_a_folder_or_a_function(tmp_path):
    assert port_to(f"file:{tmp_path}") == Folder(tmp_path)
    assert port_to("invoicing.mig:written") is mig.written


@pytest.mark.parametrize("place", ["nowhere:send", "invoicing.mig:nothing", ":send", "mail"])
def test_a_place_that_is_none_is_named(place):
    with pytest.raises(ConfigError, match="INVOICE_TO"):
        port_to(place)
