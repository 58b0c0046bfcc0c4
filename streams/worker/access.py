"""Whether the topics and rights that an agent needs are there: asked before it joins its group."""

from schemas.errors import UsageError
from streams.agents.agent import Agent
from streams.agents.topology import AGENTS, AgentSpec
from streams.config.settings import Settings
from streams.kafka.client import cluster_metadata, require_visible
from streams.kafka.rights import require_rights


class TopicMissingError(UsageError):
    """A topic that the agent reads or writes does not exist."""


def require_topics(settings: Settings, agent: Agent) -> None:
    """Raises `TopicMissingError` that names every missing topic of `agent`, `AccessError` that names missing rights.

    Beside these each agent needs WRITE on the transactional ids that begin with its own. READ and WRITE imply DESCRIBE;
    a transactional producer needs no IDEMPOTENT_WRITE on the cluster. Of an agent that is not in the topology only the
    topic that it consumes is looked for.
    """
    present = cluster_metadata(settings).topics
    spec = AGENTS.get(agent.name)
    if spec is not None:
        _require_rights(settings, spec)
    needed = (agent.source, *(map(settings.topic, spec.writes) if spec is not None else ()))
    missing = [topic for topic in needed if topic not in present]
    for topic in missing:
        require_visible(settings, topic)
    if missing:
        names = ", ".join(map(repr, missing))
        raise TopicMissingError(
            f"{agent.name}: topic{'s' if len(missing) > 1 else ''} {names} do{'' if len(missing) > 1 else 'es'} not "
            f"exist on {settings.bootstrap_servers}: create the topics with `edgewise topics create`, or set "
            "EDGEWISE_TOPIC_PREFIX"
        )


def _require_rights(settings: Settings, spec: AgentSpec) -> None:
    wanted = {settings.topic(name): ["READ"] for name in (spec.reads, *spec.reads_back)}
    for name in spec.writes:
        wanted.setdefault(settings.topic(name), []).append("WRITE")
    require_rights(settings, spec.name, wanted, {settings.group(spec.name): ["READ"]})
