"""What a decision is: where the session stands, in words, and the next step."""

from dataclasses import dataclass, field

from ibga.automator.steps import Step, Wait
from ibga.runtime import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    state: State
    reason: str  # a sentence for people
    step: Step = field(default_factory=Wait)
    person: str = ""  # what a person should do
    deadline: float | None = None  # Unix seconds
