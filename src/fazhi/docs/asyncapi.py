"""
AsyncAPI 3.0 of the bus 消息总线, from contracts.topology, the schemas and the queue arguments the code declares.

Inside, facts are protobuf; the schema given with each message is the .proto file itself. Outside systems meet
the gateway in a virtual host of their own, with JSON letters signed as in docs/decisions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts import topology
from fazhi.services import TITLES
from gateway.clues.letters import INBOX, outbox_of
from gateway.links.link import load_links
from kernel.bus.rabbit import DEAD_EXCHANGE, DEAD_QUEUE, queue_arguments
from kernel.messages import CONTENT_TYPE, Queue
from kernel.settings import Settings

PROTOBUF = "application/vnd.google.protobuf;version=3"


@dataclass(frozen=True, slots=True)
class Fact:
    """What a wire name carries: the schema's folder, its message type, and the words for people."""

    schema: str
    type: str
    title: str
    says: str


FACTS = {
    topology.SCORED: Fact("events", "ScoredEvents", "计分事件", "一笔业务事务产生的认定，考核据以计分"),
    topology.UNITS: Fact("directory", "Units", "单位目录", "单位的完整状态，版本高者替换版本低者"),
    topology.CITATIONS: Fact("citations", "Citations", "引用", "业务对象所依据的法律条文"),
    topology.CLUE_TO_ENFORCEMENT: Fact("clues", "ClueRouted", "线索（转执法监督）", "网关核验过的线索"),
    topology.CLUE_TO_DISPUTES: Fact("clues", "ClueRouted", "线索（转多元化解）", "网关核验过的线索"),
    topology.CORRECTION_ASKED: Fact(
        "corrections",
        "CorrectionAsked",
        "更正通知",
        "申诉成立，请来源服务更正所指的计分事件；各来源服务都收到，只办理写给自己的",
    ),
    topology.HOLDERS: Fact(
        "holders",
        "Holders",
        "任职授权",
        "谁在哪个单位有什么角色、起止到哪天；一个账号的完整状态，版本高者替换版本低者；含账号、姓名、所属单位，不含其他个人信息",
    ),
    topology.CLUE_PROGRESSED: Fact("clues", "ClueProgressed", "线索进展", "承办服务告知线索办到哪一步"),
}
_INFO = """一省平台内部的消息总线。每个来源服务一个 topic 交换机 `<服务>.events`，路由键是带版本的事实名；每个接收者一个
仲裁队列，参数全部显式声明。发布一律持久化、`mandatory`、等待确认；同一事务的多个事实装在一条消息里。接收一律先入收件箱，
重复投递不重复生效；收不下的进入隔离区。本文件由 `python -m fazhi.docs` 生成，请勿手改。"""


class _Text(yaml.SafeDumper):
    """Long texts as literal blocks."""


def _literal(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Text.add_representer(str, _literal)


def document(root: Path) -> str:
    """The AsyncAPI document."""
    keys = sorted({key for queue in topology.QUEUES for key in queue.keys})
    partners = sorted(load_links(Settings.model_fields["catalog"].default))
    said: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "法治一体 消息总线",
            "version": "1",
            "description": _INFO,
            "license": {"name": "Mulan PSL v2", "url": "http://license.coscl.org.cn/MulanPSL2"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "internal": {
                "host": "{broker}",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "variables": _broker(),
            },
            "partner": {
                "host": "{broker}",
                "pathname": "/{system}",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "外部系统各自的虚拟主机；只有网关跨过它（FAZHI_PARTNER_BROKERS）",
                "variables": {**_broker(), "system": {"enum": partners, "default": partners[0]}},
            },
        },
        "channels": {_channel(*key): _channel_of(*key) for key in keys} | _partner_channels(partners),
        "operations": _operations(keys, partners),
        "components": {"messages": _messages(root)},
    }
    return "# 由 python -m fazhi.docs 生成，请勿手改。\n" + yaml.dump(
        said, Dumper=_Text, allow_unicode=True, sort_keys=False, width=110
    )


