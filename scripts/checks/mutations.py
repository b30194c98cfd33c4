"""The mistakes that hurt most and show least, each as an edit of one file, with the tests that must notice it.

What is here once survived, or would harm whoever relies on the answer: a decision made elsewhere than was asked, a
stranger's photo shown, a job done twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mutant:
    """In the file `path`, `old` (found there exactly once) becomes `new`; one of `tests`, as pytest names them, must
    fail then."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


_VERIFIER: Final = "tests/unit/services/verifier/test_stage.py::"
_VERIFICATION: Final = "tests/unit/services/common/kinds/test_verification.py::"
_DETECTION: Final = "tests/unit/services/common/kinds/test_detection.py::"
_DETECTOR: Final = "tests/unit/services/detector/test_stage.py::"
_CHIPS: Final = "tests/unit/services/common/work/test_chips.py::test_chips_stay_while_the_job_goes_on"
_IMAGING: Final = "tests/unit/services/common/photos/test_imaging.py::"
_ACCESS: Final = "tests/unit/services/gateway/test_access.py::"

MUTANTS: Final = (
    Mutant(
        "the verifier ignores the threshold",
        "services/verifier/stage.py",
        "if asked.threshold is not None:",
        "if False:",
        (_VERIFIER + "test_the_threshold_asked_for_decides",),
    ),
    Mutant(
        "the verifier ignores the false-accept rate",
        "services/verifier/stage.py",
        "model.threshold_for_far(asked.max_far)",
        "model.threshold_for_far(None)",
        (_VERIFIER + "test_a_lower_false_accept_rate_decides_higher_up",),
    ),
    Mutant(
        "the verifier never says too poor",
        "services/verifier/judge.py",
        "if face.low or anchor.low:",
        "if False:",
        (
            _VERIFIER + "test_nobody_judges_a_face_too_poor",
            _VERIFIER + "test_nobody_is_compared_with_an_anchor_too_poor",
        ),
    ),
    Mutant(
        "a poor anchor is not mentioned",
        "services/common/kinds/verification.py",
        "if compared.anchor_quality.low:",
        "if False:",
        (_VERIFICATION + "test_what_the_reader_should_know_is_noticed",),
    ),
    Mutant(
        "matches are not sorted",
        "services/common/kinds/verification.py",
        "    matches.sort(key=lambda match: match.similarity, reverse=True)\n",
        "",
        (_VERIFICATION + "test_matches_and_the_others_come_likeliest_first",),
    ),
    Mutant(
        "a detection drops min_confidence",
        "services/common/kinds/detection.py",
        "min_confidence=options.min_confidence,",
        "min_confidence=None,",
        (_DETECTION + "test_the_detector_is_asked_what_the_user_asked",),
    ),
    Mutant(
        "the detector's stage drops min_confidence",
        "services/detector/stage.py",
        '"min_confidence": asked.min_confidence',
        '"min_confidence": None',
        (_DETECTOR + "test_the_confidence_asked_for_decides_what_is_a_face",),
    ),
    Mutant(
        "the detector ignores min_confidence",
        "services/detector/model.py",
        "threshold = self.default_confidence if min_confidence is None else min_confidence",
        "threshold = self.default_confidence",
        (_DETECTOR + "test_the_confidence_asked_for_decides_what_is_a_face",),
    ),
    Mutant(
        "a model that misses its golden answers serves",
        "services/common/inference/bundle.py",
        "if not worst <= allowed:",
        "if False:",
        ("tests/unit/services/common/work/test_model_slot.py",),
    ),
    Mutant(
        "chips outlive a success",
        "services/common/work/worker.py",
        "elif step.has_others:",
        "elif False:",
        (_CHIPS,),
    ),
    Mutant(
        "chips outlive a failure",
        "services/common/work/worker.py",
        "                files.drop_chips()\n",
        "                pass\n",
        (_CHIPS,),
    ),
    Mutant(
        "a worker without the lease writes its result",
        "services/common/adapters/sql_jobs.py",
        "jobs.c.id == job_id, jobs.c.lease_owner == worker)",
        "jobs.c.id == job_id)",
        ("tests/contract/test_job_store.py::test_only_the_lease_holder_writes[sqlite]",),
    ),
    Mutant(
        "an idempotency key is ignored",
        "services/common/adapters/sql_jobs.py",
        "if job.idempotency_key is not None and (older",
        "if False and (older",
        ("tests/contract/test_job_store.py::test_the_same_key_and_payload_is_the_same_job[sqlite]",),
    ),
    Mutant(
        "anybody sees anybody's job",
        "services/gateway/context.py",
        "if not caller.everyone and job.owner != caller.owner:",
        "if False:",
        (_ACCESS + "test_a_job_is_its_owners_alone",),
    ),
    Mutant(
        "a reader's key may delete",
        "services/gateway/access.py",
        "if caller.role < needed:",
        "if False:",
        (_ACCESS + "test_a_reader_may_look_but_not_touch",),
    ),
    Mutant(
        "a photo stays on its side",
        "services/common/photos/pixels.py",
        "return value if isinstance(value, int) and 1 <= value <= 8 else 1",
        "return 1",
        (_IMAGING + "test_exif_orientation_is_applied_once",),
    ),
    Mutant(
        "a bomb is decoded",
        "services/common/photos/imaging.py",
        "if encoded.allocated_px > max_pixels:",
        "if False:",
        (_IMAGING + "test_a_bomb_is_refused_by_its_header",),
    ),
)
