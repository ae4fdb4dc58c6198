# SPDX-License-Identifier: BSD-3-Clause
"""The API as others use it: curl with TLS, certificates and passwords, roles and groups, entity tags, server-sent
events, the audit log, and a scrape that a strict parser reads."""

import json
import os
import re
import subprocess
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_metrics

from heddlelab import Heddle, interface, wait_for
from heddlelab.heddle import CLI
from heddlelab.restconf import Api

PORT = 8443
MTU = "restconf/data/heddle-interfaces:interfaces/interface=core/mtu"


def openssl(lab, *words):
    lab.run(["openssl", *words])


def authority(lab, name):
    openssl(lab, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", lab.path(f"{name}.key"), "-out", lab.path(f"{name}.crt"))


def certificate(lab, ca, name, extra="", out=None):
    """A certificate for this common name: OUT.crt and OUT.key."""
    out = out or name
    openssl(lab, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", lab.path(f"{out}.key"), "-out", lab.path(f"{out}.csr"))
    ext = lab.write(f"{out}.ext", extra or "basicConstraints=CA:FALSE\n")
    openssl(lab, "x509", "-req", "-in", lab.path(f"{out}.csr"), "-CA", lab.path(f"{ca}.crt"), "-CAkey",
            lab.path(f"{ca}.key"), "-CAcreateserial", "-days", "2", "-extfile", ext, "-out", lab.path(f"{out}.crt"))


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.hd = lab.ns("hd")
        authority(lab, "ca")
        authority(lab, "other-ca")
        certificate(lab, "ca", "server", "subjectAltName=IP:127.0.0.1\n")
        certificate(lab, "ca", "alice")
        certificate(lab, "ca", "monitor.example")
        certificate(lab, "ca", "stranger")
        certificate(lab, "other-ca", "alice", out="false-alice")
        self.passwords = lab.path("passwd")
        for name, password in (("bob", "correct horse"), ("carol", "only reading")):
            lab.run([CLI, "passwd", self.passwords, name], stdin=password + "\n")
        self.heddle = Heddle(lab, self.hd, self.config()).start()
        self.api = Api(self.heddle.run_dir)

    def config(self, **system):
        return {
            "system": {"api": {
                "password-file": self.passwords,
                "user": [{"name": "alice", "role": "read-write"},
                         {"name": "prometheus", "certificate-name": "monitor.example"},
                         {"name": "bob", "role": "read-write"}, {"name": "carol"}],
                "server": [{"name": "main", "address": "127.0.0.1", "port": PORT,
                            "certificate": self.lab.path("server.crt"), "key": self.lab.path("server.key"),
                            "client-ca": self.lab.path("ca.crt")}], **system}},
            "interfaces": {"interface": [interface("core", "net_null0", "10.0.0.1/24", mtu=1400)]},
        }

    def curl(self, path, *words, cert=None, user=None, scheme="https", port=PORT):
        """(status, body) of curl in the namespace."""
        argv = ["curl", "-s", "-o", "-", "-w", "\n%{http_code}", "--cacert", self.lab.path("ca.crt"), *words]
        if cert:
            argv += ["--cert", self.lab.path(f"{cert}.crt"), "--key", self.lab.path(f"{cert}.key")]
        if user:
            argv += ["-u", user]
        done = self.hd.run(argv + [f"{scheme}://127.0.0.1:{port}/{path}"], check=False)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def audit(self):
        with open(os.path.join(self.heddle.state_dir, "audit.log")) as log:
            return [json.loads(line) for line in log]


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


def test_tls_roles(net):
    """Who has which right: by certificate and by password."""
    put = ("-X", "PUT", "-H", "Content-Type: application/yang-data+json", "-d", '{"heddle-interfaces:mtu": 1450}')
    assert net.curl(MTU, cert="alice")[0] == 200
    assert net.curl(MTU, *put, cert="alice")[0] == 204
    assert net.curl(MTU, cert="monitor.example")[0] == 200
    assert net.curl(MTU, *put, cert="monitor.example")[0] == 403
    status, text = net.curl(MTU, cert="stranger")
    assert status == 403 and "stranger" in text
    assert net.curl(MTU, user="bob:correct horse") == (200, '{\n  "heddle-interfaces:mtu": 1450\n}\n')
    assert net.curl(MTU, *put, user="bob:correct horse")[0] == 204
    assert net.curl(MTU, user="carol:only reading")[0] == 200
    status, text = net.curl(MTU, *put, user="carol:only reading")
    assert status == 403 and '"access-denied"' in text
    status, text = net.curl("restconf/operations/heddle-system:commit", "-d", "{}", user="carol:only reading")
    assert status == 403, text
    found = {(e["user"], e["status"]) for e in net.audit() if e["method"] == "PUT"}
    assert {("alice", 204), ("prometheus", 403), ("bob", 204), ("carol", 403)} <= found
    assert all("127.0.0.1 port" in e["from"] for e in net.audit() if e["user"] == "alice")
    users = {v.get("user") for v in net.heddle.json("history")["heddle-system:history-state"]["version"]}
    assert "alice" in users


def test_tls_refusals(net):
    """No name, a wrong name, a wrong password, another authority's certificate; and no HTTP without TLS."""
    status, text = net.curl(MTU)
    assert status == 401 and "ietf-restconf:errors" in text
    assert net.curl(MTU, cert="false-alice")[0] in (0, 401)
    for user in ("bob:wrong horse", "nobody:correct horse", "bob:", ":", "bob"):
        assert net.curl(MTU, "-H", "X: y", user=user)[0] == 401, user
    assert net.curl(MTU, "-H", "Authorization: Basic !!!")[0] == 401
    assert net.curl(MTU, "-H", "Authorization: Bearer x")[0] == 401
    assert net.curl(MTU, scheme="http")[0] == 0
    assert net.curl(MTU, "--tls-max", "1.1", cert="alice")[0] == 0
    assert any(e["status"] == 401 and e["user"] == "bob" for e in net.audit())
    # a body is not even read of somebody who may not send one
    big = net.lab.write("big", "x" * (2 << 20))
    assert net.curl(MTU, "-X", "PUT", "-d", f"@{big}")[0] in (0, 401)


def test_passwords_are_not_checked_on_the_loop(net):
    """Many wrong passwords at once: the Unix socket answers as before, and those that wait are bounded."""
    many = [subprocess.Popen(net.hd.argv(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-u", f"bob:wrong {i}xx",
                                          f"https://127.0.0.1:{PORT}/{MTU}"]), stdout=subprocess.PIPE, text=True)
            for i in range(12)]
    slowest, n = 0, 0
    while any(curl.poll() is None for curl in many):
        start = time.monotonic()
        net.api.get("data/heddle-system:system-state")
        slowest = max(slowest, time.monotonic() - start)
        n += 1
    codes = {curl.communicate()[0] for curl in many}
    print(f"{n} requests meanwhile, the slowest {slowest * 1000:.0f} ms; {codes}")
    assert codes <= {"401", "503"}
    assert n > 5 and slowest < 2


def test_server_settings_are_checked_first(net):
    """What cannot be served is refused with the path, and nothing has changed."""
    good = net.config()
    net.lab.run(["cp", net.passwords, net.lab.path("open-passwd")])
    os.chmod(net.lab.path("open-passwd"), 0o644)
    bad = {
        "certificate": ("certificate", "/nowhere/x.crt", "No such file"),
        "key of another": ("key", net.lab.path("alice.key"), "certificate and key"),
        "no authority": ("client-ca", net.passwords, "client-ca"),
        "address of nobody": ("address", "192.0.2.1", "cannot be bound"),
    }
    for leaf, value, says in bad.values():
        config = json.loads(json.dumps(good))
        config["system"]["api"]["server"][0][leaf] = value
        if leaf == "certificate":
            config["system"]["hostname"] = "changed"
        answer = net.api.ask("POST", "operations/heddle-system:load", {"heddle-system:input": {"config": json.dumps(config)}})
        assert answer.status == 400 and says in answer.text, answer.text
        assert "/heddle-system:system/api/server[name='main']" in answer.error[1]
    for changes, says in (({"password-file": net.lab.path("open-passwd")}, "chmod"),
                          ({"password-file": net.lab.path("ca.crt")}, "line 1"),
                          ({"write-group": "no-such-group"}, "no such group")):
        answer = net.api.ask("POST", "operations/heddle-system:load",
                             {"heddle-system:input": {"config": json.dumps(net.config(**changes))}})
        assert answer.status == 400 and says in answer.text, answer.text
    assert net.curl(MTU, cert="alice")[0] == 200
    assert net.api.ask("GET", "data/heddle-system:system/hostname").status == 404


def test_server_moves_and_renews(net):
    """Another port, another certificate on the same port, and the answer to the request that asked for it."""
    moved = net.config()
    moved["system"]["api"]["server"][0]["port"] = PORT + 1
    put = ("-X", "PUT", "-H", "Content-Type: application/yang-data+json",
           "-d", json.dumps({"heddle-system:port": PORT + 1}))
    assert net.curl("restconf/data/heddle-system:system/api/server=main/port", *put, cert="alice")[0] in (201, 204)
    wait_for("the old port to close", lambda: net.curl(MTU, cert="alice")[0] == 0, 5)
    assert net.curl(MTU, cert="alice", port=PORT + 1)[0] == 200
    net.api.load(net.config())
    wait_for("the port to come back", lambda: net.curl(MTU, cert="alice")[0] == 200, 5)

    def served():
        said = net.hd.run("openssl s_client -connect 127.0.0.1:8443 -showcerts", stdin="", check=False).stdout
        return re.search(r"BEGIN CERT.*?END CERT", said, re.S).group(0)

    old = served()
    certificate(net.lab, "ca", "server", "subjectAltName=IP:127.0.0.1\n")
    net.api.load(net.config())
    wait_for("the new certificate", lambda: served() != old, 5)
    assert net.curl(MTU, cert="alice")[0] == 200


def as_user(net, groups, *argv):
    """Run as nobody, in these groups."""
    return net.hd.run(["setpriv", "--reuid=65534", "--regid=65534", f"--groups={groups}", "--", *argv], check=False)


def test_unix_groups(net):
    """Peer credentials decide on the Unix socket: a group that reads, one that writes, and nobody else."""
    socket = net.api.socket

    def get(groups, method="GET"):
        done = as_user(net, groups, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", socket, "-X",
                       method, "http://x/restconf/data/heddle-interfaces:interfaces/interface=core/description")
        return done.stdout

    games, users = 60, 100  # of every Debian
    assert get(games) == "000", "the file's mode keeps others out"
    assert "permission denied" in as_user(net, games, CLI, "--socket", socket, "show", "version").stderr
    net.api.load(net.config(**{"write-group": "games"}))
    assert get(games, "DELETE") == "404" and get(users) == "000"
    net.api.load(net.config(**{"write-group": "games", "read-group": "users"}))
    assert get(games, "DELETE") == "404"
    assert get(users) == "404" and get(users, "DELETE") == "403"
    assert get(65534) == "403"
    net.api.load(net.config())
    assert get(games) == "000"


def test_entity_tags(net):
    """Two who read the same: the second to write is told, and may look again."""
    url = "http://x/" + MTU
    argv = ["curl", "-s", "-i", "--unix-socket", net.api.socket, url]
    tag = re.search(r"ETag: (\S+)", net.hd.out(argv)).group(1)
    put = [*argv, "-X", "PUT", "-H", "Content-Type: application/yang-data+json", "-H", f"If-Match: {tag}", "-d"]
    assert " 204 " in net.hd.out([*put, '{"heddle-interfaces:mtu": 1401}'])
    refused = net.hd.out([*put, '{"heddle-interfaces:mtu": 1402}'])
    assert " 412 " in refused and "operation-failed" in refused
    new = re.search(r"ETag: (\S+)", refused).group(1)
    assert new != tag and "1401" in net.hd.out(argv)
    assert " 304 " in net.hd.out([*argv, "-H", f"If-None-Match: {new}"])


class Events:
    """curl on the event stream; the notifications that came."""

    def __init__(self, net, name, *words):
        self.process = net.hd.popen(name, ["curl", "-sN", "--unix-socket", net.api.socket, *words,
                                           "http://x/restconf/streams/NETCONF"])
        wait_for("the stream", lambda: ": heddle" in self.process.log() or "data:" in self.process.log(), 10)

    def all(self, name=None):
        found = [json.loads(line[6:])["ietf-restconf:notification"]
                 for line in self.process.log().splitlines() if line.startswith("data: ")]
        return [n for n in found if name is None or f"heddle-system:{name}" in n]


def test_events_of_commits_and_data_planes(net):
    events = Events(net, "events")
    net.heddle.cli("set", "interfaces", "interface", "core", "mtu", "1403")
    net.heddle.cli("commit", "confirmed", "60", "--comment", "told to all")
    change = wait_for("the event", lambda: events.all("config-change"), 5)[-1]["heddle-system:config-change"]
    assert change["comment"] == "told to all" and change["confirm-seconds"] == 60 and change["user"] == "root"
    net.heddle.cli("confirm")
    wait_for("the confirmation", lambda: events.all("confirmation"), 5)
    net.heddle.kill_dp()
    net.heddle.start_dp()
    wait_for("both data planes", lambda: {"true", "false"} <= {
        str(n["heddle-system:dataplane-state"]["connected"]).lower() for n in events.all("dataplane-state")}, 20)
    net.heddle.wait_ready()
    last = int(re.findall(r"^id: (\d+)", events.process.log(), re.M)[-1])
    events.process.stop()
    # one that comes back gets what it missed
    again = Events(net, "events-again", "-H", f"Last-Event-ID: {last - 2}")
    wait_for("what was missed", lambda: len(again.all()) >= 2, 5)
    again.process.stop()
    told = net.heddle.cli("events").stdout
    assert "told to all" in told and "dataplane-state" in told


def test_metrics(net):
    """A scrape is OpenMetrics to a strict parser, and the older format to its own; both say what `show` says."""
    done = net.curl("metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0", cert="monitor.example")
    assert done[0] == 200
    strict = {f.name: f for f in open_metrics(done[1] + "\n" if not done[1].endswith("\n") else done[1])}
    plain = {f.name: f for f in plain_metrics(net.curl("metrics", cert="monitor.example")[1])}
    assert set(strict) == set(plain)
    for name, labels in (("heddle_interface_rx_packets", {"interface"}), ("heddle_node_calls", {"node"}),
                         ("heddle_drop_packets", {"node", "reason", "severity"}), ("heddle_worker_loops", {"worker"}),
                         ("heddle_process_cpu_seconds", {"process"})):
        assert strict[name].type == "counter" and strict[name].samples, name
        assert all(set(s.labels) == labels for s in strict[name].samples), name
    names = {s.labels["interface"] for s in strict["heddle_interface_rx_packets"].samples}
    assert names == {"core"}
    revision = net.api.get("data/heddle-system:system-state")["heddle-system:system-state"]["configuration"]["revision"]
    assert strict["heddle_configuration_revision"].samples[0].value == revision
    assert strict["heddle_dataplane_synchronised"].samples[0].value == 1


def test_metrics_before_prometheus(net):
    """Prometheus' own tool has nothing against them: names, units, types and help texts are as they should be."""
    status, text = net.curl("metrics", cert="monitor.example")
    done = net.hd.run("promtool check metrics", stdin=text, check=False)
    assert status == 200 and (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stdout + done.stderr


def test_commands_of_the_api(net):
    """Every command prints JSON on demand."""
    for words in ("history", "candidate show", "show metrics", "diff", "events --count 1"):
        out = net.heddle.cli(*words.split(), "--json", check=False).stdout
        json.loads(out.splitlines()[0] if words.startswith("events") else out)
