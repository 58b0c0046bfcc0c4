"""A value of every topic as each released schema version wrote it, and what it says. Released: never edited."""

from typing import Any

RELEASED: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {
    ("transcripts", 1): (
        (
            "c3012cdb7cfaa9960ab506652d3106632d31062e4d69207675656c6f206e6f2073616c69c3b320f09f98a1f6a1abfef96202"
            "02020a65732d4d580a66696c6573020a71756575650e62696c6c696e6700"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "text": "Mi vuelo no salió 😡",
            "occurred_at": 1700000000123,
            "role": "customer",
            "channel": "voice",
            "language": "es-MX",
            "source": "files",
            "attributes": {"queue": "billing"},
        },
    ),
    ("sentiment", 1): (
        (
            "c3017a5a3001e3d475ef06652d3106632d310600000000000000e83f000000000000e83f000000000000c03f000000000000"
            "c03f02040116636c6f756440312e302e30f6a1abfef962d0afabfef962"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "label": "negative",
            "confidence": 0.75,
            "negative": 0.75,
            "neutral": 0.125,
            "positive": 0.125,
            "route": "cloud",
            "reason": "low_confidence",
            "degraded": True,
            "model": "cloud@1.0.0",
            "occurred_at": 1700000000123,
            "scored_at": 1700000001000,
        },
    ),
    ("cloud-inference", 1): (
        (
            "c3010c9791c9260d0fbc06652d3106632d31062e4d69207675656c6f206e6f2073616c69c3b320f09f98a1f6a1abfef96202"
            "0a65732d4d5880a2abfef962a8a2abfef96202000000000000e93f000000000000e03f000000000000d03f000000000000c0"
            "3f000000000000f03f000000000000e03f000000000000d03f000000000000d03f146564676540312e302e30126465666175"
            "6c744031040a656d61696c0a70686f6e6500"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "text": "Mi vuelo no salió 😡",
            "occurred_at": 1700000000123,
            "language": "es-MX",
            "ingested_at": 1700000000128,
            "requested_at": 1700000000148,
            "reason": "high_complexity",
            "complexity": 0.78125,
            "length": 0.5,
            "syntax": 0.25,
            "uncertainty": 0.125,
            "emotion": 1.0,
            "edge_negative": 0.5,
            "edge_neutral": 0.25,
            "edge_positive": 0.25,
            "edge_model": "edge@1.0.0",
            "router": "default@1",
            "pii": ("email", "phone"),
        },
    ),
    ("routing-events", 1): (
        (
            "c3011dac068bf73a991c06652d3106632d310602020601000000000000e93f000000000000e03f000000000000d03f000000"
            "000000c03f000000000000f03f02000000000000e03f0204fca9f1d24d62503f5f07ce1951da8b3f000000000000f83f0000"
            "000000403440040a656d61696c0a70686f6e6500146564676540312e302e301264656661756c744031f6a1abfef962aca2ab"
            "fef962"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "stage": "decided",
            "route": "cloud",
            "reason": "random_cloud",
            "degraded": True,
            "complexity": 0.78125,
            "length": 0.5,
            "syntax": 0.25,
            "uncertainty": 0.125,
            "emotion": 1.0,
            "edge_label": "neutral",
            "edge_confidence": 0.5,
            "cloud_label": "positive",
            "cost_usd": 0.001,
            "cloud_only_cost_usd": 0.0136,
            "inference_ms": 1.5,
            "end_to_end_ms": 20.25,
            "pii": ("email", "phone"),
            "model": "edge@1.0.0",
            "router": "default@1",
            "occurred_at": 1700000000123,
            "recorded_at": 1700000000150,
        },
    ),
    ("monitoring", 1): (
        (
            "c301f112133da0cc8e7080a0abfef962c0c9b2fef96206d00fc8010a040865646765920e0a636c6f7564be010002186f7074"
            "696d616c5f65646765e00d0002106e65676174697665b009002824bc749318045602403333333333332b400600ff41020ab6"
            "cbb2fef962"
        ),
        {
            "window_start": 1700000000000,
            "window_end": 1700000060000,
            "partition": 3,
            "events": 1000,
            "decided": 100,
            "degraded": 5,
            "routes": {"edge": 905, "cloud": 95},
            "reasons": {"optimal_edge": 880},
            "labels": {"negative": 600},
            "sampled": 20,
            "sampled_agreed": 18,
            "cost_usd": 2.292,
            "cloud_only_cost_usd": 13.6,
            "end_to_end_ms": b"\x00\xffA",
            "inference_ms": b"\n",
            "updated_at": 1700000060123,
        },
    ),
    ("transcripts", 2): (
        (
            "c3014997f2fda218524106652d3106632d31062e4d69207675656c6f206e6f2073616c69c3b320f09f98a1f6a1abfef96202"
            "02020a65732d4d580a66696c6573020a71756575650e62696c6c696e670001"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "text": "Mi vuelo no salió 😡",
            "occurred_at": 1700000000123,
            "role": "customer",
            "channel": "voice",
            "language": "es-MX",
            "source": "files",
            "attributes": {"queue": "billing"},
            "last": True,
        },
    ),
    ("sentiment", 2): (
        (
            "c30170660fa888abca4b06652d3106632d310600000000000000e83f000000000000e83f000000000000c03f000000000000"
            "c03f02040116636c6f756440312e302e30f6a1abfef962d0afabfef9620202020a65732d4d580a66696c657301"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "label": "negative",
            "confidence": 0.75,
            "negative": 0.75,
            "neutral": 0.125,
            "positive": 0.125,
            "route": "cloud",
            "reason": "low_confidence",
            "degraded": True,
            "model": "cloud@1.0.0",
            "occurred_at": 1700000000123,
            "scored_at": 1700000001000,
            "role": "customer",
            "channel": "voice",
            "source": "files",
            "last": True,
            "language": "es-MX",
        },
    ),
    ("cloud-inference", 2): (
        (
            "c3011fe1256b6fcde27306652d3106632d31062e4d69207675656c6f206e6f2073616c69c3b320f09f98a1f6a1abfef96202"
            "0a65732d4d5880a2abfef962a8a2abfef96202000000000000e93f000000000000e03f000000000000d03f000000000000c0"
            "3f000000000000f03f000000000000e03f000000000000d03f000000000000d03f146564676540312e302e30126465666175"
            "6c744031040a656d61696c0a70686f6e650002020a66696c657301260204"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "text": "Mi vuelo no salió 😡",
            "occurred_at": 1700000000123,
            "language": "es-MX",
            "ingested_at": 1700000000128,
            "requested_at": 1700000000148,
            "reason": "high_complexity",
            "complexity": 0.78125,
            "length": 0.5,
            "syntax": 0.25,
            "uncertainty": 0.125,
            "emotion": 1.0,
            "edge_negative": 0.5,
            "edge_neutral": 0.25,
            "edge_positive": 0.25,
            "edge_model": "edge@1.0.0",
            "router": "default@1",
            "pii": ("email", "phone"),
            "role": "customer",
            "channel": "voice",
            "source": "files",
            "last": True,
            "text_chars": 19,
            "vendor_label": "positive",
        },
    ),
    ("routing-events", 2): (
        (
            "c3015d9c95ab6d9daa8906652d3106632d310602021401000000000000e93f000000000000e03f000000000000d03f000000"
            "000000c03f000000000000f03f02000000000000e03f0204fca9f1d24d62503f5f07ce1951da8b3f000000000000f83f0000"
            "000000403440040a656d61696c0a70686f6e6500146564676540312e302e301264656661756c744031f6a1abfef962aca2ab"
            "fef9620202020a65732d4d580a66696c65730100f004028004040202000000000000e43f02002602b81e85eb51b8ee3f"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "stage": "decided",
            "route": "cloud",
            "reason": "not_scored",
            "degraded": True,
            "complexity": 0.78125,
            "length": 0.5,
            "syntax": 0.25,
            "uncertainty": 0.125,
            "emotion": 1.0,
            "edge_label": "neutral",
            "edge_confidence": 0.5,
            "cloud_label": "positive",
            "cost_usd": 0.001,
            "cloud_only_cost_usd": 0.0136,
            "inference_ms": 1.5,
            "end_to_end_ms": 20.25,
            "pii": ("email", "phone"),
            "model": "edge@1.0.0",
            "router": "default@1",
            "occurred_at": 1700000000123,
            "recorded_at": 1700000000150,
            "role": "customer",
            "channel": "voice",
            "source": "files",
            "last": True,
            "language": "es-MX",
            "scored": False,
            "tokens_in": 312,
            "tokens_out": 1,
            "tokens_cached": 256,
            "calls": 2,
            "cost_basis": "measured",
            "cloud_confidence": 0.625,
            "vendor_label": "negative",
            "text_chars": 19,
            "budget_used": 0.96,
        },
    ),
    ("monitoring", 2): (
        (
            "c3011866ad8bdb2061a680a0abfef962c0c9b2fef96206d00fc8010a040865646765920e0a636c6f7564be010002186f7074"
            "696d616c5f65646765e00d0002106e65676174697665b009002824bc749318045602403333333333332b400600ff41020ab6"
            "cbb2fef962500410637573746f6d6572b0090e756e6b6e6f776ea006000222637573746f6d65722f6e65676174697665cc08"
            "00021c766f6963652f6e65676174697665b009000210637573746f6d6572000000000000f83f000404656ebc0f0465731400"
            "020a70686f6e65060002146564676540312e302e30920e00021264656661756c744031d00f00c0e703be018090031b2fdd24"
            "0681a53f9ca98ae606040a0002ff140e020439365000"
        ),
        {
            "window_start": 1700000000000,
            "window_end": 1700000060000,
            "partition": 3,
            "events": 1000,
            "decided": 100,
            "degraded": 5,
            "routes": {"edge": 905, "cloud": 95},
            "reasons": {"optimal_edge": 880},
            "labels": {"negative": 600},
            "sampled": 20,
            "sampled_agreed": 18,
            "cost_usd": 2.292,
            "cloud_only_cost_usd": 13.6,
            "end_to_end_ms": b"\x00\xffA",
            "inference_ms": b"\n",
            "updated_at": 1700000060123,
            "skipped": 40,
            "roles": {"customer": 600, "unknown": 400},
            "role_labels": {"customer/negative": 550},
            "channel_labels": {"voice/negative": 600},
            "role_cost_usd": {"customer": 1.5},
            "languages": {"en": 990, "es": 10},
            "kinds": {"phone": 3},
            "models": {"edge@1.0.0": 905},
            "routers": {"default@1": 1000},
            "tokens_in": 31200,
            "tokens_out": 95,
            "tokens_cached": 25600,
            "measured_cost_usd": 0.042,
            "confidence_sum": 912345678,
            "confidence": b"\n\x00",
            "text_chars": b"\xff",
            "vendor_compared": 10,
            "vendor_agreed": 7,
            "budget_used": {"96": 40},
        },
    ),
    ("budget", 2): (
        ("c3017d19df8addac379a08356632630a706f642d3180ccc9fdf9620680f28ba80980e497d0129cd1e09f0ed0afabfef962"),
        {
            "lease": "5f2c",
            "worker": "pod-1",
            "window_start": 1699999200000,
            "revision": 3,
            "claimed": 1250000000,
            "granted": 2500000000,
            "spent": 1912345678,
            "updated_at": 1700000001000,
        },
    ),
    ("shadow", 2): (
        (
            "c301b3434e862ad930b406652d3106632d310600000000000000e83f000000000000e83f000000000000c03f000000000000c03f"
            "0204146564676540332e302e301264656661756c744031000000000000e03f80a0abfef962e8a7abfef96202040204656e0a6669"
            "6c6573"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "turn": 3,
            "label": "negative",
            "confidence": 0.75,
            "negative": 0.75,
            "neutral": 0.125,
            "positive": 0.125,
            "route": "cloud",
            "reason": "low_confidence",
            "model": "edge@3.0.0",
            "router": "default@1",
            "inference_ms": 0.5,
            "occurred_at": 1700000000000,
            "scored_at": 1700000000500,
            "role": "customer",
            "channel": "chat",
            "language": "en",
            "source": "files",
        },
    ),
    ("conversations", 2): (
        (
            "c30142d9e49eeb191cb706632d3100020a66696c657380a0abfef962c0c9b2fef96290d9b2fef9620410637573746f6d6572"
            "040e6f766572616c6c04000410637573746f6d6572000000000000e0bf0e6f766572616c6c000000000000e0bf0004106375"
            "73746f6d6572080200000000000014c00002000000000000000000000e6f766572616c6c080200000000000014c000020000"
            "0000000000000000000410637573746f6d6572000000000000f03f0e6f766572616c6c000000000000f03f00041063757374"
            "6f6d6572020e6f766572616c6c02000410637573746f6d65720e6e65757472616c0e6f766572616c6c0e6e65757472616c00"
            "000000000000e83f0214776f7273745f7475726e0020657363616c6174696f6e40312e302e300290d9b2fef9620604020600"
            "040202000400020004cf0f000004e8a7abfef962a8d1b2fef962000210637573746f6d65720e000210637573746f6d6572df"
            "1200"
        ),
        {
            "conversation_id": "c-1",
            "status": "open",
            "channel": "voice",
            "source": "files",
            "started_at": 1700000000000,
            "last_turn_at": 1700000060000,
            "updated_at": 1700000061000,
            "turns": {"customer": 2, "overall": 2},
            "mean_score": {"customer": -0.5, "overall": -0.5},
            "quarters": {"customer": (-5.0, None, 0.0, None), "overall": (-5.0, None, 0.0, None)},
            "slope": {"customer": 1.0, "overall": 1.0},
            "negative_run": {"customer": 1, "overall": 1},
            "last_label": {"customer": "neutral", "overall": "neutral"},
            "risk": 0.75,
            "risk_reasons": ("worst_turn",),
            "risk_model": "escalation@1.0.0",
            "escalated_at": 1700000061000,
            "partition": 3,
            "turn_numbers": (1, 3),
            "turn_roles": ("customer", "customer"),
            "turn_labels": ("negative", "neutral"),
            "turn_scores": (-1000, 0),
            "turn_times": (1700000000500, 1700000060500),
            "earlier_turns": {"customer": 7},
            "earlier_scores": {"customer": -1200},
        },
    ),
    ("labels", 2): (
        (
            "c301c4a8a4e6feeff2eb06652d3106632d3100c0bab7fef9620206702d37166f63746f6265722e6373760202020000000000"
            "00e83f02aca2abfef962020002146564676540312e302e30"
        ),
        {
            "event_id": "e-1",
            "conversation_id": "c-1",
            "label": "negative",
            "labelled_at": 1700000100000,
            "labeller": "p-7",
            "source": "october.csv",
            "answer_label": "neutral",
            "answer_confidence": 0.75,
            "answered_at": 1700000000150,
            "route": "edge",
            "role": "customer",
            "model": "edge@1.0.0",
        },
    ),
    ("alerts", 2): (
        (
            "c3019cab92e7b8676aac14657363616c6174696f6e06632d314832663666326134652d366630652d356433362d396136332d"
            "3066336238613461326231310202347269736b206f6620657363616c6174696f6e20697320302e3735087269736b02000000"
            "000000e83f02666666666666e63f00f6a1abfef96202b6cbb2fef962b8cbb2fef96201"
        ),
        {
            "rule": "escalation",
            "subject": "c-1",
            "alert_id": "2f6f2a4e-6f0e-5d36-9a63-0f3b8a4a2b11",
            "state": "resolved",
            "severity": "warning",
            "summary": "risk of escalation is 0.75",
            "metric": "risk",
            "value": 0.75,
            "bound": 0.7,
            "window_ms": 0,
            "started_at": 1700000000123,
            "resolved_at": 1700000060123,
            "updated_at": 1700000060124,
            "silenced": True,
        },
    ),
    ("silences", 2): (
        (
            "c3018bfa056eef7f489314656467655f7368617265f6dbe281fa623674686520636c6f7564206d6f64656c20697320726570"
            "6c6163656406616461f6a1abfef962"
        ),
        {
            "rule": "edge_share",
            "until": 1700003600123,
            "reason": "the cloud model is replaced",
            "by": "ada",
            "created_at": 1700000000123,
        },
    ),
    ("notifications", 2): (
        (
            "c3010092046a0a70bf1c0a736c61636b14657363616c6174696f6e06632d314832663666326134652d366630652d35643336"
            "2d396136332d30663362386134613262313102347269736b206f6620657363616c6174696f6e20697320302e373508726973"
            "6b02000000000000e83f02666666666666e63f00f6a1abfef96202b6cbb2fef9620200040101b8cbb2fef962"
        ),
        {
            "webhook": "slack",
            "rule": "escalation",
            "subject": "c-1",
            "alert_id": "2f6f2a4e-6f0e-5d36-9a63-0f3b8a4a2b11",
            "severity": "warning",
            "summary": "risk of escalation is 0.75",
            "metric": "risk",
            "value": 0.75,
            "bound": 0.7,
            "window_ms": 0,
            "started_at": 1700000000123,
            "resolved_at": 1700000060123,
            "state": "resolved",
            "status": "due",
            "tries": 2,
            "in_doubt": True,
            "told": True,
            "updated_at": 1700000060124,
        },
    ),
}
