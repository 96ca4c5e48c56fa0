"""A power cut, modelled: what was not synced is gone, in whole or in any subset of sectors."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from world import Skip

SECTOR = 512


def is_modelled(name):
    """Keep in step with unsynced.c."""
    return ".db" in name and "-shm" not in name and ".reserve" not in name


class Disk:
    """The server's folder as the disk holds it. One for each server."""

    def __init__(self, server):
        self.server = server
        self.shadow = server.folder / "shadow"
        self.library = server.folder / "unsynced.so"
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            raise Skip("there is no C compiler for the library that watches syncs")
        source = Path(__file__).with_name("unsynced.c")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", self.library, source, "-ldl", "-pthread"], check=True)

    def start(self, **how):
        """What lies in the folder now counts as durable."""
        shutil.rmtree(self.shadow, ignore_errors=True)
        self.shadow.mkdir()
        for file in self.files(self.server.data):
            shutil.copy(file, self.shadow / file.name)
        env = {"LD_PRELOAD": str(self.library), "CW_SHADOW": str(self.shadow)}
        self.server.start(env=env, **how)

    @staticmethod
    def files(folder):
        return [f for f in folder.iterdir() if f.is_file() and is_modelled(f.name)] if folder.is_dir() else []

    def cut(self, chance=None):
        """Stops the server dead. With `chance`, each unsynced sector survives or not; else none."""
        self.server.signal(signal.SIGSTOP)
        self.server.kill()
        dropped = 0
        for file in self.files(self.server.data):
            dropped += self.lose(file, chance)
        for file in self.server.data.glob("*-shm"):
            file.unlink()
        return dropped

    def lose(self, file, chance):
        durable = self.shadow / file.name
        old = durable.read_bytes() if durable.exists() else b""
        new = file.read_bytes()
        if old == new:
            return 0
        kept, dropped = bytearray(old), 0
        for at in range(0, max(len(old), len(new)), SECTOR):
            sector = new[at:at + SECTOR]
            if sector == old[at:at + SECTOR]:
                continue
            if chance and chance.random() < 0.5:
                if len(kept) < at:
                    kept.extend(bytes(at - len(kept)))  # a hole reads as zeros
                kept[at:at + SECTOR] = sector
            else:
                dropped += 1
        if not kept and not durable.exists():
            os.unlink(file)  # never synced: not even its name need survive
        else:
            file.write_bytes(kept)
        return dropped
