"""Whose rights the database runs with: PostgreSQL refuses root, and we change nothing on the system.

An ordinary user runs it as itself. Root runs it inside a user namespace, where it has no rights but still owns its
files; where namespaces are forbidden (many containers), as an unprivileged account that exists on every machine.
"""

import ctypes
import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

from iotpanel.local.say import Trouble

CLONE_NEWUSER = 0x10000000
ACCOUNTS = ("postgres", "nobody")
OUTSIDE = Path("/var/lib")
"""Where the database of root lives if an unprivileged account cannot enter root's own folder."""

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """Who runs a part: ``namespace`` means inside a new user namespace, ``uid`` another account, neither oneself."""

    namespace: bool = False
    uid: int | None = None
    gid: int | None = None

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


ONESELF = Account()


def database_account() -> Account:
    """The account for PostgreSQL on this machine."""
    if os.geteuid() != 0:
        return ONESELF
    if namespaces_allowed():
        return Account(namespace=True)
    entry = next(filter(None, map(account_entry, ACCOUNTS)), None)
    if entry is None:
        raise Trouble(
            f"the database may not run as root: user namespaces are forbidden here, and no account is called {' or '.join(ACCOUNTS)}; "
            "run iotpanel as an ordinary user, or set DATABASE_URL to your own server"
        )
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def account_entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def namespaces_allowed() -> bool:
    """Try it in a child process: containers often forbid it, and only trying tells."""
    if os.environ.get("IOTPANEL_NO_NAMESPACE"):
        return False
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.unshare(CLONE_NEWUSER) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def enter_namespace() -> None:
    """Leave root's rights behind; only for a child process that is about to become a server."""
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def database_place(root: Path, account: Account) -> Path:
    """The folder for programs and data of the database that ``account`` can enter: ``root`` wherever possible."""
    if account.uid is None or can_enter(root, account.uid):
        return root
    if not os.access(OUTSIDE, os.W_OK):
        raise Trouble(
            f"the database may not run as root, its account cannot enter {root}, and {OUTSIDE} cannot be written to: "
            "set IOTPANEL_HOME to a folder that everybody may enter, such as /srv/iotpanel"
        )
    return OUTSIDE / f"iotpanel{str(root).replace('/', '-')}"


def can_enter(folder: Path, uid: int) -> bool:
    """True where a stranger may pass every folder down to this one."""
    return all(parent.stat().st_uid == uid or parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
