"""The faults, one function each: takes a server that was never started, gives a sentence."""

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import time

from observer import PROCEDURE, Load, Observer
from powercut import Disk
from world import Client, Failure, Server, Skip, expect, settle

ROUNDS = max(1, min(1000, int(os.environ.get("CALLWARDEN_FAULT_ROUNDS", "50"))))
SEED = os.environ.get("CALLWARDEN_FAULT_SEED", "callwarden")
MIB = 1 << 20


def settled(server, start=None, **how):
    """A started server with a person at work, and its observer."""
    (start or server.start)(**how)
    who, actor = settle(server)
    return who, Observer(actor)


def load_for(server, who, observer, seconds):
    """Load, a fault that the caller makes after `seconds`, and the clients' end."""
    load = Load(server, who, observer)
    time.sleep(seconds)
    return load


def kill_9(server):
    """Rounds of SIGKILL under load, some while the server still starts."""
    chance = random.Random(SEED)
    who, observer = settled(server)
    repeated = sent_again = at_start = 0
    for number in range(ROUNDS):
        load = load_for(server, who, observer, chance.uniform(0.05, 1.0))
        server.kill()
        load.join()
        observer.verify_ledger(server.binary, server.data)
        if number % 5 == 4:  # killed as it recovers from the kill before
            server.spawn()
            time.sleep(chance.uniform(0.0, 0.5))
            server.kill()
            at_start += 1
        server.start()
        observer.nothing_lost(server.data)
        sent_again += len(observer.unknown)
        repeated += observer.repeat(server, who)
    observer.nothing_lost(server.data)
    observer.ledger_catches_up(server)
    server.stop()
    return (f"{ROUNDS} rounds and {at_start} kills during start; {len(observer.acknowledged)} acknowledged, "
            f"lost=0, doubled=0; {repeated} repeated with the same answer, {sent_again} of unknown fate sent "
            f"again; {observer.entries} entries, all under the last checkpoint")


