"""One server under test, driven from outside: its folder, its process, its people, its clients."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

PASSWORD = "faults are found here 1"
START_SECONDS = 60
ANSWER_SECONDS = 30
# Any error of a connection that was cut: the command's fate is unknown.
CUT = (OSError, http.client.HTTPException)


class Failure(Exception):
    """A check that did not hold."""


class Skip(Exception):
    """This machine cannot run the test."""


def expect(holds, sentence):
    if not holds:
        raise Failure(sentence)


class Server:
    """The process. Everything is started in a process group of its own and ended by that id."""

    every = []  # so that whoever ends the harness can end them all

    def __init__(self, binary, folder):
        Server.every.append(self)
        self.binary, self.folder = str(binary), Path(folder)
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.process, self.port, self.starts = None, 0, 0

    def spawn(self, options=(), env=None, before=()):
        self.starts += 1
        self.out = self.folder / "server.out"
        words = [*before, self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0", *options]
        with open(self.out, "wb") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(w) for w in words], stdout=out, stderr=log, start_new_session=True,
                env=dict(os.environ, CALLWARDEN_LANG="en", **(env or {})))

    def start(self, **how):
        self.spawn(**how)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            lines = self.out.read_text().splitlines()
            if lines and lines[0].startswith("Serving at http://"):
                self.port = int(lines[0].rsplit(":", 1)[1])
                return
            if self.process.poll() is not None:
                raise Failure(f"the server ended with {self.process.returncode} as it started: {self.last_words()}")
            time.sleep(0.01)
        self.kill()
        raise Failure(f"the server did not start within {START_SECONDS} s")

    def last_words(self):
        if not self.log.exists():
            return "(it was never started)"
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "(it said nothing)"

    def one_time_password(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for line in self.out.read_text().splitlines():
                if line.startswith("First sign-in"):
                    return line.split()[-1]
            time.sleep(0.01)
        raise Failure("no one-time password was printed on the first start")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        if self.alive():
            self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def stop(self):
        if self.alive():
            self.signal(signal.SIGTERM)
            try:
                code = self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Failure("the server did not stop within 30 s of SIGTERM") from None
            expect(code == 0, f"the server ended with {code} on SIGTERM: {self.last_words()}")

    def copy_of(self, other):
        """Takes over the folder of a stopped server."""
        shutil.copytree(other.data, self.data)


class Client:
    """One connection. Each client may have a loopback address of its own: limits are per peer."""

    def __init__(self, server, who=None, number=1):
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", server.port, timeout=ANSWER_SECONDS, source_address=(f"127.0.0.{number}", 0))
        self.headers = {"Accept-Language": "en", **(who or {})}

    def ask(self, method, path, body=None, key=None):
        """Status, parsed body and headers. Raises one of CUT when no whole answer came."""
        headers = dict(self.headers)
        if key:
            headers["Idempotency-Key"] = key
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/octet-stream"
        elif body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.connection.request(method, "/api/v1" + path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None, answer.headers

    def must(self, method, path, body=None):
        status, answer, headers = self.ask(method, path, body)
        expect(status < 300, f"{method} {path}: {status} {answer}")
        return answer, headers


def sign_in(server, login, password, new_password):
    """Signs in with a one-time password, changes it, gives the headers of the session."""
    client = Client(server)
    session, headers = client.must("POST", "/session", {"login": login, "password": password})
    client.headers["Cookie"] = headers["Set-Cookie"].split(";")[0]
    client.headers["X-CSRF"] = session["csrf"]
    client.must("POST", "/session/password", {"old_password": password, "new_password": new_password})
    return client, session


def settle(server):
    """On a first start: an administrator and a shift lead. Gives the lead's headers and id."""
    admin, session = sign_in(server, "admin", server.one_time_password(), PASSWORD)
    org = session["org"]["id"]
    made, _ = admin.must("POST", "/people", {
        "name": "Lead", "login": "lead", "staff_no": "1001", "org": org,
        "grants": [{"role": "lead", "org": org}]})
    lead, session = sign_in(server, "lead", made["secret"], PASSWORD + " too")
    return lead.headers, session["person"]["id"]
