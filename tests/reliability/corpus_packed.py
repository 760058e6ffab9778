"""Archives and videos."""

import io
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np


def archive(rng):
    files = {
        f"set/{'sub/' * int(rng.integers(3))}{number}.txt": rng.bytes(int(rng.integers(400))) for number in range(5)
    }
    if rng.random() < 0.3:
        name = (
            "../out.txt",
            "/tmp/attseg-out.txt",
            "set/../../out.txt",
            "set/\u00e9",
            "set/" + "n" * 300,
            "set/0.txt/x",
        )
        files[name[rng.integers(len(name))]] = b"x"
    suffix = (".zip", ".tar", ".tgz")[rng.integers(3)]
    buffer = io.BytesIO()
    if suffix == ".zip":
        with zipfile.ZipFile(buffer, "w", int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz" if suffix == ".tgz" else "w") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                if rng.random() < 0.05:
                    info.type, info.linkname = (
                        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE)[rng.integers(3)],
                        "/etc",
                    )
                archive.addfile(info, io.BytesIO(content))
    return f"archive{suffix}", buffer.getvalue(), files


def video(rng):
    """Six frames of blocks."""
    import av

    suffix, codec = (("mp4", "libx264"), ("avi", "mpeg4"), ("mkv", "libx264"), ("mov", "mjpeg"), ("mkv", "ffv1"))[
        rng.integers(5)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder, f"film.{suffix}")
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = 32, 48
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for _ in range(6):
                blocks = rng.integers(0, 256, (4, 6, 3), np.uint8).repeat(8, 0).repeat(8, 1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(blocks, format="rgb24")))
            container.mux(stream.encode(None))
        return path.name, path.read_bytes(), 6
