"""Run a command with what a default container grants: `python confine.py [--uid N] COMMAND ...`, as root.

Fourteen capabilities are left in the bounding set; new namespaces, mounts, keys, bpf and the like are refused, as
container engines do by default. This imitates the limits only: files, users and processes are this machine's own.
"""

import argparse
import errno
import os
import sys

import pyseccomp as seccomp

CAPABILITIES = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,audit_write,"
    "setfcap"
)
REFUSED = (
    *("unshare", "setns", "mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig"),
    *("add_key", "keyctl", "request_key", "bpf", "perf_event_open", "userfaultfd", "open_by_handle_at", "syslog"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "kexec_load", "init_module", "finit_module", "swapon"),
    *("delete_module", "quotactl", "reboot", "settimeofday", "acct", "nfsservctl", "lookup_dcookie"),
)
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET


def refuse_system_calls() -> None:
    """Load the filter; it holds for everything that this process becomes and starts."""
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.CTL_NNP, 0)  # containers may run set-user-id programs
    for name in REFUSED:
        rules.add_rule(seccomp.ERRNO(errno.EPERM), name)
    for bit in range(32):
        if NEW_NAMESPACES >> bit & 1:
            rules.add_rule(seccomp.ERRNO(errno.EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, 1 << bit, 1 << bit))
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags cannot be seen; libraries fall back to clone
    rules.load()


def main() -> None:
    """Confine, then become the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uid", type=int, help="also give up root for this user and group")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    kept = ",".join(f"+{name}" for name in CAPABILITIES.split(","))
    limits = [f"--bounding-set=-all,{kept}", "--inh-caps=-all"]
    if arguments.uid is not None:
        limits += [f"--reuid={arguments.uid}", f"--regid={arguments.uid}", "--clear-groups"]
    refuse_system_calls()
    os.execvp("setpriv", ["setpriv", *limits, *arguments.command])


if __name__ == "__main__":
    sys.exit(main())
