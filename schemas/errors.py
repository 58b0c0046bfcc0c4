"""The root of every error that Edgewise raises on purpose, and the tree of them: each class, and where it is defined.

    EdgewiseError                            schemas
        AccessError                          streams.kafka
        AlreadySettledError                  streams.operate
        BrokerStartError                     streams.kafka
        BrokerUnreachableError               streams.kafka
        ConsumeError                         streams.operate
        DecodeError                          schemas
        DeliveryError                        streams.worker
        DemoError                            streams.demo
        DoorError                            streams.demo
        EncodeError                          schemas
        EventRefusedError                    streams.ingest
        FallError                            training
        FencedError                          streams.worker
        FollowError                          streams.operate
        IntakeError                          streams.ingest
        KafkaAwayError                       streams.ingest
        KafkaSlowError                       streams.ingest
        LabelError                           streams.operate
        LagError                             streams.kafka
        LiveWindowsError                     streams.operate
        LookUpError                          streams.operate
        NotDrainedError                      streams.verify
        OffsetBeyondEndError                 streams.kafka
        ProcessDiedError                     streams.demo
        ProduceError                         streams.ingest
        ReadError                            streams.kafka
        RedactionError                       models
        RedriveError                         streams.operate
        RegistryError                        schemas
        ReplayError                          streams.ingest
        SendError                            streams.ingest
        SilenceError                         streams.operate
        StateError                           streams.agents
        StateFileError                       streams.agents
        TakenOverError                       streams.operate
        TemporaryFileError                   streams.operate
        TokenError                           streams.kafka
        TopicAdminError                      streams.operate
        WorkerFailedError                    streams.worker
        CloudError                           models
            CallError                        models
        UsageError                           schemas
            AimsError                        training
            ArtifactError                    models
            BodyError                        streams.ingest
            CalibrationError                 models
            ConfigError                      training
            ConnectionRefusedByBrokerError   streams.kafka
            DriftReferenceError              streams.monitoring
            FormatError                      streams.files
            GrammarError                     training
            HealthRuleError                  streams.monitoring
            NoPolicyError                    streams.monitoring
            PointerError                     models
            PolicyError                      models
            PolicyFitError                   streams.monitoring
            PriceError                       models
            RecordingError                   recordings
            ReportError                      training
            RunError                         training
            SuiteError                       training
            TokenRefusedError                streams.kafka
            TooManyDeadLettersError          streams.agents
            TopicMissingError                streams.worker
            WebhookError                     streams.webhooks
            CorpusError                      training
                LeakError                    training

What is under `UsageError` ends a command with exit code 2, the others with 1.
"""


class EdgewiseError(Exception):
    """Something the user can act on: its message is one line that says what was wrong, where, and what is allowed.

    The command line prints it without a traceback and ends with exit code 1, or 2 for a subclass of `UsageError`.
    """


class UsageError(EdgewiseError):
    """What was asked for, or how it is set up, is wrong: trying again unchanged cannot help (exit code 2)."""
