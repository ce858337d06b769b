"""The words of the printed sheet in both languages."""

from collections.abc import Mapping

from acl_engine.domain.pack import FieldSpec, Pack
from acl_engine.domain.request import Action
from acl_engine.domain.text import Lang, Text
from acl_engine.masking.profiles import PROFILES

WORDS: Mapping[str, Text] = {
    "title": Text("sheet.title", "权限矩阵", "Sheet of rights"),
    "version": Text("sheet.version", "版本摘要", "Version digest"),
    "date": Text("sheet.date", "日期", "Date"),
    "level": Text("sheet.level", "级别 {level}", "Level {level}"),
    "role": Text("sheet.role", "角色", "Role"),
    "stage": Text("sheet.stage", "环节", "Stage"),
    "when": Text("sheet.when", "条件（同时成立）", "When"),
    "may": Text("sheet.may", "可做", "May"),
    "sees": Text("sheet.sees", "可见字段", "Sees"),
    "never": Text("sheet.never", "任何情况下不可", "Never"),
    "pending": Text(
        "sheet.pending",
        "待审批（不是常设权限）",
        "By approval only (no standing right)",
    ),
    "nothing": Text("sheet.nothing", "无常设权限", "No standing right"),
    "no-field": Text("sheet.no-field", "不显示字段", "no field"),
    "any": Text("sheet.any", "任何环节", "any"),
    "relations": Text("sheet.relations", "条件的含义", "What the conditions mean"),
    "masks": Text("sheet.masks", "脱敏方案", "Masks"),
    "at-most": Text("sheet.at-most", "各角色最多可见", "What each role sees at most"),
    "legend": Text(
        "sheet.legend",
        "● 明文　◐ 脱敏　○ 待审批　空白 不可见。多行同时成立时，显示内容合并。",
        "● in clear  ◐ masked  ○ by approval only  blank: hidden. Lines that hold at once join.",
    ),
    "prepared": Text("sheet.prepared", "编制人", "Prepared by"),
    "approved": Text(
        "sheet.approved", "审批人（不得与编制人相同）", "Approved by (not the author)"
    ),
    "dpo": Text("sheet.dpo", "个人信息保护负责人", "Personal-information protection officer"),
    "signature": Text("sheet.signature", "签字", "Signature"),
    "replay-only": Text(
        "sheet.replay-only",
        "仅供回放：不得用于生产",
        "For replay only: never to be used in production",
    ),
    "rules": Text("sheet.rules", "行编号", "Rows"),
}
LEVELS: Mapping[int, Text] = {
    0: Text("sheet.level-0", "外部与服务", "Outside and services"),
    1: Text("sheet.level-1", "一线", "Front line"),
    2: Text("sheet.level-2", "网点与中转", "Branch, hub and desk"),
    3: Text("sheet.level-3", "区域", "Region"),
    4: Text("sheet.level-4", "总部", "Headquarters"),
}
ACTIONS: Mapping[str, Text] = {
    Action.READ: Text("action.read", "查看", "read"),
    Action.SEARCH: Text("action.search", "检索", "search"),
    Action.TRACE: Text("action.trace", "查轨迹", "trace"),
    Action.REVERSE_LOOKUP: Text("action.reverse-lookup", "反查", "reverse lookup"),
    Action.COUNT_BY_PHONE: Text("action.count-by-phone", "按号码计数", "count by phone"),
    Action.AGGREGATE: Text("action.aggregate", "统计", "count"),
    Action.VERIFY: Text("action.verify", "核对（是/否）", "verify (yes or no)"),
    Action.DIAL: Text("action.dial", "一键拨号", "one-click dial"),
    Action.REASSIGN: Text("action.reassign", "改派", "reassign"),
    Action.SCAN_OUT: Text("action.scan-out", "出仓扫描", "out-scan"),
    Action.SCAN_IN: Text("action.scan-in", "入仓扫描", "in-scan"),
    Action.OPEN_TICKET: Text("action.open-ticket", "开工单", "open a ticket"),
    Action.EXPORT: Text("action.export", "导出", "export"),
    Action.PUBLISH: Text("action.publish", "公示", "publish"),
    Action.DISCLOSE: Text("action.disclose", "密封提供给机关", "disclose, sealed for an authority"),
    Action.ASK: Text("action.ask", "申请", "ask for"),
    Action.BREAK_GLASS: Text("action.break-glass", "应急申请", "break glass"),
    Action.APPROVE: Text("action.approve", "批准", "approve"),
    Action.REFUSE: Text("action.refuse", "驳回", "refuse"),
    Action.WITHDRAW: Text("action.withdraw", "撤回", "withdraw"),
    Action.REVIEW: Text("action.review", "事后复核", "review"),
}
STAGES: Mapping[str, Text] = {
    "ORDERED": Text("stage.ordered", "已下单", "ordered"),
    "PICKED_UP": Text("stage.picked-up", "已揽收", "picked up"),
    "IN_TRANSIT": Text("stage.in-transit", "运输中", "in transit"),
    "AT_BRANCH": Text("stage.at-branch", "到网点", "at branch"),
    "OUT_FOR_DELIVERY": Text("stage.out-for-delivery", "派送中", "out for delivery"),
    "AT_STATION": Text("stage.at-station", "在驿站", "at station"),
    "DELIVERED": Text("stage.delivered", "已签收", "delivered"),
    "RETURNING": Text("stage.returning", "退回中", "returning"),
    "CLAIM": Text("stage.claim", "理赔中", "claim"),
    "ARCHIVED": Text("stage.archived", "已归档", "archived"),
    "SHREDDED": Text("stage.shredded", "已销毁", "shredded"),
    "ASKED": Text("stage.asked", "待批", "asked"),
    "GRANTED": Text("stage.granted", "已批准", "granted"),
    "REFUSED": Text("stage.refused", "已驳回", "refused"),
    "WITHDRAWN": Text("stage.withdrawn", "已撤回", "withdrawn"),
    "USED": Text("stage.used", "已使用", "used"),
}


class Words:
    """What a pack's codes are called in one language; a code without a name is shown as it is."""

    def __init__(self, pack: Pack, lang: Lang) -> None:
        self._pack = pack
        self.lang = lang

    def say(self, code: str, **params: object) -> str:
        return WORDS[code].of(**params).render(self.lang)

    def of(self, thing: object) -> str:
        """The name of anything that carries `zh` and `en`."""
        return str(getattr(thing, self.lang))

    def level(self, level: int) -> str:
        name = LEVELS[level].of().render(self.lang) if level in LEVELS else ""
        return f"{self.say('level', level=level)} {name}".strip()

    def action(self, action: str) -> str:
        return ACTIONS[action].of().render(self.lang) if action in ACTIONS else action

    def stage(self, stage: str) -> str:
        return STAGES[stage].of().render(self.lang) if stage in STAGES else stage

    def field_spec(self, field: str) -> FieldSpec:
        """The catalogue's entry of a field, by its name alone: a pack's names are unique enough."""
        return next(s.fields[field] for s in self._pack.resources.values() if field in s.fields)

    def field(self, field: str) -> str:
        return self.of(self.field_spec(field))

    def mask(self, profile: str) -> str:
        return self.of(PROFILES[profile]) if profile in PROFILES else profile

    def comma(self, parts: object) -> str:
        mark = "、" if self.lang == "zh" else ", "
        return mark.join(str(part) for part in parts) if isinstance(parts, list | tuple) else ""
