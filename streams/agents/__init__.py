"""The agents: functions of records to outputs. No Kafka client."""
