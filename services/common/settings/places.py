"""Where facekit answers, and where it keeps jobs and photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr

from services.common.settings.about import About
from services.common.settings.readers import DATABASE_USERS, GATEWAY, LONG_RUNNING, STORE_USERS

ADDRESS, STATE = "Where it answers", "Where jobs and photos are"
OWN_SERVERS = "It has a server of its own, with a password from the secrets in `.env`."
BUCKET = "The variable of the same name without `FACEKIT_` sets it."


class Places(BaseModel):
    """The embedded defaults; the stack has other URLs and nothing else changes."""

    port: Annotated[
        int,
        About(
            ADDRESS,
            "The port of the page and the API.",
            (*GATEWAY, "make run", "client"),
            fixed="This is the port at which nginx is published. The gateway's container listens at 8080.",
        ),
    ] = Field(default=8080, ge=1, le=65535)
    host: Annotated[
        str,
        About(
            ADDRESS,
            "The address of the page and the API. With `0.0.0.0` other machines can reach them.",
            (*GATEWAY, "make run", "client"),
            accepts="a host name or an IP address",
            fixed="This is the address at which nginx is published. The gateway's container listens on all of its own.",
        ),
    ] = "127.0.0.1"
    hosts: Annotated[
        str,
        About(
            ADDRESS,
            "Names under which browsers may reach the page and the API, beside `localhost` and plain addresses. A name"
            " that is not among them is refused: a stranger's web page could have pointed its own name here.",
            GATEWAY,
            accepts="host names, with commas between several; `*` for every name",
        ),
    ] = ""
    frontend: Annotated[
        Path | None,
        About(
            ADDRESS,
            "The folder with the page, which the gateway serves. None: the API alone.",
            GATEWAY,
            default="none; `make run` sets it",
            accepts="the path of a folder",
            fixed="nginx serves the page.",
        ),
    ] = None

    home: Annotated[
        Path,
        About(
            STATE,
            "The state folder: database, photos and logs, unless a URL below names another place.",
            (*LONG_RUNNING, "make run", "migrate", "archive", "publish"),
            accepts="the path of a folder",
            fixed="Nothing is kept in a folder. The servers have volumes.",
        ),
    ] = Path(".facekit")
    database_url: Annotated[
        str,
        About(
            STATE,
            "The database of jobs and results.",
            DATABASE_USERS,
            default="a SQLite file in the state folder",
            accepts="`sqlite:///file` or `postgresql://user:password@host/name`",
            fixed=OWN_SERVERS,
        ),
    ] = ""
    store_url: Annotated[
        str,
        About(
            STATE,
            "The object store of photos, crops and published models.",
            STORE_USERS,
            default="a folder in the state folder",
            accepts="`file:///folder` or `s3://bucket`, the bucket in small letters, digits, dots and hyphens",
            fixed="It has a bucket of its own. `S3_BUCKET` names it.",
        ),
    ] = ""
    broker_url: Annotated[
        str,
        About(
            STATE,
            "The queue between gateway and workers.",
            LONG_RUNNING,
            default="none: workers look at the database",
            accepts="`redis://host/0`",
            fixed=OWN_SERVERS,
        ),
    ] = ""
    s3_endpoint: Annotated[
        str, About(STATE, "The S3 server of an `s3://` store.", STORE_USERS, accepts="`host:port`", fixed=BUCKET)
    ] = "minio:9000"
    s3_access_key: Annotated[str, About(STATE, "The access key of the S3 server.", STORE_USERS, fixed=BUCKET)] = ""
    s3_secret_key: Annotated[SecretStr, About(STATE, "The secret key of the S3 server.", STORE_USERS, fixed=BUCKET)] = (
        SecretStr("")
    )
    s3_region: Annotated[str, About(STATE, "The region of the bucket.", STORE_USERS, fixed=BUCKET)] = "us-east-1"
    s3_secure: Annotated[bool, About(STATE, "Whether the S3 server is asked over TLS.", STORE_USERS, fixed=BUCKET)] = (
        False
    )

    @property
    def state(self) -> Path:
        return self.home.absolute()

    @property
    def url(self) -> str:
        """Where this machine reaches the gateway."""
        shown = self.host if self.host not in {"0.0.0.0", "::", ""} else "127.0.0.1"
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.state / 'facekit.db'}"

    @property
    def effective_store_url(self) -> str:
        return self.store_url or f"file://{self.state / 'objects'}"
