"""The embedded servers of `make up`, started again when somebody kills one."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Generic, Protocol, TypeVar

from kernel.embedded import CannotStart


class Server(Protocol):
    """What PostgreSQL and Valkey have in common."""

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""

    @property
    def pid(self) -> int:
        """Its process."""

    def is_running(self) -> bool:
        """Whether its process lives."""


S = TypeVar("S", bound=Server)


class Engine(Generic[S]):
    """One embedded server, running from `start` to `stop`."""

    def __init__(self, name: str, run: Callable[[], AbstractContextManager[S]]) -> None:
        self.name = name
        self._run = run
        self._open = ExitStack()

    def start(self) -> S:
        self.server = self._open.enter_context(self._run())
        return self.server

    def stop(self) -> None:
        self._open.close()

    def start_again_if_ended(self) -> bool:
        """Answer whether it had ended.

        Raises:
            CannotStart: it cannot run again where the others look for it.
        """
        if self.server.is_running():
            return False
        port = self.server.port
        self.stop()
        if self.start().port != port:
            raise CannotStart(f"{self.name} ended, and port {port} was taken since: start again.")
        return True
