"""The multipart form of a submission, read as it arrives: limits hold before anything is kept in memory."""

from __future__ import annotations

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from services.common.errors import ImageTooLarge, InvalidValue, MissingField, StorageFull, Unavailable, UnexpectedField

SPOOL_BYTES: Final = 1 << 20  # of one photo in memory; the rest waits on disk, so that 200 uploads at once stay small
FIELD_BYTES: Final = 4096
OVERHEAD_BYTES: Final = 64 * 1024  # boundaries, part headers and text fields of a form
STALL_S: Final = 30.0


class Upload:
    """One photo as it arrived: a short one in memory, a long one in a nameless temporary file."""

    def __init__(self, name: str, max_bytes: int) -> None:
        self.name = name
        self.size_bytes = 0
        self._max_bytes = max_bytes
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    def append(self, data: bytes) -> None:
        """Raises ImageTooLarge."""
        self.size_bytes += len(data)
        if self.size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        self._memory += data

    @property
    def wants_spill(self) -> bool:
        return len(self._memory) >= SPOOL_BYTES

    def spill(self) -> None:
        """Moves what is in memory to the temporary file. Blocks. Raises StorageFull."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115, closed by close()
            self._file.write(self._memory)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StorageFull("there is no space left to receive the photo") from error
            raise Unavailable(f"the photo cannot be received: {error.strerror}") from error
        self._memory.clear()

    def read(self) -> bytes:
        """The whole photo. Blocks."""
        if self._file is None:
            return bytes(self._memory)
        self._file.seek(0)
        return self._file.read() + bytes(self._memory)

    def close(self) -> None:
        self._memory.clear()
        if self._file is not None:
            self._file.close()


@dataclass(frozen=True, slots=True)
class FormSpec:
    """The names a form may hold: photos, which must all be there, and text fields, which need not."""

    photos: tuple[str, ...]
    fields: tuple[str, ...]

    def known(self) -> str:
        return ", ".join((*self.photos, *self.fields))


@dataclass(frozen=True, slots=True)
class Form:
    photos: dict[str, Upload] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)


@asynccontextmanager
async def received_form(request: Request, spec: FormSpec, max_upload_bytes: int) -> AsyncIterator[Form]:
    """Reads the request's body into a form whose photos live as long as the context.

    Raises MissingField, UnexpectedField, InvalidValue, ImageTooLarge (without reading on) and StorageFull.
    """
    limit = len(spec.photos) * max_upload_bytes + OVERHEAD_BYTES
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large(max_upload_bytes)
    with ExitStack() as opened:
        reader = _FormReader(spec, _boundary(request.headers, spec), max_upload_bytes, opened)
        received = 0
        stream = request.stream()
        while chunk := await _next_chunk(stream):
            received += len(chunk)
            if received > limit:
                raise too_large(max_upload_bytes)
            reader.feed(chunk)
            for upload in reader.form.photos.values():
                if upload.wants_spill:
                    await asyncio.to_thread(upload.spill)
        yield reader.finish()


async def _next_chunk(stream: AsyncIterator[bytes]) -> bytes:
    """The next bytes, empty at the end of the body. Raises InvalidValue when the client stops sending."""
    try:
        async with asyncio.timeout(STALL_S):
            async for chunk in stream:
                if chunk:
                    return chunk
    except TimeoutError:
        raise InvalidValue(f"the upload stalled: nothing arrived for {STALL_S:g} s") from None
    return b""


def _boundary(headers: Mapping[str, str], spec: FormSpec) -> bytes:
    kind, options = parse_options_header(headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        wanted = " and ".join(repr(name) for name in spec.photos)
        raise MissingField(f"the request has no form: send multipart/form-data with {wanted} as files")
    return options[b"boundary"]


class _FormReader:
    """Callbacks of the streaming parser, collected into a Form."""

    def __init__(self, spec: FormSpec, boundary: bytes, max_upload_bytes: int, opened: ExitStack) -> None:
        self.form = Form()
        self._spec = spec
        self._max_upload_bytes = max_upload_bytes
        self._opened = opened
        self._header = [b"", b""]
        self._disposition = b""
        self._upload: Upload | None = None
        self._field: tuple[str, bytearray] = ("", bytearray())
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._part_named,
                    "on_part_data": self._part_data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise InvalidValue("the form's boundary cannot be used") from error

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidValue("the form cannot be read: it is not valid multipart/form-data") from error

    def finish(self) -> Form:
        if not self._ended and (self.form.photos or self.form.fields or self._disposition):
            raise InvalidValue("the form ends in the middle")
        for name in self._spec.photos:
            if name not in self.form.photos:
                raise MissingField(f"the file field {name!r} is missing; this form takes {self._spec.known()}")
        return self.form

    def _part_begin(self) -> None:
        self._disposition = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = [b"", b""]

    def _part_named(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        is_file = b"filename" in options
        if name not in (*self._spec.photos, *self._spec.fields):
            raise UnexpectedField(f"the field {name[:80]!r} is not known here; this form takes {self._spec.known()}")
        if name in self._spec.photos and not is_file:
            raise MissingField(f"{name!r} came as text: send it as a file, with curl as -F {name}=@photo.jpg")
        if name in self._spec.fields and is_file:
            raise UnexpectedField(f"{name!r} came as a file: send it as text")
        if not is_file:
            self._upload, self._field = None, (name, bytearray())
            return
        if name in self.form.photos:
            raise UnexpectedField(f"the photo {name!r} was sent twice")
        self._upload = self.form.photos[name] = Upload(name, self._max_upload_bytes)
        self._opened.callback(self._upload.close)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._upload is not None:
            self._upload.append(data[start:end])
            return
        name, value = self._field
        value += data[start:end]
        if len(value) > FIELD_BYTES:
            raise InvalidValue(f"the field {name!r} is too long")

    def _part_end(self) -> None:
        if self._upload is None:
            name, value = self._field
            self.form.fields.setdefault(name, []).append(value.decode("utf-8", "replace"))
        self._upload = None

    def _end(self) -> None:
        self._ended = True


def too_large(max_bytes: int) -> ImageTooLarge:
    return ImageTooLarge(f"photos of at most {max_bytes / 1e6:g} MB are accepted")
