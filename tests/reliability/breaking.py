"""Processes to kill, stop and watch.

Run as a script this file is a helper that has imported everything and forks a process whenever it is told to: the processes
begin at once, so that most of the life of each is what is to be broken.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil


class Child:
    """A process of a ``Nursery``."""

    def __init__(self, nursery, pid, said):
        self.nursery, self.pid, self._said = nursery, pid, said
        self.process = psutil.Process(pid)

    @property
    def said(self):
        """All that it printed so far."""
        return self._said.read_text()

    def running(self):
        return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE

    def kill(self):
        self.process.kill()

    def wait(self, seconds=240):
        """Its exit status; negative where a signal ended it."""
        wait_until(lambda: not self.running(), seconds, f"process {self.pid} to end")
        return self.nursery.ask(wait=self.pid)

    def watch(self, progress, seconds=7200):
        """(progress, bytes in memory, open files, threads), each time ``progress()`` has grown, until it ends."""
        rows, seen = [], 0
        until = time.monotonic() + seconds
        while self.running() and time.monotonic() < until:
            if (now := progress()) > seen:
                seen = now
                try:
                    measured = self.process.memory_full_info().uss, self.process.num_fds(), self.process.num_threads()
                except psutil.Error:
                    break
                if measured[0]:  # it still has memory
                    rows.append((now, *measured))
            time.sleep(0.02)
        return rows


class Nursery:
    """Starts processes from a helper, in whose environment is what is given besides."""

    def __init__(self, folder, **environment):
        self.folder = folder
        self.count = 0
        quiet = os.environ | {"OMP_NUM_THREADS": "1"} | environment
        command = [sys.executable, __file__]
        self.helper = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet, cwd=folder
        )

    def ask(self, **words):
        self.helper.stdin.write(json.dumps(words) + "\n")
        self.helper.stdin.flush()
        return int(self.helper.stdout.readline())

    def start(self, *arguments, call="attseg", cwd=None):
        """A process that runs ``attseg`` with these arguments, or another one of ``CALLS``."""
        self.count += 1
        said = self.folder / f"said-{self.count}"
        said.touch()
        words = [str(argument) for argument in arguments]
        return Child(self, self.ask(call=call, words=words, said=str(said), cwd=str(cwd or self.folder)), said)

    def close(self):
        for child in psutil.Process(self.helper.pid).children(recursive=True):
            child.kill()
        self.helper.stdin.close()
        self.helper.wait()
        self.helper.stdout.close()


@contextmanager
def nursery(folder, **environment):
    """A ``Nursery`` that ends with the block, and all its processes with it."""
    children = Nursery(folder, **environment)
    try:
        yield children
    finally:
        children.close()


def wait_until(condition, seconds, what):
    """Wait for something to become true; fail with ``what`` was waited for."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited {seconds} s for {what}"
        time.sleep(0.005)


def write_pictures(root, splits=("train", "val"), count=5, size=(64, 80)):
    """A data folder of noise, small enough to be read in no time."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for split in splits:
        for index in range(count):
            for kind, shape, most in (("images", (*size, 3), 256), ("labels", size, 3)):
                file = root / kind / split / f"{split}{index}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(rng.integers(0, most, shape).astype(np.uint8)).save(file)
    (root / "classes.csv").write_text("index,name,r,g,b\n0,sky,0,0,255\n1,road,0,255,0\n2,car,255,0,0\n")
    return root


def steps(run):
    """Steps in the log of a run."""
    file = run / "metrics.csv"
    rows = file.read_text().splitlines()[1:] if file.exists() else []
    whole = [row.split(",")[0] for row in rows if row.count(",") >= 5]
    return int(whole[-1]) if whole and whole[-1].isdigit() else 0


def _attseg(*words):
    from attseg.cli import main

    return main(list(words))


def _leak(*words):
    """Train, and leave memory and a file open in each step."""
    from attseg.cli import main
    from attseg.training import loop

    kept, train_step = [], loop.train_step

    def leave(*arguments):
        kept.append((np.ones(25_000), Path(__file__).open()))  # noqa: SIM115
        return train_step(*arguments)

    loop.train_step = leave
    return main(list(words))


def _predict(count, progress, *files):
    """Segment pictures again and again, and tell how many were done."""
    import attseg

    segmenter = attseg.load("demo", device="cpu")
    for done in range(1, int(count) + 1):
        segmenter(files[done % len(files)])
        if done % 20 == 0:
            Path(progress).write_text(str(done))
    return 0


def _on_a_small_disk(most, scratch, *words):
    """``attseg`` with a limit on the bytes of a file, and its temporary files in ``scratch``."""
    import resource
    import tempfile

    from attseg.cli import main

    tempfile.tempdir = scratch
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    return main(list(words))


CALLS = {"attseg": _attseg, "small disk": _on_a_small_disk, "leak": _leak, "predict": _predict}


def _serve():
    # imported once, and shared by all that are forked
    import torch

    import attseg.cli.train
    import attseg.demo
    import attseg.evaluation.plots
    import attseg.inference.segmenter
    import attseg.training.run  # noqa: F401

    torch.set_num_threads(1)
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if not pid:
            _become(asked)
        print(pid, flush=True)


def _become(asked):
    status = 70
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing, said = os.open(os.devnull, os.O_RDONLY), os.open(asked["said"], os.O_WRONLY | os.O_APPEND)
        for new, old in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(new, old)
        os.chdir(asked["cwd"])
        status = CALLS[asked["call"]](*asked["words"])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
