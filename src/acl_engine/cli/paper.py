"""The document of an authority in an approver's hands: agreeing compares it with the request's."""

import hashlib
from pathlib import Path

from acl_engine.bootstrap.approving import Approving
from acl_engine.domain.errors import AccessDenied, InputError, Where
from acl_engine.domain.text import Text
from acl_engine.enforcement.acts import Acted

MOST_IMAGE = 50_000_000

OTHER_IMAGE = Text(
    "judicial.other-image",
    "这份影像不是申请里的那一份，未作答复",
    "this image is not the one in the request; nothing was answered",
    "向协查专员要申请所附的文书影像，与来文核对",
    "get the image that came with the request from the liaison, and compare it with the document",
)
WANTS_IMAGE = Text(
    "judicial.wants-image",
    "申请 `{case}` 附有机关文书，未作答复",
    "case `{case}` comes with an authority's document; nothing was answered",
    "用 --image 给出你手里的那一份，与申请比对",
    "give the one that you hold with --image: it is compared with the request's",
)
NO_IMAGE = Text(
    "judicial.no-image",
    "文书影像不可读",
    "the image of the document cannot be read",
    "非空文件，不超过 50 MB",
    "a file that is not empty, at most 50 MB",
)


def image_digest(file: Path) -> str:
    """SHA-256 of the image. Raises InputError."""
    try:
        if not 0 < file.stat().st_size <= MOST_IMAGE:
            raise InputError(NO_IMAGE.of(), Where(str(file)))
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        raise InputError(NO_IMAGE.of(), Where(str(file))) from None


def agree(desk: Approving, token: str, case: str, image: Path | None) -> Acted:
    """Agree to a case. The engine compares the paper; here a refusal for it is said in words, to
    whoever may open the case. Raises AccessDenied, InputError, StoreError."""
    held = image_digest(image) if image else None
    try:
        return desk.approve(token, case, image=held)
    except AccessDenied as denied:
        try:
            views = desk.open(token, case).views
        except AccessDenied:
            raise denied from None
        asked = [view.fields.get("image") for view in views]
        if asked in ([held], [None]):
            raise
        if image is None:
            raise InputError(WANTS_IMAGE.of(case=case)) from None
        raise InputError(OTHER_IMAGE.of(), Where(str(image))) from None
