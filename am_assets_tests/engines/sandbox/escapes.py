"""Attempts to get out of a sandbox, to bring it down, or to leave something for the next job.

Each is the body of a function `attempt()`: it returns a true value if it got what it wanted, else false or an error.
"""

# ruff: noqa: E501 - an attempt a line

PRELUDE = """
import ctypes, errno, os, resource, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def did(result): return result >= 0
def others(): return [int(n) for n in os.listdir('/proc') if n.isdigit() and int(n) != os.getpid()]
def connects(family, address):
    with socket.socket(family) as s:
        s.settimeout(.5)
        return s.connect_ex(address) == 0
def opens(path, flags=os.O_RDONLY): return did(os.open(path, flags))
"""

# Those that end themselves, and have to come to nothing.
ATTEMPTS = {
    "network": "return connects(socket.AF_INET, ('1.1.1.1', 53))",
    "network by v6": "return connects(socket.AF_INET6, ('2606:4700:4700::1111', 53))",
    "metadata address": "return connects(socket.AF_INET, ('169.254.169.254', 80))",
    "host's bridge": "return connects(socket.AF_INET, ('172.17.0.1', 2375))",
    "name resolution": "return bool(socket.getaddrinfo('example.com', 80))",
    "raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); return True",
    "packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3); return True",
    "docker socket": "return any(connects(socket.AF_UNIX, p) for p in ('/var/run/docker.sock', '/run/docker.sock'))",
    "containerd socket": "return connects(socket.AF_UNIX, '/run/containerd/containerd.sock')",
    "environment of others": "return any(open(f'/proc/{p}/environ', 'rb').read() for p in others())",
    "memory of others": "return any(opens(f'/proc/{p}/mem', os.O_RDWR) for p in others())",
    "descriptors of others": "return any(os.listdir(f'/proc/{p}/fd') for p in others())",
    "root of others": "return any(os.listdir(f'/proc/{p}/root/') for p in others())",
    "working folder of others": "return any(os.readlink(f'/proc/{p}/cwd') for p in others())",
    "kernel memory": "return any(opens(p) for p in ('/dev/mem', '/dev/kmem', '/proc/kcore', '/dev/port') if os.path.exists(p) and os.access(p, os.R_OK) and os.stat(p).st_size)",
    "disks": "return any(opens(f'/dev/{p}') for p in ('sda', 'vda', 'nvme0n1', 'loop0', 'mapper/control'))",
    "core pattern": "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x'); return True",
    "sysrq": "open('/proc/sysrq-trigger', 'w').write('h'); return True",
    "cgroup release agent": "return any(opens(f'{r}/release_agent', os.O_WRONLY) for r, _, n in os.walk('/sys/fs/cgroup') if 'release_agent' in n)",
    "own limits by cgroup": "return any(opens(os.path.join(r, n), os.O_WRONLY) for r, _, ns in os.walk('/sys/fs/cgroup') for n in ns if n in ('memory.limit_in_bytes', 'memory.max', 'cgroup.procs'))",
    "mount": "return did(libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None))",
    "remount writable": "return did(libc.mount(None, b'/', None, 32, None))",
    "unmount": "return did(libc.umount2(b'/proc', 2)) or did(libc.umount2(b'/tmp', 2))",
    "new mount interface": "return did(libc.syscall(430, b'tmpfs', 0))",
    "new namespaces": "return did(libc.unshare(0x10000000)) or did(libc.unshare(0x00020000))",
    "clone into a namespace": "pid = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)\n    if pid == 0: os._exit(0)\n    return did(pid)",
    "join a namespace": "return any(did(libc.setns(os.open(f'/proc/{p}/ns/mnt', 0), 0)) for p in [os.getpid(), *others()])",
    "chroot": "os.chroot('/tmp'); return True",
    "ptrace": "return any(did(libc.ptrace(16, p, 0, 0)) for p in [*others(), os.getppid()])",
    "be traced": "return did(libc.ptrace(0, 0, 0, 0))",
    "read by process_vm_readv": "b = ctypes.create_string_buffer(8)\n    v = (ctypes.c_size_t * 2)(ctypes.addressof(b), 8)\n    return any(did(libc.process_vm_readv(p, v, 1, v, 1, 0)) for p in [os.getpid(), *others()])",
    "signal to the supervisor": "failed = 0\n    for s in (9, 15, 19, 11):\n        for p in {os.getppid(), *others()} - {0}:\n            try: os.kill(p, s)\n            except OSError: failed += 1\n            else: return True",
    "kill -1": "os.kill(-1, 9); os.kill(-1, 15); return False",
    "become root": "os.setuid(0); return True",
    "become the judge": "for n in range(os.getuid() - 3, os.getuid() + 4):\n        if n != os.getuid():\n            try: os.setresuid(n, n, n); return True\n            except OSError: pass",
    "setuid program": "return any(b'uid=0' in subprocess.run([p, '-c', 'id'], capture_output=True, timeout=.5, stdin=subprocess.DEVNULL).stdout for p in ('/usr/bin/su', '/usr/bin/passwd', '/usr/bin/sudo') if os.path.exists(p))",
    "own setuid file": "open('s', 'w').write('#!/bin/sh'); os.chown('s', 0, 0); return True",
    "regain capabilities": "return did(libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(1 << 6, 1 << 6, 0, 0, 0, 0)))",
    "keep capabilities": "return did(libc.prctl(47, 2, 6, 0, 0))",
    "kernel keyring": "return did(libc.syscall(250, 0, -4, 1)) or did(libc.syscall(248, b'user', b'k', b'v', 1, -4))",
    "bpf": "return did(libc.syscall(321, 0, ctypes.create_string_buffer(128), 128))",
    "perf events": "return did(libc.syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0))",
    "userfaultfd": "return did(libc.syscall(323, 0))",
    "io_uring": "return did(libc.syscall(425, 8, ctypes.create_string_buffer(256)))",
    "kernel module": "return did(libc.syscall(313, os.open('/dev/null', 0), b'', 0))",
    "reboot": "return did(libc.syscall(169, 0xfee1dead, 672274793, 0x89abcdef, 0))",
    "host name": "return did(libc.sethostname(b'x', 1))",
    "shared memory for the next": "return did(libc.shmget(7, 4096, 0o1666))",
    "message queue for the next": "return did(libc.msgget(7, 0o1666)) or did(libc.mq_open(b'/q', 0o102, 0o666, None))",
    "link out of the scratch": "os.symlink('/etc/shadow', 'l'); return bool(open('l').read())",
    "links of a host": "os.symlink('/proc/1/root/etc', 'm'); return bool(open('m/shadow').read())",
    "device node": "os.mknod('d', 0o20666, os.makedev(1, 1)); return True",
    "overwrite the system": "return any(opens(p, os.O_WRONLY) for p in (os.__file__, sys.executable, '/bin/sh', '/etc/passwd'))",
    "the second set of calls": "return did(libc.syscall(0x40000000 + 101, 0, 0, 0, 0))",
    "higher limits": "resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6)); return True",
    "higher priority": "os.nice(-5); return True",
    "a real-time scheduler": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)); return True",
    "terminal injection": "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSTI, b'x'); return True",
}  # fmt: skip

