"""What each setting of the service means, in both languages: `acl serve --check` prints it."""

from collections.abc import Mapping

from acl_engine.domain.text import Text


def _doc(key: str, zh: str, en: str) -> tuple[str, Text]:
    return key, Text(f"settings.{key}", zh, en)


DOCS: Mapping[str, Text] = dict(
    (
        _doc("database", "数据库地址；必填", "Database URL; required."),
        _doc(
            "policy",
            "签名的策略包；合成世界也可用目录，默认为项目中的 policies/courier/after",
            "Signed policy bundle; a synthetic world may name a folder, and by default takes"
            " policies/courier/after of the project.",
        ),
        _doc(
            "policy_trust",
            "信任文件：谁可以签名策略；真实数据必填",
            "Trust file: who may sign a policy; required over real people.",
        ),
        _doc(
            "policy_rollback",
            "双方签名的回退令，用于回到较早的策略包",
            "Rollback order signed by both, to go back to an older bundle.",
        ),
        _doc(
            "master_key_file",
            "主密钥文件（32 字节以上，权限 600）；合成世界不需要",
            "Master key file (32 bytes or more, mode 600); a synthetic world needs none.",
        ),
        _doc("serve.host", "监听地址", "Address to listen on."),
        _doc("serve.port", "监听端口；0 为任一空闲端口", "Port to listen on; 0: any free one."),
        _doc(
            "serve.certificate",
            "TLS 证书链（PEM）；不给则自制开发证书，仅限合成世界与本机地址",
            "TLS certificate chain (PEM). Without it a development certificate is made, for a"
            " synthetic world on a loopback address only.",
        ),
        _doc(
            "serve.private_key",
            "证书私钥（PEM，权限 600）",
            "Private key of the certificate (PEM, mode 600).",
        ),
        _doc(
            "serve.public_url",
            "用户看到的地址，如 https://login.example.com；默认取监听地址",
            "The address as people see it, such as https://login.example.com; default: where it"
            " listens.",
        ),
        _doc(
            "serve.workers",
            "进程数；多于 1 个需要 PostgreSQL",
            "How many processes; more than one needs PostgreSQL.",
        ),
        _doc(
            "serve.drain_seconds",
            "停止时最多等待在途请求的秒数",
            "Seconds that a stop waits for requests in flight.",
        ),
        _doc(
            "serve.clock_offset",
            "时钟偏移（秒），仅限合成世界：让服务活在世界的时间里",
            "Seconds added to the clock, in a synthetic world only, so that the service lives at"
            " the world's time.",
        ),
        _doc("limits.body_bytes", "请求正文上限（字节）", "Most bytes of a request's body."),
        _doc("limits.body_seconds", "正文须在此秒数内收完", "Seconds to send a body in."),
        _doc(
            "limits.header_bytes",
            "请求行与头部上限（字节）",
            "Most bytes of a request's line and headers.",
        ),
        _doc("limits.header_seconds", "头部须在此秒数内收完", "Seconds to send the headers in."),
        _doc("limits.parameters", "参数个数上限", "Most parameters of a request."),
        _doc(
            "limits.connections",
            "每个进程的连接上限；超出时关闭最久无请求的连接",
            "Most connections of one process; beyond it the one longest without a request is"
            " closed.",
        ),
        _doc(
            "limits.requests",
            "每个进程同时处理的请求上限；超出时答复 503",
            "Most requests at work in one process; beyond it 503.",
        ),
        _doc("limits.idle_seconds", "空闲连接保持秒数", "Seconds that an idle connection is kept."),
        _doc(
            "cas.form_seconds",
            "登录页打开后须在此秒数内提交",
            "Seconds within which a login page must be sent in.",
        ),
        _doc(
            "cas.outbound_seconds",
            "代理回调与注销通知每次最多等待的秒数",
            "Seconds that a proxy callback or a logout message may take.",
        ),
        _doc(
            "cas.authorities",
            "验证应用证书所用的根证书（PEM）；默认用系统的",
            "Root certificates (PEM) that applications' certificates are verified against; default:"
            " the system's.",
        ),
        _doc(
            "telemetry.endpoint",
            "OTLP/HTTP 追踪上报地址，如 https://collector.example/v1/traces；默认不上报",
            "Where traces are sent (OTLP/HTTP), such as https://collector.example/v1/traces;"
            " default: nowhere.",
        ),
        _doc(
            "watch.silence_seconds",
            "告警监视进程沉默超过此秒数，写入日志并反映在指标里；0：本服务不需要监视进程",
            "Seconds without a sign of the watch (`acl audit detect --follow --react`) after which"
            " the service says so in its log and metrics; 0: no watch is wanted.",
        ),
        _doc(
            "telephony.vendor",
            "一键拨号的电话服务商：world 合成世界用模拟交换机、真实世界拒绝拨号；none 拒绝拨号；"
            "tencent-npp 腾讯云号码保护",
            "Who rings for one-click dial. world: a simulated switchboard in a synthetic world, and"
            " none over real people; none: dialling is refused; tencent-npp: Tencent Cloud number"
            " protection.",
        ),
        _doc(
            "telephony.account_file",
            "服务商账户文件（acl-telephony/1，权限 600）：app_id、secret_id、secret_key 与"
            "每台设备的线路 lines；选定服务商时必填",
            "The account with the vendor (acl-telephony/1, mode 600): app_id, secret_id, secret_key"
            " and the line of each device under lines; required with a vendor.",
        ),
        _doc(
            "telephony.endpoint",
            "服务商接口地址；默认为其公开地址；合成世界只可用本机的仿真服务",
            "Where the vendor's interface is; default: its public address. A synthetic world must"
            " name one on this machine.",
        ),
        _doc(
            "telephony.authorities",
            "验证服务商证书所用的根证书（PEM）；默认用系统的",
            "Root certificates (PEM) that the vendor's certificate is verified against; default:"
            " the system's.",
        ),
        _doc(
            "telephony.seconds",
            "服务商须在此秒数内答复，否则拒绝该次拨号",
            "Seconds within which the vendor must answer, or the call is refused.",
        ),
    )
)
