"""From public base weights and labelled text to the artifacts that a worker loads. Needs the extra `training`."""
