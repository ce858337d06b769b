"""Pages for people: Jinja2 with autoescape and strict variables, no script, one style sheet.

INVARIANTS
- Nothing is ever marked safe: what a template prints is escaped.
- A variable that is missing is an error, not an empty place.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from acl_engine.domain.text import Lang, Message


def page(template: str, lang: Lang, **values: object) -> str:
    """Render a template of this room. `say` in it renders a Message or picks (zh, en)."""

    def say(what: Message | str, en: str = "") -> str:
        if isinstance(what, Message):
            return what.render(lang)
        return what if lang == "zh" else en

    return _environment().get_template(template).render(lang=lang, say=say, **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("acl_engine.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
