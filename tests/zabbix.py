"""A real Zabbix: Debian's server, its frontend under PHP's own web server, and a PostgreSQL of theirs."""

import gzip
import json
import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

from tests.distribution_center.registry.postgresql_server import PASSWORD, PostgresqlServer, binaries
from tests.patience import PATIENCE_S, wait_until

FRONTEND = Path("/usr/share/zabbix")
SQL = Path("/usr/share/zabbix-server-pgsql")
NEEDED = re.compile(rb"INSERT INTO (role|role_rule|usrgrp|users|users_groups|config|hstgrp) ")
"""Of what a new Zabbix has in its database; the rest are its own templates."""


class Zabbix:
    """Runs at `host` while the context lasts; `folder` is its own."""

    def __init__(self, folder, host, http_port, port):
        self.folder, self.host, self.port = Path(folder), host, port
        self._api = f"http://{host}:{http_port}/api_jsonrpc.php"
        self._listen = f"{host}:{http_port}"
        self._token = None
        self._programs = []
        self._database = PostgresqlServer()

    def __enter__(self):
        try:
            self._database.start("-c", "fsync=off")
            self._fill_database()
            self._serve_frontend()
            self._token = self.call("user.login", user="Admin", password="zabbix")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for program in reversed(self._programs):
            program.terminate()
            program.wait()
        self._database.stop()

    def call(self, method, **parameters):
        """A call of its API, as its pages make them; fails with what Zabbix said."""
        body = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1}
        request = Request(
            self._api,
            json.dumps(body | ({"auth": self._token} if self._token else {})).encode(),
            {"Content-Type": "application/json-rpc"},
        )
        with urlopen(request, timeout=PATIENCE_S) as response:
            answer = json.load(response)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def import_templates(self, text):
        """Import a file as the import page does, with everything in it ticked; gives the templates' ids by name."""
        ticked = {"createMissing": True, "updateExisting": True}
        kinds = ("groups", "templates", "items", "triggers", "discoveryRules", "valueMaps")
        self.call("configuration.import", format="yaml", source=text, rules=dict.fromkeys(kinds, ticked))
        return {each["host"]: each["templateid"] for each in self.call("template.get", output=["host"])}

    def add_host(self, name, address, user, template):
        """Add a host with an SNMPv3 interface; `user` is one of `chassis-emulator credentials`."""
        ip, _, port = address.partition(":")
        details = {
            "version": 3,
            "securityname": user["user"],
            "securitylevel": 2,
            "authprotocol": 3,  # SHA256
            "authpassphrase": user["auth_password"],
            "privprotocol": 1,  # AES128
            "privpassphrase": user["priv_password"],
        }
        interface = {"type": 2, "main": 1, "useip": 1, "ip": ip, "dns": "", "port": port, "details": details}
        groups = [self.call("hostgroup.get", filter={"name": "Templates"}, output=["groupid"])[0]]
        made = self.call("host.create", host=name, groups=groups, templates=[template], interfaces=[interface])
        return made["hostids"][0]

    def start(self):
        """Start the server that polls."""
        settings = {
            "LogType": "file",
            "LogFile": self.folder / "server.log",
            "PidFile": self.folder / "server.pid",
            "SocketDir": self.folder,
            "DBHost": self._database.folder,
            "DBName": "postgres",
            "DBUser": "registry",
            "DBPassword": PASSWORD,
            "ListenIP": self.host,
            "ListenPort": self.port,
            "AllowRoot": 1,
            "CacheUpdateFrequency": 1,
            "StartPollers": 2,
            **dict.fromkeys(("StartDiscoverers", "StartHTTPPollers", "StartPingers", "StartODBCPollers"), 0),
        }
        path = self.folder / "zabbix_server.conf"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        self._start("zabbix_server", "-f", "-c", path)

    def until(self, look, holds=bool):
        """Look until what is seen is as wanted; gives it."""
        return wait_until(look, holds, why=lambda: (self.folder / "server.log").read_text()[-2000:])

    def _fill_database(self):
        rows = gzip.decompress((SQL / "data.sql.gz").read_bytes()).splitlines(keepends=True)
        statements = gzip.decompress((SQL / "schema.sql.gz").read_bytes()) + b"".join(filter(NEEDED.match, rows))
        where = ("-h", self._database.folder, "-U", "registry", "-d", "postgres")
        subprocess.run(
            [binaries() / "psql", *where, "-q1", "-v", "ON_ERROR_STOP=1"],
            input=statements,
            env={**os.environ, "PGPASSFILE": str(self._database.password_file)},
            check=True,
        )

    def _serve_frontend(self):
        """Debian's frontend reads its settings from /etc; here it reads ours instead, and is not touched."""
        settings = self.folder / "zabbix.conf.php"
        server = {"TYPE": "POSTGRESQL", "SERVER": str(self._database.folder), "PORT": "0", "DATABASE": "postgres"}
        known = server | {"USER": "registry", "PASSWORD": PASSWORD, "SCHEMA": "", "ENCRYPTION": False}
        settings.write_text(f"<?php $DB = json_decode('{json.dumps(known)}', true);\n")
        prepended = self.folder / "prepended.php"
        reader = FRONTEND / "include/classes/core/CConfigFile.php"
        prepended.write_text(
            f"<?php eval(substr(str_replace('/etc/zabbix/zabbix.conf.php', '{settings}', "
            f"file_get_contents('{reader}')), 5));\n"
        )
        self._start("php", "-d", f"auto_prepend_file={prepended}", "-S", self._listen, "-t", FRONTEND)
        wait_until(self._answers, why=(self.folder / "php.log").read_text, process=self._programs[-1])

    def _answers(self):
        with suppress(OSError):
            return self.call("apiinfo.version")

    def _start(self, *command):
        log = self.folder / f"{command[0]}.log"
        with log.open("wb") as output:
            self._programs.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT))
