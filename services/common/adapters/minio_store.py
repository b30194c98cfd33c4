"""MinioStore: objects in a bucket of MinIO or any other S3 server, path style, through MinIO's SDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error, ServerError
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from services.common.adapters.object_key import check_key, check_prefix, is_key
from services.common.errors import ObjectMissing, StorageFull, Unavailable

_CHUNK_BYTES: Final = 256 * 1024
# Larger than any photo accepted, so that a put is one request.
_PART_BYTES: Final = 256 * 1024 * 1024
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchBucket", "ResourceNotFound"})
_FULL: Final = frozenset(
    {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage"}
)


class MinioStore:
    """An ObjectStore in one bucket, which is made when it is first written to or pinged.

    Nothing is sent at construction, so that a process starts whether or not the server is up.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
        secure: bool = False,
        connect_timeout_s: float = 2.0,
        read_timeout_s: float = 15.0,
        retries: int = 2,
        connections: int = 32,
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._http = PoolManager(
            maxsize=connections,
            timeout=Timeout(connect=connect_timeout_s, read=read_timeout_s),
            retries=Retry(total=retries, backoff_factor=0.1, status_forcelist=(500, 502, 503, 504)),
        )
        # Naming the region saves a request for it; without it some servers are asked for their location first.
        self._client = Minio(
            endpoint,
            access_key=access_key,
            secret_key=secret_key,
            region=region,
            secure=secure,
            http_client=self._http,
        )

    def put(self, key: str, content: bytes, *, durable: bool = True) -> None:
        """`durable` changes nothing here: the server decides how it keeps what it has acknowledged."""
        check_key(key)
        with _translated(f"cannot store {key}"):
            try:
                self._put(key, content)
            except S3Error as error:
                if error.code != "NoSuchBucket":
                    raise
                self._make_bucket()
                self._put(key, content)

    def get(self, key: str) -> bytes:
        response = self._open(key)
        with _translated(f"cannot read {key}"):
            try:
                return response.read()
            finally:
                _give_back(response)

    def stream(self, key: str) -> Iterator[bytes]:
        # Asked for before the first chunk: what is missing is known before any header is sent.
        return _chunks(self._open(key), key)

    def exists(self, key: str) -> bool:
        if not is_key(key):
            return False
        with _translated(f"cannot look up {key}"):
            try:
                self._client.stat_object(self._bucket, key)
            except S3Error as error:
                if error.code in _MISSING:
                    return False
                raise
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        check_prefix(prefix)
        with _translated(f"cannot list {prefix}"):
            try:
                for entry in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                    if entry.object_name is not None:
                        yield entry.object_name
            except S3Error as error:
                if error.code not in _MISSING:
                    raise

    def delete(self, key: str) -> None:
        check_key(key)
        with _translated(f"cannot delete {key}"):
            try:
                self._client.remove_object(self._bucket, key)
            except S3Error as error:
                if error.code not in _MISSING:
                    raise

    def delete_prefix(self, prefix: str) -> None:
        if not prefix:
            raise ValueError("an empty prefix would delete the whole store")
        doomed = (DeleteObject(key) for key in self.keys(prefix))
        with _translated(f"cannot delete {prefix}"):
            failed = [
                error for error in self._client.remove_objects(self._bucket, doomed) if error.code not in _MISSING
            ]
        if failed:
            raise Unavailable(f"cannot delete {failed[0].name}: {failed[0].code}")

    def ping(self) -> None:
        with _translated("object store does not answer"):
            if not self._client.bucket_exists(self._bucket):
                self._make_bucket()

    def close(self) -> None:
        self._http.clear()

    def _put(self, key: str, content: bytes) -> None:
        self._client.put_object(self._bucket, key, BytesIO(content), len(content), part_size=_PART_BYTES)

    def _open(self, key: str) -> BaseHTTPResponse:
        if not is_key(key):
            raise ObjectMissing(f"no object {key[:80]!r}")
        with _translated(f"cannot read {key}"):
            return self._client.get_object(self._bucket, key)

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket, location=self._region)
        except S3Error as error:
            # Another process was first.
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise


def _chunks(response: BaseHTTPResponse, key: str) -> Iterator[bytes]:
    with _translated(f"cannot read {key}"):
        try:
            yield from response.stream(_CHUNK_BYTES)
        finally:
            _give_back(response)


def _give_back(response: BaseHTTPResponse) -> None:
    """Closes the response and returns its connection to the pool; one not read to its end is dropped."""
    response.close()
    response.release_conn()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectMissing(f"{what}: {error.code}") from error
        if error.code in _FULL:
            raise StorageFull(f"{what}: {error.code}") from error
        raise Unavailable(f"{what}: {error.code} {error.message or ''}".rstrip()) from error
    except (MinioException, HTTPError, OSError) as error:
        if isinstance(error, ServerError) and error.status_code == 507:
            raise StorageFull(f"{what}: the server has no space left") from error
        raise Unavailable(f"{what}: {type(error).__name__}") from error
