"""Where alarms go when nobody wired them elsewhere: the program's log, in both languages."""

import logging

from acl_engine.domain.text import Message

LOGGER = "acl_engine.alarm"


def log_alarm(message: Message) -> None:
    """One warning a language. A message holds no personal data; see `domain.text`."""
    log = logging.getLogger(LOGGER)
    log.warning("%s: %s / %s", message.code, message.render("zh"), message.render("en"))
