"""Every operation of the API, one line each: what it is called, takes, gives, and who may call.

The routes and the OpenAPI document are both made from this table, so that they cannot differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from acl_engine.web.api import acting, approving, asking, bodies, coming, evaluating, looking
from acl_engine.web.api.session import Asking

Bearer = Literal["nobody", "person", "service"]


@dataclass(frozen=True, slots=True)
class Operation:
    """`work` gets the request's context and its body, and gives the answer (None: 204).
    `bearer`: whose token it wants; `service`: of a service, or of an application's visit.
    `work` None: `evaluating` answers it."""

    path: str
    name: str
    zh: str
    en: str
    takes: type[Any] | None
    gives: type[Any] | None
    bearer: Bearer
    work: Callable[[Asking, Any], Any] | None


OPERATIONS = (
    Operation("/v1/challenge", "challenge", "设备挑战", "A challenge for a device to sign",
              bodies.Device, bodies.Challenge, "nobody", coming.challenge),
    Operation("/v1/login", "login", "登录", "Log a person in",
              bodies.Login, bodies.Session, "nobody", coming.login),
    Operation("/v1/step-up", "step_up", "重新出示第二因素", "Show a second factor anew",
              bodies.StepUp, None, "person", coming.step_up),
    Operation("/v1/ticket", "ticket", "以票据换取令牌", "Exchange a ticket of the central login",
              bodies.Ticket, bodies.Visit, "nobody", coming.enter),
    Operation("/v1/logout", "logout", "退出", "End the session",
              None, None, "person", coming.leave),
    Operation("/v1/lookup", "lookup", "查看一件", "Look at one record",
              bodies.Lookup, bodies.Answer, "person", looking.lookup),
    Operation("/v1/search", "search", "搜索", "Search records",
              bodies.Search, bodies.Answer, "person", looking.search),
    Operation("/v1/act", "act", "扫描、改派、开工单", "Scan, reassign, open a ticket",
              bodies.Act, bodies.Acted, "person", acting.act),
    Operation("/v1/dial", "dial", "一键拨号", "The right to one call, without a number",
              bodies.Dial, bodies.Capability, "person", acting.dial),
    Operation("/v1/call", "call", "呼叫", "Use that right up",
              bodies.Call, bodies.Called, "person", acting.call),
    Operation("/v1/approval/ask", "approval_ask", "申请", "Ask for a right for minutes",
              bodies.Ask, bodies.Acted, "person", approving.ask),
    Operation("/v1/approval/answer", "approval_answer", "批复", "Answer a case, or withdraw it",
              bodies.Reply, bodies.Acted, "person", approving.answer),
    Operation("/v1/approval/review", "approval_review", "复核", "Review a case afterwards",
              bodies.Review, bodies.Acted, "person", approving.review),
    Operation("/v1/approval/list", "approval_list", "待办", "The cases that are this person's",
              bodies.Cases, bodies.Answer, "person", approving.cases),
    Operation("/v1/approval/open", "approval_open", "查看申请", "One case, with its paper",
              bodies.Case, bodies.Answer, "person", approving.open_case),
    Operation("/v1/audit/who-saw", "who_saw", "谁看过", "Who saw a parcel or a person",
              bodies.WhoSaw, bodies.Records, "person", asking.who_saw),
    Operation("/v1/audit/account", "of_account", "账号做过什么", "What an account did",
              bodies.OfAccount, bodies.Records, "person", asking.of_account),
    Operation("/v1/audit/mark", "read_mark", "屏幕码", "Whom a mark on a photograph leads to",
              bodies.Mark, bodies.Records, "person", asking.read_mark),
    Operation(evaluating.PATH, "evaluation", "判定", "AuthZEN 1.0 access evaluation",
              bodies.Evaluation, bodies.Decision, "service", None),
)  # fmt: skip
