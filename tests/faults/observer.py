"""What the outside saw, and whether the record still says so."""

import hashlib
import json
import random
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

from world import CUT, Client, Failure, expect

PROCEDURE = "plan.customer-leak"
CLIENTS = 4
REPEATS_MAX = 40


def command_id(actor, path, key):
    """How the server names a command: its key, bound to the caller and the request's path."""
    text = f"{actor}\nPOST\n/api/v1{path.split('?')[0]}\n{key}"
    return "key-" + hashlib.sha256(text.encode()).hexdigest()[:48]


def entries_of(db):
    """Each entry with its number. A block's entries stand each after its length in two bytes."""
    for first, count, entries in db.execute("SELECT first, count, entries FROM block ORDER BY first"):
        for seq in range(first, first + count):
            size = int.from_bytes(entries[:2], "big")
            yield seq, entries[2:2 + size]
            entries = entries[2 + size:]
        expect(not entries, f"the block from {first} holds more than its {count} entries")


class Observer:
    """Every command sent and what became of it. Thread-safe."""

    def __init__(self, actor):
        self.actor, self.mutex = actor, threading.Lock()
        self.acknowledged = {}  # key -> (path, body, status, answer)
        self.unknown = {}       # key -> (path, body): no answer came
        self.refused = {}       # key -> path: "nothing was written"
        self.cases, self.fresh = [], []
        self.seen = []          # digest of each entry ever read
        self.checkpoint, self.size, self.vkey = None, 0, None
        self.next = 0

    def key(self):
        with self.mutex:
            self.next += 1
            return f"fault-{self.next:08d}"

    def sent(self, key, path, body, status, answer):
        with self.mutex:
            self.unknown.pop(key, None)
            if status < 300:
                self.acknowledged[key] = (path, body, status, answer)
                self.fresh.append(key)
                if path == "/cases":
                    self.cases = self.cases[-19:] + [answer["id"]]
            elif status in (429, 503):
                self.refused[key] = path
            else:
                raise Failure(f"POST {path}: {status} {answer}")

    def post(self, client, path, body, key=None):
        """One command, recorded. Gives status and answer; raises one of CUT."""
        key = key or self.key()
        with self.mutex:
            self.unknown[key] = (path, body)
        status, answer, _ = client.ask("POST", path, body, key)
        self.sent(key, path, body, status, answer)
        return status, answer

    # ---- checks ----

    def look(self, data):
        """Reads the whole journal. Gives the lost and the doubled keys; fails on any other fault."""
        db = sqlite3.connect(f"file:{data}/journal.db?mode=ro", uri=True, timeout=30)
        try:
            rows = list(entries_of(db))
            sealed = {row[0] for row in db.execute("SELECT commitment FROM sealed_content")}
        finally:
            db.close()
        runs, last = {}, None
        for at, (seq, raw) in enumerate(rows):
            expect(seq == at, f"numbers are not dense: {seq} stands at {at}")
            entry = json.loads(raw)
            expect(entry["seq"] == seq, f"entry {seq} says it is {entry['seq']}")
            if "content" in entry:
                expect(entry["content"] in sealed, f"entry {seq} stands without its sealed content")
            command = entry.get("command")
            if command and command != last:
                runs.setdefault(command, []).append(range(seq, seq + 1))
            elif command:
                runs[command][-1] = range(runs[command][-1].start, seq + 1)
            last = command
        digests = [hashlib.sha256(raw).digest() for _, raw in rows]
        changed = [i for i, (a, b) in enumerate(zip(self.seen, digests)) if a != b]
        lost = []
        for key, (path, _, _, answer) in self.acknowledged.items():
            found = runs.get(command_id(self.actor, path, key), [])
            if not any(answer["seq"] in run for run in found):
                lost.append(key)
        for key, path in self.refused.items():
            expect(command_id(self.actor, path, key) not in runs, f"{key} was refused, yet it was written")
        doubled = [command for command, found in runs.items() if len(found) > 1]
        if not lost and not changed and len(digests) >= len(self.seen):
            self.seen = digests
        elif not lost:
            raise Failure(f"entries that were read before are gone or changed: {changed[:5]}, "
                          f"{len(self.seen)} entries before, {len(digests)} now")
        self.entries = len(rows)
        return lost, doubled

    def nothing_lost(self, data):
        lost, doubled = self.look(data)
        expect(not lost, f"{len(lost)} acknowledged commands are lost: {lost[:5]}")
        expect(not doubled, f"{len(doubled)} commands stand twice: {doubled[:5]}")

    def repeat(self, server, who):
        """Sends the latest commands again under their keys: one answer each, and the same one."""
        client = Client(server, who, 90)
        again = self.fresh[-REPEATS_MAX:]
        again += random.sample(sorted(self.acknowledged), min(10, len(self.acknowledged)))
        for key in again:
            path, body, status, answer = self.acknowledged[key]
            now, then, _ = client.ask("POST", path, body, key)
            expect((now, then) == (status, answer), f"{key} was answered {status} {answer}, then {now} {then}")
        for key, (path, body) in list(self.unknown.items()):
            status, answer = self.post(client, path, body, key)
            expect(status < 300, f"{key} cannot be repeated: {status} {answer}")
        self.fresh = []
        return len(again)

    def verify_ledger(self, binary, data):
        """The published tree, against the checkpoint kept from before."""
        folder, kept = Path(data) / "ledger", Path(data).parent / "kept.checkpoint"
        if not self.vkey:
            self.vkey = (folder / "vkey").read_text().strip()
        words = [binary, "ledger", "verify", folder, "--key", self.vkey, "--lang", "en"]
        if self.checkpoint:
            kept.write_bytes(self.checkpoint)
            words += ["--since", kept]
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120)
        expect(done.returncode == 0, f"the ledger does not verify: {done.stdout}{done.stderr}")
        now = (folder / "checkpoint").read_bytes()
        size = int(now.split(b"\n")[1])
        expect(size >= self.size, f"the checkpoint went back from {self.size} to {size}")
        self.checkpoint, self.size = now, size
        return size

    def ledger_catches_up(self, server, seconds=20):
        """Waits until a checkpoint covers every entry that was read, then verifies."""
        end = time.monotonic() + seconds
        path = server.data / "ledger" / "checkpoint"
        while int(path.read_bytes().split(b"\n")[1]) < self.entries:
            expect(time.monotonic() < end, f"no checkpoint covered {self.entries} entries within {seconds} s")
            time.sleep(0.1)
        return self.verify_ledger(server.binary, server.data)


