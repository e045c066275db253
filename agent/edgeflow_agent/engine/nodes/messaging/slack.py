"""slack: post to a channel by an incoming webhook or a bot's token."""

from __future__ import annotations

from typing import Annotated, cast

import msgspec
from msgspec import Meta

from ...javalike import to_text
from ...message import Message
from ...node import Node, NodeConfig, NodeError

API = "https://slack.com/api/chat.postMessage"


class SlackConfig(NodeConfig):
    """`webhookUrl`, or `token` and `channel`."""

    webhook_url: Annotated[str, Meta(title="Incoming webhook", extra_json_schema={"format": "password"})] = ""
    token: Annotated[str, Meta(title="Bot token", extra_json_schema={"format": "password"})] = ""
    channel: Annotated[str, Meta(title="Channel", description="empty: the message's `channel`")] = ""
    username: Annotated[str, Meta(title="Shown name")] = ""
    icon_emoji: Annotated[str, Meta(title="Shown icon", examples=[":factory:"])] = ""
    text: Annotated[str, Meta(title="Text", description="empty: the payload")] = ""
    api_url: Annotated[str, Meta(title="API", extra_json_schema={"hidden": True})] = API
    timeout: Annotated[float, Meta(title="Time limit (seconds)", gt=0, le=300)] = 30.0


class Slack(Node[SlackConfig]):
    """Posts the payload (an object with `text` or `blocks` as it is), then passes the message on."""

    type = "slack"
    category = "output"
    group = "messaging"
    Config = SlackConfig

    async def start(self) -> None:
        if not (self.config.webhook_url or self.config.token):
            raise NodeError("A slack node needs an incoming webhook, or a bot's token and a channel.")

    async def receive(self, message: Message) -> None:
        import httpx2

        config = self.config
        body = self._write(message)
        headers = {"content-type": "application/json; charset=utf-8"}
        if not config.webhook_url:
            headers["authorization"] = f"Bearer {config.token}"
        try:
            async with httpx2.AsyncClient(timeout=config.timeout, trust_env=False) as client:
                answer = await client.post(
                    config.webhook_url or config.api_url, content=msgspec.json.encode(body), headers=headers
                )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NodeError(
                f"Slack does not answer: {type(error).__name__} {error}.".replace(" .", ".")
            ) from None
        if answer.status_code == 429:
            raise NodeError(f"Slack wants a pause of {answer.headers.get('retry-after', 'some')} seconds.")
        reason = (
            answer.text[:200] if answer.status_code >= 400 else _refusal(answer.content, config.webhook_url)
        )
        if reason:
            raise NodeError(f"Slack refused the message: {reason}.")
        self.send(message)

    def _write(self, message: Message) -> dict[str, object]:
        config = self.config
        payload = message.get("payload")
        body: dict[str, object] = {}
        if isinstance(payload, dict) and ("text" in payload or "blocks" in payload):
            body |= cast("dict[str, object]", payload)
        else:
            body["text"] = config.text or to_text(payload)
        channel = config.channel or message.get("channel")
        more = {"channel": channel, "username": config.username, "icon_emoji": config.icon_emoji}
        body |= {key: value for key, value in more.items() if value}
        if not config.webhook_url and not body.get("channel"):
            raise NodeError(
                "With a token, Slack needs a channel. Give the node one, or the message a `channel`."
            )
        return body


def _refusal(content: bytes, webhook: str) -> str:
    """The API answers 200 with `ok: false`."""
    if webhook:
        return ""
    try:
        body = cast("dict[str, object]", msgspec.json.decode(content))
    except msgspec.DecodeError:
        return "its answer is not JSON"
    return "" if body.get("ok") is True else str(body.get("error") or "no reason given")
