"""A replayable simulation harness for a transit streaming pipeline on Apache Kafka."""

__version__ = "0.1.0"
