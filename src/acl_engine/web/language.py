"""Which of the two languages a page speaks: asked for, remembered, or the browser's."""

from starlette.requests import Request

from acl_engine.domain.text import Lang

COOKIE = "acl_lang"


def language(request: Request) -> Lang:
    """`?lang=` first, then the cookie, then the first of Accept-Language that we speak."""
    for asked in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if asked == "zh":
            return "zh"
        if asked == "en":
            return "en"
    return preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> Lang:
    """RFC 9110 section 12.5.4, for two languages: the one of the higher weight, English if none."""
    best: Lang = "en"
    weight = 0.0
    for part in header[:200].split(","):
        tag, _, rest = part.strip().partition(";")
        base = tag.strip().lower().split("-")[0]
        quality = _quality(rest)
        if quality > weight and base in ("zh", "en"):
            best, weight = ("zh" if base == "zh" else "en"), quality
    return best


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
