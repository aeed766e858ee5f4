"""A body that may come in pieces: where the line breaks off, the next try goes on."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import httpx


@dataclass(slots=True)
class Download:
    """`etag` names the bytes that came so far, as they travel (compressed)."""

    etag: str = ""
    held: bytearray = field(default_factory=bytearray)
    headers: httpx.Headers = field(default_factory=httpx.Headers)

    def asking(self) -> dict[str, str]:
        """Headers that ask for the rest."""
        return {"Range": f"bytes={len(self.held)}-", "If-Range": self.etag} if self.held and self.etag else {}

    async def read(self, response: httpx.Response, limit: int) -> tuple[httpx.Headers, bytes]:
        """(headers, body) once it is whole, of at most `limit` bytes.

        httpx.HTTPError: the line broke; what came is kept for the next try.
        """
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            self._begin(response)
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {len(self.held)}-"):
            self._forget()
            raise httpx.DecodingError("another part than the one that is missing", request=response.request)
        async for chunk in response.aiter_raw():
            self.held += chunk
            if len(self.held) > limit:
                self._forget()
                raise httpx.DecodingError(f"more than {limit} bytes", request=response.request)
        headers, body = self.headers, bytes(self.held)
        self._forget()
        if headers.get("Content-Encoding") == "gzip":
            body = _unpacked(body, limit, response)
        return headers, body

    def _begin(self, response: httpx.Response) -> None:
        self.etag, self.headers = response.headers.get("ETag", ""), response.headers
        self.held.clear()

    def _forget(self) -> None:
        self.etag, self.headers, self.held = "", httpx.Headers(), bytearray()


def _unpacked(packed: bytes, limit: int, response: httpx.Response) -> bytes:
    unpack = zlib.decompressobj(wbits=31)
    try:
        body = unpack.decompress(packed, limit)
    except zlib.error as error:
        raise httpx.DecodingError(str(error), request=response.request) from error
    if not unpack.eof:
        raise httpx.DecodingError(f"cut off, or more than {limit} bytes", request=response.request)
    return body