class Load:
    """Client threads that post until they are stopped or cut off."""

    def __init__(self, server, who, observer, clients=CLIENTS):
        self.server, self.who, self.observer = server, who, observer
        self.ended, self.faults = threading.Event(), []
        self.threads = [threading.Thread(target=self.work, args=(i,), daemon=True) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def work(self, i):
        client = Client(self.server, self.who, 10 + i)
        chance = random.Random(f"{i} {self.observer.next}")
        try:
            while not self.ended.is_set():
                status, _ = self.one(client, chance)
                if status in (429, 503):
                    self.ended.wait(0.05)
        except CUT:
            pass  # its last command stays among the unknown
        except Exception as fault:  # told by join(), in the thread that checks
            self.faults.append(fault)

    def one(self, client, chance):
        cases = self.observer.cases
        if not cases or chance.random() < 0.15:
            return self.observer.post(client, "/cases", {"procedure": PROCEDURE, "form": {
                "discovered_at": "2026-11-22T00:00:00Z", "summary": "s" * chance.randrange(1, 200)}})
        text = "n" * chance.randrange(1, 2000)
        return self.observer.post(client, f"/cases/{chance.choice(cases)}/notes", {"text": text})

    def join(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)
            expect(not thread.is_alive(), "a client waits for an answer for more than a minute")
        if self.faults:
            raise self.faults[0]
