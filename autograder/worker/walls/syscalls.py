"""System calls: an allow list. No sockets, no new processes, no tracing, no namespaces, no signals to others.

What is on no list fails as if the kernel did not have it (ENOSYS), so that libraries fall back; what an attack would
want by name fails with "not permitted". A call of another architecture kills the worker.

Does not protect against bugs in the calls that remain: reading, writing, memory, threads and time.
"""

import errno
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from autograder.worker.walls.plan import NotStanding, Plan

NAME = "system calls"

MEMORY = "brk mmap mmap2 munmap mprotect mremap madvise mincore msync membarrier pkey_alloc pkey_free pkey_mprotect"
THREADS = (
    "futex futex_time64 set_robust_list set_tid_address rseq gettid sched_yield sched_getaffinity "
    "sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu "
    "arch_prctl exit exit_group restart_syscall"
)
SIGNALS = "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack pause alarm"
CLOCKS = (
    "clock_gettime clock_getres clock_nanosleep gettimeofday time nanosleep times getitimer setitimer "
    "timer_create timer_settime timer_delete timer_gettime timerfd_create timerfd_settime timerfd_gettime"
)
OPEN_FILES = (
    "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek close close_range dup dup2 "
    "dup3 fstat fstat64 fstatfs ftruncate fsync fdatasync fallocate fadvise64 flock pipe pipe2 "
    "poll ppoll select pselect6 _newselect epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
    "eventfd eventfd2 sendfile copy_file_range getdents getdents64 sendto sendmsg recvfrom recvmsg shutdown "
    "getsockopt getsockname getpeername"
)
LOOK_UP = (
    "stat stat64 lstat lstat64 newfstatat fstatat64 statx statfs access faccessat faccessat2 readlink readlinkat "
    "getcwd chdir fchdir"
)
PATHS = "open openat openat2 creat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2"
ABOUT_ITSELF = (
    "getpid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgid getpgrp getsid getrlimit "
    "ugetrlimit getrusage sysinfo uname umask getrandom getpriority capget wait4 waitid"
)
REFUSED = (
    "socket socketpair connect bind listen accept accept4 setsockopt ptrace process_vm_readv process_vm_writev "
    "process_madvise pidfd_open pidfd_getfd pidfd_send_signal kcmp io_uring_setup io_uring_enter io_uring_register "
    "io_setup io_submit keyctl add_key request_key mount umount umount2 move_mount open_tree fsopen fsmount fspick "
    "fsconfig mount_setattr pivot_root chroot unshare setns bpf perf_event_open userfaultfd kexec_load kexec_file_load "
    "init_module finit_module delete_module fork vfork execve execveat memfd_create memfd_secret shmget shmat shmctl "
    "msgget semget mq_open chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat "
    "futimesat setxattr lsetxattr fsetxattr removexattr link linkat symlink symlinkat mknod mknodat setuid setgid "
    "setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset setrlimit personality syslog quotactl "
    "swapon swapoff reboot sethostname setdomainname settimeofday clock_settime adjtimex clock_adjtime acct "
    "open_by_handle_at name_to_handle_at fanotify_init inotify_init inotify_init1 landlock_create_ruleset seccomp "
    "rt_sigqueueinfo rt_tgsigqueueinfo setpriority ioprio_set sched_setaffinity sched_setscheduler "
    "sched_setattr setpgid setsid vhangup "
    "truncate truncate64 lookup_dcookie mbind set_mempolicy migrate_pages move_pages iopl ioperm modify_ldt "
    "vmsplice splice tee"
)
ALLOWED = (MEMORY, THREADS, SIGNALS, CLOCKS, OPEN_FILES, LOOK_UP, ABOUT_ITSELF)

CLONE_THREAD, CLONE_NAMESPACES = 0x10000, 0x7E020080
IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS TIOCGWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX
# F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL, locks, F_DUPFD_CLOEXEC. Not F_SETOWN and F_SETSIG, which let the kernel send
# any signal to another process of the same user, and no larger pipes.
FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030)
PRCTLS = (3, 15, 16, 21, 23, 39, 0x53564D41)  # what a process asks about itself, the names of threads and of maps


def available() -> bool:
    """Whether libseccomp is installed."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        return False
    return True


def confine(plan: Plan) -> None:
    """Load the filter into this process, for good."""
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    for name in " ".join(ALLOWED).split():
        _add(rules, seccomp.ALLOW, name)
    for name in REFUSED.split():
        _add(rules, seccomp.ERRNO(errno.EPERM), name)
    for name in PATHS.split():
        _add(rules, seccomp.ALLOW if "closed" not in plan.files else seccomp.ERRNO(errno.EACCES), name)
    _conditional(rules, seccomp)
    rules.load()


def _conditional(rules: Any, seccomp: Any) -> None:
    """The calls that are allowed with certain arguments only."""
    allow, argument, equal, masked = seccomp.ALLOW, seccomp.Arg, seccomp.EQ, seccomp.MASKED_EQ
    _add(rules, allow, "clone", argument(0, masked, CLONE_THREAD | CLONE_NAMESPACES, CLONE_THREAD))
    for name in ("kill", "tgkill"):
        _add(rules, allow, name, argument(0, equal, os.getpid()))
    _add(rules, allow, "prlimit64", argument(2, equal, 0))
    for request in IOCTLS:
        _add(rules, allow, "ioctl", argument(1, equal, request))
    for command in FCNTLS:
        for name in ("fcntl", "fcntl64"):
            _add(rules, allow, name, argument(1, equal, command))
    for option in PRCTLS:
        _add(rules, allow, "prctl", argument(0, equal, option))


def _add(rules: Any, action: int, name: str, *arguments: Any) -> None:
    try:
        rules.add_rule(action, name, *arguments)
    except (ValueError, OSError) as error:
        # An old libseccomp does not know the newest calls; they are on no list then, and fail.
        if arguments or getattr(error, "errno", errno.EINVAL) not in (errno.EINVAL, errno.EFAULT):
            raise


def check(plan: Plan) -> str:
    """Try what must fail: a socket, a process, a signal to the grader."""
    for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
        if _works(partial(_open_socket, family)):
            raise NotStanding("the worker can open a socket: libseccomp or seccomp itself is missing")
    if _works(_fork):
        raise NotStanding("the worker can start a process")
    if _works(lambda: os.kill(os.getppid(), 0)):
        raise NotStanding("the worker can signal the grader")
    return "an allow list: no network, processes, tracing, namespaces, mounts, keys, io_uring"


def _works(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _open_socket(family: int) -> None:
    socket.socket(family, socket.SOCK_STREAM).close()


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
