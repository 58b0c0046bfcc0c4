"""Made-up objects in the shape of each vendor's, one a format; what they say is nobody's."""

import copy
from typing import Any

from streams.files.formats.registry import FORMATS
from streams.files.formats.turn import Hints, Reading, Turn

CONTACT = "1b9e8a1c-5a3e-4c1d-9a77-0d2f6c1e7a01"

_OBJECTS: dict[str, Any] = {
    "contact-lens": {
        "Version": "1.1.0",
        "Channel": "VOICE",
        "LanguageCode": "en-US",
        "JobStatus": "COMPLETED",
        "CustomerMetadata": {
            "ContactId": CONTACT,
            "InputS3Uri": f"s3://bucket/recordings/{CONTACT}_20260622T16:55_UTC.wav",
        },
        "Participants": [
            {"ParticipantId": "AGENT", "ParticipantRole": "AGENT"},
            {"ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER"},
        ],
        "Transcript": [
            {
                "Id": "11111111-0000-4000-8000-000000000002", "ParticipantId": "CUSTOMER", "Content": "Hi, [PII] here.",
                "BeginOffsetMillis": 2500, "EndOffsetMillis": 4000, "Sentiment": "NEGATIVE", "LoudnessScore": [66.5],
            },
            {
                "Id": "11111111-0000-4000-8000-000000000001", "ParticipantId": "AGENT", "Content": "Good morning.",
                "BeginOffsetMillis": 100, "EndOffsetMillis": 900, "Sentiment": "NEUTRAL",
            },
            {"Id": "x", "ParticipantId": "AGENT", "Content": "  ", "BeginOffsetMillis": 5000, "EndOffsetMillis": 5100},
        ],
    },
    "contact-lens-realtime": {
        "Version": "1.0.0",
        "Channel": "VOICE",
        "ContactId": CONTACT,
        "LanguageCode": "en-US",
        "EventType": "SEGMENTS",
        "Segments": [
            {"Utterance": {"Id": "u1", "TranscriptId": "t1", "ParticipantRole": "AGENT", "PartialContent": "Good mor"}},
            {
                "Transcript": {
                    "Id": "t1", "ParticipantId": "AGENT", "ParticipantRole": "AGENT", "Content": "Good morning.",
                    "BeginOffsetMillis": 100, "EndOffsetMillis": 900, "Sentiment": "NEUTRAL",
                }
            },
            {"Categories": {"MatchedCategories": ["greeting"], "MatchedDetails": {}}},
        ],
    },
    "transcribe-call-analytics": {
        "JobName": "job-7",
        "JobStatus": "COMPLETED",
        "LanguageCode": "en-GB",
        "Participants": [{"ParticipantRole": "AGENT"}, {"ParticipantRole": "CUSTOMER"}],
        "Transcript": [
            {
                "Id": "a", "ParticipantRole": "CUSTOMER", "Content": "It is broken.", "BeginOffsetMillis": 10,
                "EndOffsetMillis": 990, "Sentiment": "NEGATIVE", "Items": [],
            }
        ],
    },
    "amazon-pca": {
        "ConversationAnalytics": {
            "GUID": "call-12",
            "ConversationTime": "2026-01-05 13:35:14.215558",
            "LanguageCode": "en-US",
            "SpeakerLabels": [{"Speaker": "spk_0", "DisplayText": "Agent"}, {"Speaker": "spk_1", "DisplayText": "Jo"}],
            "SourceInformation": [{"TranscribeJobInfo": {"TranscriptionJobName": "one.mp3"}}],
        },
        "SpeechSegments": [
            {
                "SegmentStartTime": 0.04, "SegmentEndTime": 1.25, "SegmentSpeaker": "spk_0", "DisplayText": "Hello.",
                "OriginalText": "Hello.", "SentimentScore": 2.5,
            },
            {
                "SegmentStartTime": 2, "SegmentEndTime": 3.5, "SegmentSpeaker": "spk_1", "DisplayText": "It is late.",
                "SentimentScore": -5,
            },
        ],
    },
    "genesys": {
        "organizationId": "o",
        "conversationId": "c-1",
        "communicationId": "m-1",
        "mediaType": "call",
        "transcripts": [
            {
                "transcriptId": "t-1",
                "language": "en-us",
                "phrases": [
                    {
                        "text": "thank you", "decoratedText": "Thank you.", "confidence": 0.9,
                        "startTimeMs": 1767606914000, "duration": {"milliseconds": 700},
                        "participantPurpose": "external",
                    },
                ],
                "analytics": {
                    "sentiment": [
                        {"participant": "external", "startTimeMs": 1767606914000, "sentiment": 0.75, "phraseIndex": 4}
                    ]
                },
            },
            {
                "transcriptId": "t-2",
                "phrases": [
                    {"text": "bye", "startTimeMs": 1767606918000, "participantPurpose": "internal"},
                    {"text": "please hold", "startTimeMs": 1767606916000, "participantPurpose": "acd"},
                ],
            },
        ],
    },
    "genesys-notification": {
        "topicName": "v2.conversations.c-1.transcription",
        "eventBody": {
            "eventTime": "2026-01-05T09:55:20.000Z",
            "conversationId": "c-1",
            "sessionStartTimeMs": 1767606914000,
            "transcripts": [
                {"utteranceId": "u1", "isFinal": False, "channel": "EXTERNAL",
                 "alternatives": [{"offsetMs": 500, "transcript": "my par"}]},
                {"utteranceId": "u1", "isFinal": True, "channel": "EXTERNAL", "dialect": "en-us",
                 "alternatives": [{"offsetMs": 500, "durationMs": 900, "confidence": 0.8, "transcript": "my parcel",
                                   "decoratedTranscript": "My parcel."}]},
            ],
        },
    },
    "genesys-audiohook": {
        "version": "2",
        "type": "event",
        "id": "session-9",
        "seq": 5,
        "parameters": {
            "entities": [
                {"type": "transcript", "data": {"id": "e0", "isFinal": False, "channelId": "external",
                 "alternatives": [{"interpretations": [{"type": "display", "transcript": "I am"}]}]}},
                {"type": "transcript", "data": {"id": "e1", "isFinal": True, "channelId": "external",
                 "offset": "PT1.5S", "duration": "PT2S",
                 "alternatives": [{"confidence": 0.7, "languages": ["en-US"],
                                   "interpretations": [{"type": "display", "transcript": "I am waiting."}]}]}},
                {"type": "agentassist", "data": {"id": "x"}},
            ]
        },
    },
    "twilio-intelligence": {
        "transcript": {
            "sid": "GT" + "0" * 32,
            "language_code": "en-US",
            "media_start_time": "2026-01-05T09:55:14Z",
            "channel": {"participants": [{"channel_participant": 1, "role": "Agent"},
                                         {"channel_participant": 2, "role": "Customer"}]},
        },
        "sentences": [
            {"media_channel": 2, "sentence_index": 0, "start_time": "0.05", "end_time": 1.5, "confidence": "0.91",
             "transcript": "Good evening.", "sid": "GX" + "1" * 32, "words": []},
            {"media_channel": 1, "sentence_index": 1, "start_time": None, "end_time": None, "confidence": None,
             "transcript": "Hello.", "sid": "GX" + "2" * 32},
        ],
        "meta": {"key": "sentences", "page": 0, "url": "https://intelligence.twilio.com/v2/Transcripts/none/Sentences"},
    },
    "twilio-conversations": {
        "EventType": "onMessageAdded",
        "ConversationSid": "CH" + "a" * 32,
        "MessageSid": "IM" + "b" * 32,
        "Body": "Where is it?",
        "Author": "whatsapp:+15550100123",
        "Index": "4",
        "DateCreated": "2026-01-05T09:55:14.250Z",
        "Source": "WHATSAPP",
    },
    "webvtt": (
        "WEBVTT\nKind: captions\nLanguage: en\n\nNOTE a comment\n\n1\n00:00:01.000 --> 00:00:04.000\n"
        "Agent Ann: Thank you for &lt;calling&gt;\n\n2\n00:00:05.000 --> 00:00:09.000\nCustomer: my parcel is lost\n"
    ),
    "srt": (
        "1\r\n00:00:00,500 --> 00:00:07,000\r\n<i>Good</i> morning\r\n\r\n2\r\n00:00:07,000 --> 00:00:11,890\r\n\r\n"
    ),
    "deepgram": {
        "metadata": {"request_id": "a847f427-4ad5-4d67-9b95-db801e58251c", "created": "2026-01-05T09:55:14Z"},
        "results": {
            "channels": [
                {"detected_language": "en", "alternatives": [{"transcript": "hello there", "words": []}]},
                {"detected_language": "es", "alternatives": [{"transcript": "my parcel", "words": []}]},
            ],
            "utterances": [
                {"id": "u-2", "start": 2.25, "end": 3, "confidence": 0.9, "channel": 1, "speaker": 0,
                 "transcript": "My parcel.", "sentiment": "negative", "sentiment_score": -0.5},
                {"id": "u-1", "start": 0.5, "end": 1.5, "confidence": 0.99, "channel": 0, "speaker": 1,
                 "transcript": "Hello there."},
            ],
        },
    },
    "deepgram-live": {
        "type": "Results",
        "channel_index": [0, 1],
        "start": 3.5,
        "duration": 2.0,
        "is_final": True,
        "speech_final": False,
        "channel": {
            "alternatives": [
                {
                    "transcript": "hello my parcel",
                    "languages": ["en"],
                    "words": [
                        {"word": "hello", "punctuated_word": "Hello.", "start": 3.5, "end": 3.9, "speaker": 0},
                        {"word": "my", "start": 4.0, "end": 4.1, "speaker": 1},
                        {"word": "parcel", "start": 4.1, "end": 4.5, "speaker": 1},
                    ],
                }
            ]
        },
        "metadata": {"request_id": "r-1"},
    },
    "assemblyai": {
        "id": "tr-1",
        "status": "completed",
        "audio_url": "https://example.com/a.mp3",
        "language_code": "en_us",
        "text": "Hello. My name is ####.",
        "utterances": [
            {"speaker": "A", "channel": "1", "start": 250, "end": 900, "confidence": 0.97, "text": "Hello."},
            {"speaker": "B", "start": 1000, "end": 2900, "confidence": 0.9, "text": "My name is #### ######."},
        ],
    },
    "whisper": {
        "task": "transcribe",
        "language": "english",
        "duration": 8.5,
        "text": "Hello. Thanks.",
        "segments": [
            {"id": 0, "start": 0.0, "end": 3.3, "text": " Hello.", "avg_logprob": -0.3, "no_speech_prob": 0.01},
            {"id": 1, "start": 3.3, "end": 5.0, "text": " Thanks for watching!", "avg_logprob": -1.2,
             "no_speech_prob": 0.9},
            {"id": 2, "start": 5.0, "end": 6.0, "text": " It broke.", "speaker": "customer"},
        ],
    },
    "vcon": {
        "vcon": "0.3.0",
        "uuid": "01928e10-193e-8231-b9a2-279e0d16bc46",
        "parties": [
            {"name": "Alice", "role": "agent", "tel": "+15550100"}, {"name": "Bob", "meta": {"role": "customer"}},
        ],
        "dialog": [
            {"type": "recording", "start": "2026-01-05T09:55:14.000+00:00", "duration": 33.1, "parties": [0, 1],
             "mediatype": "audio/x-mp3"},
            {"type": "text", "start": "2026-01-06T09:00:00Z", "parties": [1, 0], "mediatype": "text/plain",
             "encoding": "none", "body": "Still nothing."},
        ],
        "analysis": [
            {"type": "transcript", "dialog": 0, "vendor": "acme", "encoding": "none",
             "body": [{"speaker": "Agent", "message": "Hello."}, {"speaker": "Bob", "message": "It is late."}]},
            {"type": "summary", "dialog": 0, "body": "late", "encoding": "none"},
        ],
    },
    "google-ccai": {
        "entries": [
            {"start_timestamp_usec": 1767606914000000, "text": "Hello.", "role": "AUTOMATED_AGENT", "user_id": 2},
            {"start_timestamp_usec": 1767606915000000, "text": "I am late.", "role": "END_USER", "user_id": 1},
        ]
    },
    "google-insights": {
        "name": "projects/p/locations/l/conversations/7",
        "startTime": "2026-01-05T09:55:14Z",
        "languageCode": "en-US",
        "medium": "PHONE_CALL",
        "transcript": {
            "transcriptSegments": [
                {"messageTime": "2026-01-05T09:55:15.123456789Z", "text": "Hello.", "confidence": 0.9, "channelTag": 2,
                 "segmentParticipant": {"role": "HUMAN_AGENT", "userId": "77"}, "sentiment": {"score": 0.25}},
            ]
        },
    },
    "azure-speech": {
        "source": "https://example.com/a.wav",
        "timestamp": "2026-01-05T15:18:35Z",
        "combinedRecognizedPhrases": [{"channel": 0, "display": "Hello. It broke."}],
        "recognizedPhrases": [
            {"recognitionStatus": "Success", "channel": 0, "speaker": 1, "offset": "PT0.04S", "duration": "PT2.18S",
             "offsetInTicks": 400000.0, "durationInTicks": 21800000.0,
             "nBest": [{"confidence": 0.95, "display": "Hello."}]},
            {"recognitionStatus": "NoMatch", "channel": 0, "offset": "PT3S", "nBest": []},
            {"recognitionStatus": "Success", "channel": 1, "offset": "PT1M2.5S", "duration": "PT1S",
             "nBest": [{"confidence": 0.8, "display": "It broke."}]},
        ],
    },
    "azure-language": {
        "displayName": "analysis",
        "analysisInput": {
            "conversations": [
                {"id": "k1", "language": "en", "modality": "text", "conversationItems": [
                    {"id": "1", "participantId": "Agent", "text": "Hello."},
                    {"id": "2", "participantId": "Customer", "text": "It broke."}]},
                {"id": "k2", "language": "de", "modality": "transcript", "conversationItems": [
                    {"id": "1", "participantId": "P1", "role": "customer", "text": "Kaputt."}]},
            ]
        },
        "tasks": [],
    },
    "intercom": {
        "type": "conversation",
        "id": "367",
        "created_at": 1767606914,
        "source": {
            "type": "email", "id": "403",
            "body": "<p>My parcel is <b>late</b>.</p><blockquote>We are sorry</blockquote>",
            "author": {"type": "user", "id": "u1", "name": "Jo"}, "redacted": False,
        },
        "conversation_parts": {
            "type": "conversation_part.list",
            "conversation_parts": [
                {"type": "conversation_part", "id": "404", "part_type": "assignment", "body": None,
                 "created_at": 1767606920, "author": {"type": "bot", "id": "b1"}},
                {"type": "conversation_part", "id": "405", "part_type": "note", "body": "<p>What a bore</p>",
                 "created_at": 1767606921, "author": {"type": "admin", "id": "a1", "name": "Sam"}},
                {"type": "conversation_part", "id": "406", "part_type": "comment", "body": "<p>We look into it</p>",
                 "created_at": 1767606922, "author": {"type": "admin", "id": "a1", "name": "Sam"}, "redacted": False},
                {"type": "conversation_part", "id": "407", "part_type": "comment", "body": "",
                 "created_at": 1767606923, "author": {"type": "user", "id": "u1"}, "redacted": True},
            ],
        },
    },
    "zendesk": {
        "ticket": {"id": 35, "requester_id": 7, "subject": "Parcel", "via": {"channel": "email"},
                   "created_at": "2026-01-05T09:55:14Z", "description": "My parcel is late."},
        "comments": [
            {"id": 90001, "author_id": 7, "public": True, "created_at": "2026-01-05T09:55:14Z",
             "plain_body": "My parcel is late.\n\n-- \nJo", "html_body": "<p>x</p>", "body": "x",
             "via": {"channel": "email"}},
            {"id": 90002, "author_id": 8, "public": False, "created_at": "2026-01-05T10:00:00Z", "body": "A bore."},
            {"id": 90003, "author_id": 8, "public": True, "created_at": "2026-01-05T10:01:00Z",
             "html_body": "<div>We look into it</div>", "via": {"channel": "web"}},
        ],
        "users": [{"id": 8, "role": "agent", "name": "Sam"}],
    },
    "zendesk-events": {
        "account_id": 22129848,
        "detail": {"id": "35", "subject": "Parcel", "status": "OPEN", "via": {"channel": "email"}},
        "event": {
            "comment": {"id": 90001, "body": "My parcel is late.\n\n-- \nJo", "is_public": True,
                        "author": {"id": 7, "is_staff": False, "name": "Jo"}},
        },
        "id": "d4f5c389-8f4a-4c2e-a1b9-8e4f39c71d52",
        "subject": "zen:ticket:35",
        "time": "2026-01-05T09:55:14.123456789Z",
        "type": "zen:event-type:ticket.comment_added",
        "zendesk_event_version": "2022-11-06",
    },
    "zendesk-messaging": {
        "app": {"id": "app"},
        "webhook": {"id": "w", "version": "v2"},
        "events": [
            {"id": "e1", "type": "conversation:message", "createdAt": "2026-01-05T09:55:14.500Z",
             "payload": {"conversation": {"id": "cv1", "type": "personal"},
                         "message": {"id": "m1", "received": "2026-01-05T09:55:14.250Z",
                                     "author": {"type": "user", "userId": "u1", "displayName": "Jo"},
                                     "content": {"type": "text", "text": "My parcel is late."}}}},
            {"id": "e2", "type": "conversation:read", "payload": {"conversation": {"id": "cv1"}}},
        ],
    },
    "chatwoot": {
        "event": "message_created",
        "id": 15,
        "content": "My parcel is late.",
        "created_at": "2026-01-05 09:55:14 UTC",
        "message_type": "incoming",
        "private": False,
        "sender": {"id": 3, "name": "Jo", "type": "contact"},
        "account": {"id": 1, "name": "Acme"},
        "conversation": {"id": 57, "channel": "Channel::WebWidget"},
    },
    "zoom": {
        "event": "meeting.chat_message_sent",
        "event_ts": 1767606914000,
        "payload": {
            "account_id": "AAAAAABBBB",
            "object": {
                "id": 94778291,
                "uuid": "4444AAAiAAAAAiAiAiiAii==",
                "chat_message": {
                    "date_time": "2026-01-05T09:55:14Z", "message_id": "MS17RDk0QTY3QUQt",
                    "message_content": "My parcel is late.", "sender_session_id": "ABCDE1234", "sender_name": "Jo",
                    "sender_type": "guest", "recipient_type": "everyone",
                },
            },
        },
    },
}  # fmt: skip

NAMES = tuple(_OBJECTS)


def vendor_object(name: str) -> Any:
    """A fresh copy of the object of a format."""
    return copy.deepcopy(_OBJECTS[name])


def reading(form: str, value: Any, **hints: Any) -> Reading:
    """What the format `form` reads from `value`, where the caller gives the conversation's id `given`."""
    return FORMATS[form].read(value, Hints(**{"conversation_id": "given", **hints}))


def turns(form: str, value: Any, **hints: Any) -> list[Turn]:
    return list(reading(form, value, **hints).turns)


def said(found: list[Turn]) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in found]
