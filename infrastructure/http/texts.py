"""Every text that the service answers with, in each of its languages."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """One text in each language; what stands in braces is filled in."""

    en: str
    zh: str

    def said(self, language: Language, **facts: object) -> str:
        """Fill it in."""
        return (self.zh if language == "zh" else self.en).format(**facts)


class Trouble(NamedTuple):
    """What happened, and what to do next."""

    message: Text
    recovery: Text


MESSAGES = {
    "configured": Text("the mode is {mode}", "模式已设为 {mode}"),
    "unknown": Text("not configured yet; set a mode first", "尚未配置，请先设置模式"),
    "started": Text("started at {step}", "已从 {step} 开始运行"),
    "restarted": Text("started anew from the first step", "已重置并从第一步重新开始"),
    "not_left": Text(
        "not started: the step {step} has not left yet; try again in a moment",
        "尚未启动：步骤 {step} 还没有退出，请稍后重试",
    ),
    "already_completed": Text(
        "completed already; start it with force to run it again",
        "已经完成，如需重新运行请使用 force 启动",
    ),
    "paused": Text("paused at {step}", "已在 {step} 暂停"),
    "pausing": Text(
        "paused; the step {step} leaves at its next safe point",
        "已暂停，步骤 {step} 将在下一个安全点退出",
    ),
    "resumed": Text("goes on at {step}", "已从 {step} 继续运行"),
    "stopped": Text("stopped; what is completed is kept", "已停止，已完成的步骤会保留"),
    "stopping": Text(
        "stopped; the step {step} leaves at its next safe point",
        "已停止，步骤 {step} 将在下一个安全点退出",
    ),
    "not_running": Text("it was not running (status {status})", "并未在运行（状态 {status}）"),
    "reset": Text("reset; the mode is kept", "已重置，模式保持不变"),
    "leaving": Text("stopping: the step has not left yet", "正在停止：该步骤尚未退出"),
}

_SIMULATION_ID = Text(
    "send simulation_id as text of 1 to 512 characters, none of them a control character",
    "请提供 simulation_id：1 至 512 个字符的文本，不含控制字符",
)
_AGAIN_LATER = Text("try again in a moment", "请稍后重试")
_SEE_API = Text("see /openapi.json for what can be asked", "可用接口请参见 /openapi.json")
_STATUS_FIRST = Text("look at the status before trying again", "重试之前请先查看状态")
_SEND_OBJECT = Text(
    'send a JSON object in UTF-8, such as {{"simulation_id": "sim_1"}}',
    '请发送 UTF-8 编码的 JSON 对象，例如 {{"simulation_id": "sim_1"}}',
)

TROUBLES = {
    "bad_simulation_id": Trouble(
        Text("simulation_id is missing or can't be used", "缺少 simulation_id 或其值无效"),
        _SIMULATION_ID,
    ),
    "bad_mode": Trouble(
        Text("mode is missing or unknown", "缺少 mode 或其值未知"),
        Text("send mode as auto or manual", "请将 mode 设为 auto 或 manual"),
    ),
    "bad_field": Trouble(
        Text("the field {field} can't be used", "字段 {field} 的值无效"),
        Text("see /openapi.json for what it may hold", "允许的取值请参见 /openapi.json"),
    ),
    "bad_content_type": Trouble(
        Text("the content type is not JSON", "内容类型不是 JSON"),
        Text("send Content-Type: application/json", "请发送 Content-Type: application/json"),
    ),
    "not_utf8": Trouble(Text("the body is not UTF-8", "请求体不是 UTF-8 编码"), _SEND_OBJECT),
    "bad_json": Trouble(Text("the body is no JSON", "请求体不是有效的 JSON"), _SEND_OBJECT),
    "not_an_object": Trouble(
        Text("the body is JSON, but no object", "请求体是 JSON，但不是对象"), _SEND_OBJECT
    ),
    "mode_not_auto": Trouble(
        Text("the mode is {mode}, not auto", "当前模式为 {mode}，不是 auto"),
        Text("configure the simulation with mode auto first", "请先将该模拟的模式配置为 auto"),
    ),
    "not_active": Trouble(
        Text("it can't be paused while {status}", "当前状态为 {status}，无法暂停"),
        Text("only an active run can be paused", "只能暂停正在运行的任务"),
    ),
    "not_paused": Trouble(
        Text("it can't be resumed while {status}", "当前状态为 {status}，无法恢复"),
        Text(
            "only a paused run can be resumed; start it instead", "只能恢复已暂停的运行，请改用启动"
        ),
    ),
    "refused": Trouble(
        Text("the run can't do this now", "当前无法对该运行执行此操作"), _STATUS_FIRST
    ),
    "no_token": Trouble(
        Text("no token, or a wrong one", "缺少令牌或令牌错误"),
        Text(
            "send Authorization: Bearer TOKEN, or X-API-Key: TOKEN",
            "请发送 Authorization: Bearer 令牌，或 X-API-Key: 令牌",
        ),
    ),
    "foreign_host": Trouble(
        Text("this service does not go by that host name", "本服务不使用该主机名"),
        Text("ask for it by the address that it listens on", "请使用服务监听的地址访问"),
    ),
    "not_the_owner": Trouble(
        Text("the simulation belongs to somebody else", "该模拟属于其他用户"),
        Text("ask its owner", "请联系其所有者"),
    ),
    "simulation_not_found": Trouble(
        Text("the host knows no such simulation", "主机中不存在该模拟"),
        Text("create it there first", "请先创建该模拟"),
    ),
    "job_not_found": Trouble(
        Text("there is no job with this id", "不存在该 id 的任务"),
        Text("GET /api/jobs lists the ids", "可通过 GET /api/jobs 查看 id"),
    ),
    "not_found": Trouble(Text("there is nothing at this path", "该路径不存在"), _SEE_API),
    "method_not_allowed": Trouble(
        Text("the method is not allowed here", "此处不允许使用该方法"),
        Text("use {allowed}", "请使用 {allowed}"),
    ),
    "body_too_slow": Trouble(
        Text("the body did not come within {limit_s:g} s", "请求体未能在 {limit_s:g} 秒内到达"),
        Text("send it again", "请重新发送"),
    ),
    "body_too_large": Trouble(
        Text("the body is larger than {limit} bytes", "请求体超过 {limit} 字节"),
        Text("send less", "请减小请求体"),
    ),
    "busy": Trouble(Text("other writers were faster", "有其他写入者同时在操作"), _AGAIN_LATER),
    "log_damaged": Trouble(
        Text("part of the log can't be read", "日志的一部分无法读取"),
        Text("run resumelog verify where the log is", "请在日志所在处运行 resumelog verify"),
    ),
    "internal": Trouble(
        Text("something went wrong in the service", "服务内部出错"),
        Text(
            "try again; the service's own log says what happened",
            "请重试，服务自身的日志中有具体原因",
        ),
    ),
    "no_host": Trouble(
        Text("nothing here can do the steps of a run", "此服务无法执行运行的步骤"),
        Text(
            "ask the service that has the host, or serve with one (--pilot)",
            "请访问带有主机的服务，或使用 --pilot 启动本服务",
        ),
    ),
    "log_unavailable": Trouble(
        Text("the log can't be read or written now", "日志暂时无法读写"), _AGAIN_LATER
    ),
    "took_too_long": Trouble(
        Text("there was no answer within {limit_s:g} s", "未能在 {limit_s:g} 秒内完成"),
        Text(
            "it may still take effect: look at the status before trying again",
            "操作可能仍会生效，重试之前请先查看状态",
        ),
    ),
    "service_ending": Trouble(
        Text("the service is ending", "服务正在关闭"),
        Text(
            "it may still take effect: once the service is back, look at the status, then try again",
            "操作可能仍会生效，待服务恢复后请先查看状态，再重试",
        ),
    ),
}


def language_of(accepted: str) -> Language:
    """Return the language that an Accept-Language header likes best; English where it names none."""
    liked = {"zh": 0.0, "en": 0.0}
    for part in accepted.split(","):
        name, _, weight = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        if language in liked:
            liked[language] = max(liked[language], _weight(weight))
    return "zh" if liked["zh"] > liked["en"] else "en"


def _weight(given: str) -> float:
    name, _, value = given.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
