"""What can be wrong with a log, in words. The codes are stable: scenarios and tools name them."""

from acl_engine.domain.text import Text

MISSING = Text("audit.missing", "记录 {index} 缺失", "record {index} is missing")
CHANGED = Text(
    "audit.changed",
    "记录 {index} 的内容与其哈希不符：已被改动",
    "record {index} was changed: its bytes do not have its hash",
)
NO_RECORD = Text("audit.unreadable-record", "记录 {index} 不可读", "record {index} cannot be read")
MISFILED = Text(
    "audit.misfiled",
    "记录 {index} 的检索列与内容不符：按账号或请求查不到它",
    "record {index} is filed under what it does not say: a search would miss it",
)
ERASED = Text(
    "audit.erased",
    "记录 {index} 的内容已抹去，但日志中没有覆盖它的留存期记录",
    "record {index} was emptied, and no act of retention on record covers it",
)
INSERTED = Text(
    "audit.inserted",
    "记录 {index} 不在副本中：系插入",
    "record {index} was inserted: the copy has none there",
)
REORDERED = Text(
    "audit.reordered",
    "记录 {index} 被换了次序",
    "record {index} was moved: the copy has another order",
)
REMOVED = Text(
    "audit.removed",
    "记录 {index} 被删除，其后编号前移",
    "record {index} was deleted and those after it moved up",
)
REPLACED = Text(
    "audit.replaced",
    "记录 {index} 被改写（连同哈希）",
    "record {index} was rewritten together with its hash",
)
ROOT = Text(
    "audit.root",
    "记录 {start} 至 {index} 中有改动、删除、插入或换序：与已签检查点不符",
    "records {start} to {index}: changed, deleted, inserted or moved; the signed root differs",
)
CUT = Text(
    "audit.cut",
    "记录 {index} 起缺失，检查点证明曾有 {size} 条：日志被截断或回滚",
    "records from {index} are gone; a checkpoint proves {size}: cut off or rolled back",
)
FOREIGN_KEY = Text(
    "audit.foreign-key",
    "检查点 `{checkpoint}` 不是由受信密钥签署：日志可能被整体重写",
    "checkpoint `{checkpoint}` is not signed by a trusted key: the log may be rewritten",
)
CLOCK = Text(
    "audit.clock",
    "记录 {index} 的时间比之前的早 {seconds} 秒：时钟被拨回",
    "record {index} is {seconds} s earlier than those before it: the clock was set back",
)
AFTER_STAMP = Text(
    "audit.after-stamp",
    "记录 {index} 的时间比其时间戳晚 {seconds} 秒：时钟被拨快，或记录系倒签",
    "record {index} says {seconds} s later than the time stamp over it: the clock was wrong",
)
BEFORE_STAMP = Text(
    "audit.before-stamp",
    "记录 {index} 的时间比它之前的时间戳早 {seconds} 秒：时钟被拨回",
    "record {index} says {seconds} s earlier than the time stamp before it: the clock was set back",
)
BAD_STAMP = Text(
    "audit.bad-stamp",
    "第 {size} 条处的时间戳不成立",
    "the time stamp at {size} records does not hold",
)
