"""Apache Traffic Server, a cache that somebody else wrote, in front of a server of ours."""

import subprocess
from contextlib import contextmanager

from tests.addresses import free_port
from tests.patience import wait_until

PLUGINS = "/usr/lib/trafficserver/modules"
_EVERYBODY = """
ip_allow:
  - apply: in
    ip_addrs: 127.0.0.1
    action: allow
    methods: ALL
"""


@contextmanager
def proxying(root, behind, plugin, answers, *, caches=False, files=()):
    """Where one listens while the context lasts, and asks `behind`; ready when `answers(where)` is true.

    `files` are put beside its settings, by name. A plugin is named as in `remap.config`.
    """
    at = f"127.0.0.1:{free_port()}"
    for folder in ("etc", "cache", "run", "log"):
        (root / folder).mkdir()
    here = {"prefix": root, "sysconfdir": root / "etc", "runtimedir": root / "run", "logdir": root / "log"}
    here |= {"localstatedir": root, "datadir": root / "cache", "cachedir": root / "cache"}
    here |= {"exec_prefix": "/usr", "bindir": "/usr/bin", "sbindir": "/usr/sbin", "includedir": "/usr/include"}
    here |= {"libdir": "/usr/lib/trafficserver", "libexecdir": PLUGINS}
    (root / "runroot.yaml").write_text("".join(f"{name}: {path}\n" for name, path in here.items()))
    host, _, port = at.partition(":")
    settings = {
        "http.server_ports": f"STRING {port}:ip-in={host}",
        "http.cache.http": f"INT {int(caches)}",
        "exec_thread.autoconfig": "INT 0",
        "exec_thread.limit": "INT 1",
        "admin.user_id": "STRING #-1",
        "log.logging_enabled": "INT 0",
        "crash_log_helper": "STRING NULL",
        "diags.output.note": "STRING E",
    }
    config = root / "etc"
    config.joinpath("records.config").write_text(
        "".join(f"CONFIG proxy.config.{name} {value}\n" for name, value in settings.items())
    )
    config.joinpath("ip_allow.yaml").write_text(_EVERYBODY)
    config.joinpath("plugin.config").write_text("")
    config.joinpath("storage.config").write_text("cache 64M\n")  # a file with holes: with less it does not start
    for name, text in dict(files).items():
        config.joinpath(name).write_text(text)
    config.joinpath("remap.config").write_text(f"map http://{at}/ http://{behind}/ {plugin}\n")
    with (root / "out").open("w") as out:
        order = ["traffic_server", f"--run-root={root}/runroot.yaml"]
        process = subprocess.Popen(order, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: answers(at), why=(root / "out").read_text, process=process)
            yield at
        finally:
            process.kill()
            process.wait()