# Those that use things up: each has to be stopped, or to stop itself, within its limits.
BOMBS = {
    "fork bomb": "while True:\n        try: os.fork()\n        except OSError: pass",
    "forks that hop": "while True:\n        try:\n            if os.fork(): os._exit(0)\n        except OSError: pass",
    "kills and forks": "while True:\n        try: os.fork(); os.kill(-1, 19)\n        except OSError: pass",
    "thread bomb": "while True: threading.Thread(target=time.sleep, args=(60,)).start()",
    "memory bomb": "hoard = []\n    while True: hoard.append(b'x' * 10**7)",
    "memory bomb of many": "for n in range(8):\n        if os.fork() == 0: break\n    hoard = [b'x' * 10**6 for n in range(200)]; time.sleep(60)",
    "disk fill": "n = 0\n    while True: open(str(n := n + 1), 'wb').write(bytes(10**6))",
    "disk fill elsewhere": "n = 0\n    while True: open(f'/dev/shm/{(n := n + 1)}', 'wb').write(bytes(10**6))",
    "many small files": "n = 0\n    while True: open(f'/tmp/{(n := n + 1)}-{os.getpid()}', 'w').close()",
    "a deep folder": "while True: os.mkdir('d'); os.chdir('d')",
    "a folder without rights": "os.mkdir('a'); os.mkdir('a/b'); os.chmod('a/b', 0); os.chmod('a', 0); os.chmod('.', 0); time.sleep(60)",
    "descriptor exhaustion": "hoard = []\n    while True: hoard.append(os.open('/dev/null', 0))",
    "pipes full of data": "hoard = []\n    while True: r, w = os.pipe(); hoard.append((r, w)); os.set_blocking(w, False); os.write(w, b'x' * 65536)",
    "huge output": "while True: os.write(1, b'x' * 65536)",
    "slow output": "while True: os.write(1, b'x'); time.sleep(.01)",
    "no output taken": "while True: os.write(3, b'[' * 65536)",
    "zombie storm": "while True:\n        try:\n            if os.fork() == 0: os._exit(0)\n        except OSError: time.sleep(.01)",
    "orphan storm": "while True:\n        try:\n            if (p := os.fork()) == 0:\n                os.fork(); os._exit(0)\n            os.waitpid(p, 0)\n        except OSError: time.sleep(.01)",
    "deaf to signals": "for s in range(1, 32):\n        try: signal.signal(s, signal.SIG_IGN)\n        except OSError: pass\n    while True: pass",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)",
    "a session of its own": "if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n            time.sleep(600)\n    time.sleep(60)",
}  # fmt: skip


def program(body: str) -> str:
    return f"{PRELUDE}\ndef attempt():\n    {body}\n"