def page() -> str:
    """The list of facts and queues for people."""
    lines = [
        "# 消息 Events",
        "",
        "由 `python -m fazhi.docs` 生成，请勿手改。完整的机器可读说明见 [asyncapi.yaml](asyncapi.yaml)（AsyncAPI 3.0）；",
        "字段见 `proto/contracts/*/v1/*.proto`，样例见各 schema 旁的 `samples/`；队列在 `proto/contracts/topology.py` 一处声明。",
        "",
        "| 事实 | 线上名称 | 谁发出 | 谁接收（队列） | 消息类型 | 说的是什么 |",
        "|---|---|---|---|---|---|",
    ]
    for name, fact in FACTS.items():
        told = sorted({source for queue in topology.QUEUES for source, key in queue.keys if key == name})
        heard = [f"`{queue.name}`" for queue in topology.QUEUES if any(key == name for _, key in queue.keys)]
        senders = "、".join(TITLES[one] for one in told)
        lines.append(
            f"| {fact.title} | `{name}` | {senders} | {'、'.join(heard)} | "
            f"`contracts.{fact.schema}.v1.{fact.type}` | {fact.says} |"
        )
    arguments = "；".join(f"`{key}` = {value}" for key, value in queue_arguments().items())
    lines += [
        "",
        f"每个队列的参数（任何版本的 RabbitMQ 上都相同）：{arguments}。死信交换机和队列：`{DEAD_EXCHANGE}`、`{DEAD_QUEUE}`。",
        "",
        f"外部系统在自己的虚拟主机里：投入 `{INBOX}`，从 `{outbox_of('<系统>')}` 取回答复；JSON 正文，签名头见",
        "[网关](../../gateway/README.md)。",
    ]
    return "\n".join(lines) + "\n"


def _broker() -> dict[str, Any]:
    return {"broker": {"default": "127.0.0.1:5672", "description": "FAZHI_BROKER_URL"}}


def _channel(source: str, name: str) -> str:
    return f"{source}.{name}"


def _channel_of(source: str, name: str) -> dict[str, Any]:
    fact = FACTS[name]
    exchange = {"name": f"{source}.events", "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": name,
        "title": f"{TITLES[source]}：{fact.title}",
        "description": fact.says,
        "servers": [{"$ref": "#/servers/internal"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _queue_binding(name: str) -> dict[str, Any]:
    return {"amqp": {"is": "queue", "queue": {"name": name, "durable": True}, "bindingVersion": "0.3.0"}}


def _partner_channels(partners: list[str]) -> dict[str, Any]:
    inbox = {
        "address": INBOX,
        "title": "外部系统投递线索",
        "servers": [{"$ref": "#/servers/partner"}],
        "messages": {"clue": {"$ref": "#/components/messages/partner.clue"}},
        "bindings": _queue_binding(INBOX),
    }
    outboxes = {
        f"partner.{outbox_of(system)}": {
            "address": outbox_of(system),
            "title": f"答复送回 {system}",
            "servers": [{"$ref": "#/servers/partner"}],
            "messages": {"answer": {"$ref": "#/components/messages/partner.answer"}},
            "bindings": _queue_binding(outbox_of(system)),
        }
        for system in partners
    }
    return {f"partner.{INBOX}": inbox, **outboxes}


def _operations(keys: list[tuple[str, str]], partners: list[str]) -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for source, name in keys:
        operations[f"{source}.tells.{name}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{_channel(source, name)}"},
            "summary": f"{TITLES[source]}发出{FACTS[name].title}",
            "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": "0.3.0"}},
        }
    for queue in topology.QUEUES:
        for source, name in queue.keys:
            operations[f"{queue.name}.hears.{source}"] = _hearing(queue, source, name)
    operations["gateway.hears.partners"] = {
        "action": "receive",
        "channel": {"$ref": f"#/channels/partner.{INBOX}"},
        "summary": "网关接收外部系统的线索",
    }
    for system in partners:
        operations[f"gateway.answers.{system}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/partner.{outbox_of(system)}"},
            "summary": f"网关把办理结果答复 {system}",
        }
    return operations


def _hearing(queue: Queue, source: str, name: str) -> dict[str, Any]:
    """What a queue hears of one service; its arguments travel as an extension, AsyncAPI has no place for them."""
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_channel(source, name)}"},
        "summary": f"队列 {queue.name} 接收",
        "x-queue": {"name": queue.name, "durable": True, "arguments": queue_arguments()},
    }


def _messages(root: Path) -> dict[str, Any]:
    """The messages with their schemas; the same schema stands with each message that uses it."""
    found: dict[str, Any] = {}
    for name, fact in FACTS.items():
        path = root / "proto" / "contracts" / fact.schema / "v1"
        (schema,) = path.glob("*.proto")
        found[name] = {
            "name": f"contracts.{fact.schema}.v1.{fact.type}",
            "title": fact.title,
            "summary": fact.says,
            "contentType": CONTENT_TYPE,
            "headers": {
                "type": "object",
                "properties": {"trace": {"type": "string", "description": "贯穿一次业务操作的追踪编号"}},
            },
            "payload": {"schemaFormat": PROTOBUF, "schema": schema.read_text()},
        }
    signed = {name: {"type": "string"} for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    for name, title in (("partner.clue", "线索"), ("partner.answer", "办理结果")):
        found[name] = {
            "name": name,
            "title": title,
            "contentType": "application/json",
            "headers": {"type": "object", "required": sorted(signed), "properties": signed},
            "payload": {
                "type": "object",
                "description": "字段见 catalog/links/<系统>.yaml 和 gateway/README.md",
            },
        }
    return found
