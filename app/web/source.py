"""The source code of the running server, for whoever uses it: the AGPL's section 13, kept by the server itself."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from pathlib import Path

from starlette.responses import Response

SOURCE_URL = "/source"

_HOUSE = Path(__file__).parent.parent.parent
_PACKAGES = ("app", "readers", "firmware_bridge", "migrations")


def source() -> Response:
    """A .tar.gz of the packages as they are installed here, with whatever was changed in them."""
    headers = {"Content-Disposition": 'attachment; filename="comptoir-source.tar.gz"'}
    return Response(_archive(), media_type="application/gzip", headers=headers)


@cache
def _archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for package in _PACKAGES:
            if (_HOUSE / package).is_dir():
                archive.add(_HOUSE / package, f"comptoir/{package}", filter=_without_caches)
    return packed.getvalue()


def _without_caches(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if member.name.endswith("__pycache__") else member
