"""
The error tree every service speaks.

* PlatformError
  x PermanentError       trying again will not help
    + Invalid            the input breaks a rule; `problems` name each place
      - TooLarge
      - TooSlow
    + NotSignedIn        who are you?
    + NotAllowed         we know who you are, and no
      - EnrolFirst       not before a second factor is enrolled
    + NotFound           there is no such thing (or not for you)
    + RuleViolation      the law or the procedure forbids it
    + Conflict           somebody else changed it first
    + Unacceptable       a message that can never be processed; it goes to quarantine
  x TemporaryError       trying again later may help
    + Unavailable        a neighbour, the database or an external system is away

`code` is stable and for machines; `message` is Chinese, for people, and says what to do next.
Each host maps the tree to its own protocol (kernel/hosting/api.py, kernel/hosting/rpc.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in an input: where (dotted path, or row and column), a stable code, and what to do."""

    path: str
    code: str
    message: str


class PlatformError(Exception):
    """Root of the tree."""

    code: ClassVar[str] = "platform.error"
    message: ClassVar[str] = "系统出现未预料的错误，请稍后再试；如反复出现，请联系系统管理员并提供请求编号。"

    def __init__(
        self, message: str | None = None, *, code: str | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        self.text = message or type(self).message
        self.stable_code = code or type(self).code
        self.problems = tuple(problems)
        super().__init__(f"{self.stable_code}: {self.text}")


class PermanentError(PlatformError):
    """Trying again will not help."""


class Invalid(PermanentError):
    """The input breaks a rule."""

    code = "platform.invalid"
    message = "提交的内容不符合要求，请按提示逐项修改后再提交。"


class TooLarge(Invalid):
    """The input is larger than this door lets in."""

    code = "platform.too_large"
    message = "提交的内容超过大小限制，请拆分后再提交。"


class TooSlow(Invalid):
    """The input did not arrive in the time this door waits."""

    code = "platform.too_slow"
    message = "请求内容未能在规定时间内传完，请检查网络后重试。"


class NotSignedIn(PermanentError):
    """No valid credentials came with the request."""

    code = "identity.not_signed_in"
    message = "尚未登录或登录已失效，请重新登录。"


class NotAllowed(PermanentError):
    """The caller is known and lacks the right."""

    code = "identity.not_allowed"
    message = "当前账号没有此项权限，如确需办理，请联系本单位系统管理员。"


class EnrolFirst(NotAllowed):
    """The caller's role asks for a second factor, and none is enrolled (R39)."""

    code = "identity.enrol_first"
    message = "本账号须先绑定双因素验证才能办理业务，请打开“系统管理—双因素验证”，按提示绑定后继续。"


class NotFound(PermanentError):
    """There is no such thing, or none this caller may know of."""

    code = "platform.not_found"
    message = "未找到所请求的内容，请核对编号后再试。"


class RuleViolation(PermanentError):
    """The law or the procedure forbids it."""

    code = "platform.rule_violation"


class Conflict(PermanentError):
    """Somebody else changed it first, or the same thing exists already."""

    code = "platform.conflict"
    message = "内容已被他人修改，请刷新后重试。"


class Unacceptable(PermanentError):
    """A message that can never be processed; its raw bytes belong in quarantine."""

    code = "platform.unacceptable_message"


class TemporaryError(PlatformError):
    """Trying again later may help."""

    code = "platform.temporary"
    message = "服务暂时繁忙，请稍后再试。"


class Unavailable(TemporaryError):
    """A neighbour, the database or an external system is away."""

    code = "platform.unavailable"
    message = "所依赖的服务暂时不可用，请稍后再试。"
