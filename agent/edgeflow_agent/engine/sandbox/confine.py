"""Puts walls around the process that it runs in. Standard library only: workers run it that import nothing of ours.

From the strongest: a user namespace with no network and a root that cannot be written; Landlock, which lets only the
libraries of Python be read; a seccomp filter that refuses sockets, programs, processes, signals, tracing, mounting and
what has broken kernels before; limits on memory, files and processes; no_new_privs. What the kernel refuses is named in
the answer, so that people can be told.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = (
    1,
    4,
    22,
    38,
    24,
)

# Numbers of system calls: x86_64, aarch64, 32-bit arm. None: not there.
_REFUSED: dict[str, tuple[int | None, int | None, int | None]] = {
    "socket": (41, 198, 281),
    "ptrace": (101, 117, 26),
    "process_vm_readv": (310, 270, 376),
    "process_vm_writev": (311, 271, 377),
    "kill": (62, 129, 37),
    "tkill": (200, 130, 238),
    "tgkill": (234, 131, 268),
    "rt_sigqueueinfo": (129, 138, 178),
    "pidfd_open": (434, 434, 434),
    "pidfd_send_signal": (424, 424, 424),
    "pidfd_getfd": (438, 438, 438),
    "fork": (57, None, 2),
    "vfork": (58, None, 190),
    "execve": (59, 221, 11),
    "execveat": (322, 281, 387),
    "mount": (165, 40, 21),
    "umount2": (166, 39, 52),
    "pivot_root": (155, 41, 218),
    "chroot": (161, 51, 61),
    "setns": (308, 268, 375),
    "unshare": (272, 97, 337),
    "open_tree": (428, 428, 428),
    "move_mount": (429, 429, 429),
    "fsopen": (430, 430, 430),
    "fsmount": (432, 432, 432),
    "mount_setattr": (442, 442, 442),
    "bpf": (321, 280, 386),
    "perf_event_open": (298, 241, 364),
    "keyctl": (250, 219, 311),
    "add_key": (248, 217, 309),
    "request_key": (249, 218, 310),
    "init_module": (175, 105, 128),
    "finit_module": (313, 273, 379),
    "delete_module": (176, 106, 129),
    "kexec_load": (246, 104, 347),
    "reboot": (169, 142, 88),
    "swapon": (167, 224, 87),
    "swapoff": (168, 225, 115),
    "sethostname": (170, 161, 74),
    "settimeofday": (164, 170, 79),
    "clock_settime": (227, 112, 262),
    "clock_adjtime": (305, 266, 372),
    "adjtimex": (159, 171, 124),
    "open_by_handle_at": (304, 265, 371),
    "name_to_handle_at": (303, 264, 370),
    "userfaultfd": (323, 282, 388),
    "io_uring_setup": (425, 425, 425),
    "io_uring_enter": (426, 426, 426),
    "io_uring_register": (427, 427, 427),
    "quotactl": (179, 60, 131),
    "acct": (163, 89, 51),
    "mknodat": (259, 33, 324),
    "prlimit64": (302, 261, 369),
    "setpriority": (141, 140, 97),
}
_MACHINES = {
    "x86_64": (0, 0xC000003E, 56, 435),
    "aarch64": (1, 0xC00000B7, 220, 435),
    "armv7l": (2, 0x40000028, 120, 435),
}
_MACHINES["armv6l"] = _MACHINES["armv8l"] = _MACHINES["armv7l"]
_CLONE_THREAD = 0x10000


class _Refused(Exception):
    """The kernel does not do this; the text says what and why."""


def confine_script(memory: int) -> list[str]:
    """For a process whose interpreter (QuickJS) has no way out by itself: limits and the filter. What is missing."""
    missing: list[str] = []
    _die_with_parent()
    _hide()
    _limit(memory, processes=False)
    _attempt(missing, "system call filter", _filter_calls)
    return missing


def confine_python(memory: int, readable: list[str], hidden: list[str]) -> list[str]:
    """For a process that is about to run a flow's Python. `readable`: the only folders that stay readable (where
    Landlock is); `hidden`: folders that must not be seen in any case. What is missing, each with the reason.
    """
    missing: list[str] = []
    _die_with_parent()
    _attempt(missing, "namespaces (no network, root read-only)", lambda: _enter_namespaces(hidden))
    _hide()  # not before: who is hidden owns nothing in /proc/self, where only root could then write the maps
    _limit(memory, processes=True)
    _attempt(missing, "landlock (files)", lambda: _landlock(readable))
    _drop_capabilities()
    _attempt(missing, "system call filter", _filter_calls)
    return missing


def _attempt(missing: list[str], name: str, work: object) -> None:
    try:
        work()  # type: ignore[operator]
    except (_Refused, OSError) as error:
        missing.append(f"{name}: {error}")


def _call(name: str, *arguments: object) -> int:
    result = getattr(_libc, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise _Refused(f"{name}: {os.strerror(number)}")
    return int(result)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _hide() -> None:
    """No other process of this user may look into this one."""
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _limit(memory: int, *, processes: bool) -> None:
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 32,
        resource.RLIMIT_MEMLOCK: 0,
    }
    if processes:
        limits[resource.RLIMIT_NPROC] = 0
    for limit, value in limits.items():
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):  # Lower already.
            continue


# --- namespaces

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x40000000,
)  # fmt: skip
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_FLAGS = {"nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024, "nodiratime": 2048, "relatime": 1 << 21}


def _enter_namespaces(hidden: list[str]) -> None:
    user, group = os.getuid(), os.getgid()
    _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError as error:
            raise _Refused(f"{name}: {error.strerror}") from None
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    for folder in hidden:
        if os.path.isdir(folder):
            _call("mount", b"none", folder.encode(), b"tmpfs", _MS_RDONLY | 2 | 4 | 8, b"size=4k,mode=000")
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split() for line in file]
    for fields in mounts:
        place = fields[4].encode().decode("unicode_escape")
        kept = sum(_FLAGS.get(option, 0) for option in fields[5].split(","))
        flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | kept
        if _libc.mount(b"none", place.encode(), None, flags, None) < 0 and place == "/":
            raise _Refused(f"the root stays writable: {os.strerror(ctypes.get_errno())}")


def _drop_capabilities() -> None:
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    header = struct.pack("<Ii", 0x20080522, 0)
    _libc.capset(header, struct.pack("<6I", 0, 0, 0, 0, 0, 0))


# --- Landlock

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_READ = 1 << 2 | 1 << 3
_READ_FILE = 1 << 2


def _landlock(readable: list[str]) -> None:
    version = _libc.syscall(_CREATE, None, 0, 1)
    if version < 1:
        raise _Refused("the kernel has none, or it is switched off")
    rights = (1 << 13) - 1
    if version >= 2:
        rights |= 1 << 13
    if version >= 3:
        rights |= 1 << 14
    if version >= 5:
        rights |= 1 << 15
    network = 3 if version >= 4 else 0
    scopes = 3 if version >= 6 else 0
    attribute = struct.pack("<QQQ", rights, network, scopes)[
        : 8 if version < 4 else 16 if version < 6 else 24
    ]
    ruleset = _call("syscall", _CREATE, attribute, len(attribute), 0)
    for path in readable:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = _READ if os.path.isdir(path) else _READ_FILE
        rule = struct.pack("<Qi", allowed, descriptor)
        try:
            _call("syscall", _ADD, ruleset, 1, rule, 0)
        finally:
            os.close(descriptor)
    _call("syscall", _RESTRICT, ruleset, 0)
    os.close(ruleset)


# --- seccomp


def _filter_calls() -> None:
    machine = _MACHINES.get(platform.machine())
    if machine is None or (sys.maxsize < 2**32 and platform.machine() in ("x86_64", "aarch64")):
        raise _Refused(f"not known for {platform.machine()}")
    column, architecture, clone, clone3 = machine
    numbers = [number for row in _REFUSED.values() if (number := row[column]) is not None]
    load, equal, any_set, answer = 0x20, 0x15, 0x45, 0x06
    allow, refuse, absent = 0x7FFF0000, 0x00050001, 0x00050026  # EPERM, ENOSYS
    code = [
        (load, 0, 0, 4),
        (equal, 1, 0, architecture),
        (answer, 0, 0, 0x80000000),  # Another architecture's numbers: end the process.
        (load, 0, 0, 0),
    ]
    if platform.machine() == "x86_64":
        code += [(0x35, 0, 1, 0x40000000), (answer, 0, 0, refuse)]  # The x32 numbers.
    code += [(equal, 0, 1, clone3), (answer, 0, 0, absent)]
    # A thread may be made, a process not: glibc falls back from clone3 to clone, whose flags can be read.
    code += [
        (equal, 0, 4, clone),
        (load, 0, 0, 16),
        (any_set, 1, 0, _CLONE_THREAD),
        (answer, 0, 0, refuse),
        (answer, 0, 0, allow),
    ]
    for number in numbers:
        code += [(equal, 0, 1, number), (answer, 0, 0, refuse)]
    code.append((answer, 0, 0, allow))
    program = b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
    buffer = ctypes.create_string_buffer(program)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    holder = Program(len(code), ctypes.cast(buffer, ctypes.c_void_p))
    _call("prctl", _PR_SET_SECCOMP, 2, ctypes.byref(holder), 0, 0)
