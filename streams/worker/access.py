"""Whether the topics and rights that an agent needs are there: asked before it joins its group."""

from collections.abc import Collection, Iterable

from schemas.errors import UsageError
from streams.agents.agent import Agent
from streams.agents.topology import AGENTS, AgentSpec
from streams.kafka.client import Cluster
from streams.kafka.rights import require_rights


class TopicMissingError(UsageError):
    """A topic that the agent reads or writes does not exist."""


def require_topics(cluster: Cluster, agent: Agent) -> None:
    """Raises `TopicMissingError` that names every missing topic of `agent`, `AccessError` that names missing rights.

    Beside these each agent needs WRITE on the transactional ids that begin with its own. READ and WRITE imply DESCRIBE;
    a transactional producer needs no IDEMPOTENT_WRITE on the cluster. Of an agent that is not in the topology only the
    topic that it consumes is looked for. What an agent leaves unused is not asked for.
    """
    settings = cluster.settings
    present = cluster.metadata().topics
    spec = AGENTS.get(agent.name)
    if spec is not None:
        _require_rights(cluster, spec, agent.unused)
    others = _without(agent.unused, (*spec.writes, *spec.reads_back)) if spec is not None else []
    needed = dict.fromkeys((agent.source, *map(settings.topic, others)))
    missing = [topic for topic in needed if topic not in present]
    for topic in missing:
        cluster.require_visible(topic)
    if missing:
        names = ", ".join(map(repr, missing))
        raise TopicMissingError(
            f"{agent.name}: topic{'s' if len(missing) > 1 else ''} {names} do{'' if len(missing) > 1 else 'es'} not "
            f"exist on {settings.bootstrap_servers}: create the topics with `edgewise topics create`, or set "
            "EDGEWISE_TOPIC_PREFIX"
        )


def _require_rights(cluster: Cluster, spec: AgentSpec, unused: Collection[str]) -> None:
    settings = cluster.settings
    wanted = {settings.topic(name): ["READ"] for name in (spec.reads, *_without(unused, spec.reads_back))}
    for name in _without(unused, spec.writes):
        wanted.setdefault(settings.topic(name), []).append("WRITE")
    groups = {settings.group(spec.name): ["READ"]}
    if spec.watches_line:
        for other in (spec for spec in AGENTS.values() if not spec.optional):
            groups.setdefault(settings.group(other.name), ["DESCRIBE"])
            wanted.setdefault(settings.topic(other.reads), ["DESCRIBE"])
    require_rights(cluster, spec.name, wanted, groups)


def _without(unused: Collection[str], topics: Iterable[str]) -> list[str]:
    return [topic for topic in topics if topic not in unused]
