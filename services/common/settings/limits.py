"""What is accepted from users, and how the jobs that were accepted are kept alive."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from services.common.settings.about import About
from services.common.settings.readers import GATEWAY, LONG_RUNNING, WORKERS

ACCEPTS, JOBS = "What is accepted", "How jobs are kept alive"


class Limits(BaseModel):
    """Sizes, numbers and times."""

    max_upload_bytes: Annotated[
        int,
        About(ACCEPTS, "The largest photo that may be uploaded.", (*GATEWAY, "nginx"), unit="bytes"),
    ] = Field(default=20_000_000, gt=0)
    max_pixels: Annotated[
        int,
        About(
            ACCEPTS,
            "How many pixels one photo may have. They are counted before it is decoded.",
            (*LONG_RUNNING, "bench"),
            unit="pixels",
        ),
    ] = Field(default=64_000_000, gt=0)
    max_queued: Annotated[
        int,
        About(ACCEPTS, "How many unfinished jobs there may be. More are refused with `queue_full`.", GATEWAY),
    ] = Field(default=1000, gt=0)
    max_wait_s: Annotated[
        float,
        About(ACCEPTS, "The longest time that `?wait=` holds an answer back.", (*GATEWAY, "nginx"), unit="seconds"),
    ] = Field(default=60.0, gt=0)
    api_keys: Annotated[
        str,
        About(
            ACCEPTS,
            "Who may use the API. A name sees only its own jobs. A key has 16 characters or more.",
            GATEWAY,
            default="none: nobody is asked for a key",
            accepts="`name:role:key`, with commas between several; the role is `read` or `submit`",
            fixed="`STACK_API_KEYS` sets it. `make up` writes that, with random keys.",
        ),
    ] = ""
    rate_limit_per_minute: Annotated[
        int, About(ACCEPTS, "How many jobs one client may submit in a minute. 0: as many as it wants.", GATEWAY)
    ] = Field(default=0, ge=0)

    retention_days: Annotated[
        float,
        About(JOBS, "How long ended jobs and their photos are kept. 0: for ever.", GATEWAY, unit="days"),
    ] = Field(default=30.0, ge=0)
    lease_s: Annotated[
        float,
        About(
            JOBS,
            "A worker says at short intervals that it still works on a job. After this time without a word the job goes"
            " to another worker.",
            LONG_RUNNING,
            unit="seconds",
        ),
    ] = Field(default=30.0, gt=0)
    stage_timeout_s: Annotated[
        float,
        About(
            JOBS, "The longest time one worker may work on one job. Then another one tries it.", WORKERS, unit="seconds"
        ),
    ] = Field(default=300.0, gt=0)
    max_attempts: Annotated[
        int,
        About(JOBS, "How often a stage of a job is tried. Then the job fails.", LONG_RUNNING),
    ] = Field(default=3, ge=1)
    sweep_interval_s: Annotated[
        float, About(JOBS, "The time between two searches for jobs that were lost.", GATEWAY, unit="seconds")
    ] = Field(default=2.0, gt=0)
    hint_after_s: Annotated[
        float,
        About(JOBS, "A job that no worker took for this time is announced again.", GATEWAY, unit="seconds"),
    ] = Field(default=5.0, gt=0)
