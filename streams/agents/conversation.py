"""The conversation agent: what the scored turns of each conversation say, and whether it needs a person."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from models.escalation import EscalationModel, load_escalation_model
from schemas.codec import DecodeError
from schemas.topics import ALERTS, CONVERSATIONS, SENTIMENT
from schemas.validation import validate_result
from streams.agents.agent import Agent, KafkaRecord, Output, ReadBack
from streams.agents.decoding import Decoder
from streams.agents.state_file import UNSEEN, Entry, StateFile
from streams.agents.topic_state import StateError
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.monitoring.alerting import alert_key
from streams.monitoring.conversation import Conversation
from streams.monitoring.escalation import escalation_alert
from streams.system.clock import Clock, now_ms
from streams.system.threads import in_daemon_thread

# As long as `conversations` keeps them: what has been removed there is forgotten here.
KEPT_DAYS = 30

# An alert that fires with its conversation's last turn is over so much later: who follows alerts can tell of both.
_LAST_ALARM_MS = 10_000

# At a tick so many of each partition are timed out at most, and so many looked at that were read back: after a restart
# they are all of them. It takes some 0.1 s, in which no batch is done.
_AT_ONCE = 2_000


class ConversationAgent(Agent):
    """sentiment -> conversations: each conversation that a batch changes, whole; what is poison -> dead-letters.

    The latest record of a conversation replaces those before it, and is committed with the offsets of the results that
    it counts: `conversations` is the agent's state, and a result is in it exactly when its offset is committed. One
    that escalates has an alert on `alerts`, written in the same transaction, which resolves when it is over.

    A conversation must not change its partition while results of it are under way: two workers would write it.
    """

    name = "conversation"
    # A conversation that moves is written once for several of its turns.
    gather_s = 0.5
    tick_s = 5.0

    def __init__(self, settings: Settings, model: EscalationModel, read_back: ReadBack, clock: Clock = now_ms) -> None:
        self.source = settings.topic(SENTIMENT)
        self.model = model.id
        self.chunk_records = settings.chunk_records
        self._risk_model = model
        self._threshold = settings.escalation_risk
        self._idle_ms = settings.conversation_idle_s * 1000
        self._clock = clock
        self._results = Decoder(settings, self.name, SENTIMENT, lambda result: validate_result(result, now_ms=clock()))
        self._codec = codec(settings, CONVERSATIONS)
        self._topic = settings.topic(CONVERSATIONS)
        self._alert_codec = codec(settings, ALERTS)
        self._alerts = settings.topic(ALERTS)
        self._states = StateFile(CONVERSATIONS, read_back, clock, KEPT_DAYS)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """The conversations that `records` change.

        Raises what reading states back raises, and `TooManyDeadLettersError`.
        """
        # In a thread: reading states back takes as long as it takes, and a stop signal must not wait for it.
        return await in_daemon_thread(partial(self._process, records))

    async def tick(self, now_ms: int, partitions: Mapping[int, int]) -> list[Output]:
        """The conversations of `partitions` for which nothing has come for so long that they count as over.

        And those that escalated with their last turn, a moment later: their alert resolves.

        Raises what reading states back raises.
        """
        return await in_daemon_thread(partial(self._tick, now_ms, partitions))

    def positions_set_back(self, partitions: Collection[int]) -> None:
        """Takes back what was added since the last commit; what other workers have written since is read."""
        self._states.take_back()

    async def close(self) -> None:
        """Ends the file of states."""
        self._states.close()

    def _process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        self._begin()
        good, outputs = self._results.decode_all(records)
        keys = {result.conversation_id.encode() for _, result in good}
        changed = {key: self._restored(key, value) for key, value in self._states.values(keys).items()}
        for record, result in good:
            key = result.conversation_id.encode()
            if key not in changed:
                changed[key] = Conversation(result.conversation_id)
            changed[key].add(result, record.partition)
        return outputs + self._written(changed, self._clock())

    def _tick(self, now_ms: int, partitions: Mapping[int, int]) -> list[Output]:
        self._begin()
        unseen = self._states.due(now_ms, UNSEEN, _AT_ONCE)
        self._states.put([self._entry(key, self._restored(key, value), value) for key, value in unseen])
        found = {}
        for partition, read_to_ms in partitions.items():
            # A turn that waits to be read has come: its conversation is not over because nobody has looked.
            for key, value in self._states.due(min(now_ms, read_to_ms), partition, _AT_ONCE):
                found[key] = self._restored(key, value)
                if found[key].status == "open":
                    found[key].status = "timed_out"
        return self._written(found, now_ms)

    def _begin(self) -> None:
        """What the last call put is committed by now, or taken back."""
        self._states.keep()
        self._states.refresh()

    def _written(self, conversations: dict[bytes, Conversation], at_ms: int) -> list[Output]:
        entries, outputs = [], []
        for key, conversation in conversations.items():
            was_alarming = conversation.is_alarming
            state = conversation.to_record(self._risk_model, self._threshold, at_ms)
            value = self._codec.encode(state)
            entries.append(self._entry(key, conversation, value))
            outputs.append(Output(self._topic, key, value))
            if conversation.is_alarming != was_alarming:
                alert = escalation_alert(state, self._threshold, is_firing=conversation.is_alarming)
                alert_value = self._alert_codec.encode(alert)
                outputs.append(Output(self._alerts, alert_key(alert.rule, alert.subject), alert_value))
        self._states.put(entries)
        return outputs

    def _entry(self, key: bytes, conversation: Conversation, value: bytes) -> Entry:
        waits_ms = self._idle_ms if conversation.status == "open" else _LAST_ALARM_MS
        is_over = conversation.status != "open" and not conversation.is_alarming
        due_at = None if is_over else conversation.updated_at + waits_ms
        return Entry(key, value, conversation.partition, due_at)

    def _restored(self, key: bytes, value: bytes) -> Conversation:
        try:
            return Conversation.from_record(self._codec.decode(value))
        except (DecodeError, ValueError, OverflowError) as error:
            raise StateError(key, self._topic, error) from None


async def build(settings: Settings, read_back: ReadBack) -> ConversationAgent:
    """The agent, which reads its conversations back when it begins. Raises `ArtifactError`."""
    return ConversationAgent(settings, load_escalation_model(settings.escalation_model), read_back)