def power_cut(server):
    """The same cut with full sync loses nothing acknowledged."""
    chance = random.Random(SEED)
    disk = Disk(server)
    who, observer = settled(server, disk.start)
    rounds, dropped = max(2, ROUNDS // 4), 0
    for number in range(rounds):
        load = load_for(server, who, observer, chance.uniform(0.1, 1.0))
        dropped += disk.cut(chance if number % 2 else None)
        load.join()
        observer.verify_ledger(server.binary, server.data)
        disk.start()
        observer.nothing_lost(server.data)
        observer.repeat(server, who)
    observer.nothing_lost(server.data)
    observer.ledger_catches_up(server)
    server.stop()
    return (f"{rounds} cuts, {dropped} unsynced sectors dropped; {len(observer.acknowledged)} acknowledged, "
            f"lost=0, doubled=0")


def power_cut_without_sync(server):
    """The harness can see: without a sync for each commit the same cut must lose something."""
    disk = Disk(server)
    who, observer = settled(server, disk.start, options=["--no-sync"])
    load = load_for(server, who, observer, 3.0)
    disk.cut()
    load.join()
    lost, _ = lost_after_cut(observer, server)
    count = len(observer.acknowledged)
    expect(lost > 0, f"{count} acknowledged without a sync and nothing was lost: the harness is blind")
    told = f"{lost} of {count} acknowledged reported lost"
    signed = int((server.data / "ledger" / "checkpoint").read_bytes().split(b"\n")[1])
    if signed <= observer.entries:
        return f"{told}; the {observer.entries} entries left are all that was signed"
    # The ledger's files were synced, so the record is now shorter than what was signed.
    try:
        disk.start(options=["--no-sync"])
    except Failure as why:
        expect("ledger.shorter" in str(why), f"the server did not start, but not for the shorter record: {why}")
        return f"{told}; {observer.entries} entries are left of {signed} signed, and it is not signed again"
    raise Failure(f"{observer.entries} entries are left of {signed} signed, yet the server signs on")


def lost_after_cut(observer, server):
    """Counts on a copy: looking must not be what repairs the folder."""
    copy = server.folder / "looked-at"
    copy.mkdir()
    for name in ("journal.db", "journal.db-wal"):
        if (server.data / name).exists():
            shutil.copy(server.data / name, copy / name)
    db = sqlite3.connect(copy / "journal.db")
    has = db.execute("SELECT count(*) FROM sqlite_schema WHERE name='block'").fetchone()[0]
    db.close()
    if not has:
        observer.entries = 0
        return len(observer.acknowledged), []
    lost, doubled = observer.look(copy)
    return len(lost), doubled


# ---- disk full ----

@contextlib.contextmanager
def small_disk(folder, mib):
    if os.geteuid() != 0:
        raise Skip("a small tmpfs needs root")
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode != 0:
        raise Skip(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def free(folder):
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def fill(folder, leave=0):
    """Takes all but `leave` bytes. Gives the filler's path."""
    path = folder / "filler"
    with open(path, "ab", buffering=0) as file:
        with contextlib.suppress(OSError):
            while (room := free(folder) - leave) > 0:
                file.write(bytes(min(room, 1 << 16)))
    return path


def until(holds, seconds, sentence):
    end = time.monotonic() + seconds
    while not (result := holds()):
        expect(time.monotonic() < end, f"{sentence} within {seconds} s")
        time.sleep(0.1)
    return result


def full_twice(server, observer, client, folder):
    """Filled to the brim from outside: 503 with the reason, reads work, and no restart is needed."""
    note = f"/cases/{observer.cases[-1]}/notes"
    process = server.process.pid
    for _ in range(2):
        filler = fill(folder)
        refusal = until(lambda: (a := observer.post(client, note, {"text": "full"}))[0] == 503 and a, 10,
                        "a write on a full disk was not refused")
        expect(refusal[1]["code"] == "journal.disk-full", f"refused for another reason: {refusal[1]}")
        for path in ("/cases?mode=all", note.removesuffix("/notes"), "/session"):
            status, answer, _ = client.ask("GET", path)
            expect(status == 200, f"GET {path} on a full disk: {status} {answer}")
        filler.unlink()
        until(lambda: observer.post(client, note, {"text": "room"})[0] < 300, 20, "writes did not come back")
    expect(server.alive() and server.process.pid == process, "the server ended on a full disk")


def full_inside_commits(server, who, observer, folder):
    """Commits larger than what is left and than what the log, which is begun anew in its place, has
    grown to so far."""
    client = Client(server, who, 70)
    observer.post(client, "/cases", {"procedure": PROCEDURE, "form": {
        "discovered_at": "2026-11-22T00:00:00Z", "summary": "s"}})
    path = f"/cases/{observer.cases[-1]}/evidence"
    for number in range(3):
        filler = fill(folder, leave=9 * MIB // 2)
        observer.post(client, f"{path}?name=e{number}", b"e" * (15 * MIB // 2))
        filler.unlink()
        until(lambda: observer.post(client, path.replace("evidence", "notes"), {"text": "room"})[0] < 300, 20,
              "writes did not come back after a commit that found the disk full")


def full_under_load(server, who, observer, folder):
    """The room runs out at any moment: load against a filler that comes and goes."""
    load = Load(server, who, observer)
    chance = random.Random(SEED)
    for _ in range(8):
        filler = fill(folder)
        time.sleep(chance.uniform(0.05, 0.4))
        filler.unlink()
        time.sleep(chance.uniform(0.1, 0.6))
    load.join()


def disk_full(server):
    with small_disk(server.folder / "small", 128):
        folder = server.folder / "small"
        server.data = folder / "data"
        who, observer = settled(server, options=["--reserve-mib", "16"])
        full_inside_commits(server, who, observer, folder)
        load_for(server, who, observer, 0.5).join()
        full_twice(server, observer, Client(server, who, 70), folder)
        full_under_load(server, who, observer, folder)
        used = server.log.read_text().count("the reserve is used")
        expect(used > 0, "no commit met a full disk: the test did not reach what it is for")
        expect(server.alive() and server.starts == 1, "the server ended on a full disk")
        observer.nothing_lost(server.data)
        observer.ledger_catches_up(server)
        server.kill()
        observer.verify_ledger(server.binary, server.data)
        server.start(options=["--reserve-mib", "16"])
        observer.nothing_lost(server.data)
        server.stop()
    return (f"{len(observer.acknowledged)} acknowledged, lost=0; {len(observer.refused)} refused with 503 and not "
            f"written; {used} commits met SQLITE_FULL and went through on the reserve; one process throughout")


# ---- failing syscalls ----

def ptrace_works():
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    tried = subprocess.run(["strace", "-o", "/dev/null", "-e", "inject=getpid:retval=1", "true"], capture_output=True)
    if tried.returncode != 0:
        raise Skip("ptrace is not permitted here")


def one_failing_call(first, folder, who, observer, call, error, when):
    """A server on a copy of `first`'s folder, in which call number `when` on the log fails."""
    server = Server(first.binary, folder)
    server.copy_of(first)
    before = ["strace", "-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null", "-P", server.data / "journal.db-wal",
              "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}"]
    server.start(before=before)
    load = Load(server, who, observer)
    try:
        code = server.process.wait(15)
    except subprocess.TimeoutExpired:
        code = None
    load.join()
    if code is None:
        server.stop()
    server.start()
    observer.nothing_lost(server.data)
    observer.repeat(server, who)
    observer.nothing_lost(server.data)
    observer.ledger_catches_up(server)
    server.stop()
    return code


def failing_sync(server):
    """One fsync or write of a commit fails: the process ends, and what was answered is there."""
    ptrace_works()
    chance = random.Random(SEED)
    who, base = settled(server)
    server.stop()
    acknowledged, told = 0, []
    for number, (call, error) in enumerate([("fdatasync", "EIO"), ("fdatasync", "EIO"), ("pwrite64", "EIO")]):
        when = chance.randrange(4, 60)
        observer = Observer(base.actor)
        folder = server.folder / f"call{number}"
        folder.mkdir()
        code = one_failing_call(server, folder, who, observer, call, error, when)
        expect(code == 70, f"{call} number {when} failed with {error}, and the server went on or ended with {code}")
        acknowledged += len(observer.acknowledged)
        told.append(f"{call} {when} {error}")
    return f"the process ended on each of {', '.join(told)}; {acknowledged} acknowledged, lost=0"


ALL = {"kill-9": kill_9, "power-cut": power_cut, "power-cut-without-sync": power_cut_without_sync,
       "disk-full": disk_full, "failing-sync": failing_sync}
