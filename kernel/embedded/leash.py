"""Run a command that cannot outlive its parent: `leash.py SIGNAL PARENT IDENTITY COMMAND…`.

A program of its own, not a hook between fork and exec, since Python code there can deadlock
when the parent has threads. It imports the standard library only and replaces itself with the
command, so nothing of it stays in memory.

1. IDENTITY `self` changes nothing. `namespace` (root only) enters a user namespace in which
   root appears as user 1000: PostgreSQL refuses to run as root, and this way it needs neither
   a new user nor an open home. `nobody` (root only) becomes that user but keeps the right to
   pass closed folders; for machines which forbid namespaces, as most containers do.
2. The kernel is asked to send SIGNAL when the parent dies. This comes second, since a change of
   identity takes the request back.
3. Ignored signals are set back, since Python's own settings would be inherited.
"""

import ctypes
import os
import signal
import sys

CANNOT_CHANGE_IDENTITY = 77

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT = 1, 28, 47
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_NOBODY = 65534


def main(arguments: list[str]) -> None:
    by_signal, parent, identity, *command = arguments
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            _take_identity(libc, identity)
        except OSError as error:
            sys.stderr.write(f"leash: {identity}: {error}\n")
            sys.exit(CANNOT_CHANGE_IDENTITY)
        _checked(libc.prctl(_PR_SET_PDEATHSIG, int(by_signal), 0, 0, 0))
        if os.getppid() != int(parent):
            sys.exit(1)  # it died before the kernel was asked
    for ignored in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point


def _take_identity(libc: ctypes.CDLL, identity: str) -> None:
    if identity == "namespace":
        _enter_namespace(libc)
    elif identity == "nobody":
        _become_nobody(libc)


def _enter_namespace(libc: ctypes.CDLL) -> None:
    user, group = os.geteuid(), os.getegid()
    _checked(libc.unshare(_CLONE_NEWUSER))
    for name, line in (
        ("setgroups", "deny"),  # the kernel wants this before a group is mapped
        ("uid_map", f"1000 {user} 1"),
        ("gid_map", f"1000 {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 10 ms here
            file.write(line)


def _become_nobody(libc: ctypes.CDLL) -> None:
    # Without this the kernel takes the right away with the user, and access(2), by which
    # PostgreSQL looks for its own programs, goes without it even where it was kept.
    _checked(libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    one = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable of capabilities 0 to 31, then of 32 to 63
    sets = (ctypes.c_uint32 * 6)(one, one, one, 0, 0, 0)
    _checked(libc.capset(header, sets))
    _checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0))


def _checked(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1:])
