# SPDX-License-Identifier: BSD-3-Clause
"""RESTCONF over heddle-ctrl's Unix socket, on one connection that is kept, for labs that ask often."""

import http.client
import json
import os
import socket
import time


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("heddle", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    def json(self):
        return json.loads(self.text)

    @property
    def error(self):
        """(error-tag, error-path, error-message) of the first error."""
        first = self.json()["ietf-restconf:errors"]["error"][0]
        return first["error-tag"], first.get("error-path", ""), first["error-message"]


class Api:
    def __init__(self, run_dir, timeout=60):
        self.socket = os.path.join(run_dir, "ctrl.sock")
        self.timeout = timeout
        self.connection = None

    def ask(self, method, path, body=None, headers=None):
        """path: behind /restconf/, unless it begins with a slash. body: an object, or text."""
        if self.connection is None:
            self.connection = _UnixConnection(self.socket, self.timeout)
        if body is not None and not isinstance(body, str):
            body = json.dumps(body)
        head = {"Content-Type": "application/yang-data+json"} if body is not None else {}
        head.update(headers or {})
        try:
            self.connection.request(method, path if path.startswith("/") else f"/restconf/{path}", body, head)
            return Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise

    def must(self, method, path, body=None, headers=None):
        # one configuration at a time: another one may still be on its way
        for _ in range(100):
            answer = self.ask(method, path, body, headers)
            if answer.status != 409 or '"in-use"' not in answer.text:
                break
            time.sleep(0.05)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text}"
        return answer

    def get(self, path):
        return self.must("GET", path).json()

    def call(self, name, **leaves):
        """An operation of heddle-system; its output, or None."""
        body = {"heddle-system:input": {k.replace("_", "-"): v for k, v in leaves.items()}}
        answer = self.must("POST", f"operations/heddle-system:{name}", body)
        return answer.json()["heddle-system:output"] if answer.text else None

    def load(self, config):
        """Make this the running configuration: a dict, or text."""
        return self.call("load", config=config if isinstance(config, str) else json.dumps(config))
