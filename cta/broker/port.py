"""What a broker is to this program: partitioned logs of records. Memory and Kafka are two equals of it.

Theory of operation. A topic is a name and a fixed number of partitions. A partition is a log: records stand in the
order in which they were appended, each at an offset; offsets are dense, counted from 0, and never used again. A log
grows at its end and is cut at its beginning; what stands between is never changed. There is no order between
partitions. Nothing here hashes a key: the producer names the partition (`cta.broker.partition`).

The docstrings below are the specification, and ``tests/broker/contract.py`` is the same in tests: an implementation is
right when it passes them. Every error is a `BrokerError` (or a `ServiceError` where a service cannot be reached) that
says where, what and what to do; an operation that raised one changed nothing.
"""

from __future__ import annotations

from typing import Protocol

from cta.model.batch import Batch


class Broker(Protocol):
    """Partitioned logs of records.

    Unless it says otherwise, a method that takes a topic raises for one that does not exist, and a method that takes a
    partition raises for one that is not 0 <= partition < partitions(topic).
    """

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic with so many empty partitions; nothing happens if it is there with as many.

        Raises if it is there with another number (an entity's records would be in two places), if ``partitions`` is
        below 1, or if the name is not 1 to 249 of the letters, digits, ``.``, ``_`` and ``-`` that Kafka allows.
        """

    def topics(self) -> list[str]:
        """The names of the topics, sorted. Others than one's own may be among them."""

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""

    def append(self, topic: str, partition: int, batch: Batch) -> range:
        """Append a batch's records in its order and return their offsets, which follow on the end offset.

        All of them become visible at once: no reader sees an end offset inside a batch. (Kafka does not keep this: only
        its transactions could, and their markers would take offsets, which would then not be dense.) When the call
        returns they can be read. An empty batch appends nothing and has an empty range. The caller may do with the
        batch's columns what it likes afterwards.
        """

    def send(self, topic: str, partition: int, batch: Batch) -> None:
        """Append as `append` does, without waiting and without offsets: what a stream of batches is written with.

        A partition's records keep the order in which they were sent or appended. When they can be read is known after
        `flush`, and so is whether they could be delivered.
        """

    def flush(self) -> None:
        """Wait until all that was sent can be read. Raises with the number of records that were not delivered."""

    def read(self, topic: str, partition: int, offset: int, max_records: int) -> tuple[Batch, int]:
        """Records from ``offset`` on, in order, and the offset to go on from.

        There are at most ``max_records`` of them, possibly fewer than there are to read, but at least one if ``offset``
        is below the end offset; at the end offset itself the batch is empty and the next offset is the same. Time,
        topic, key and value of a record are equal to what was appended; objects need not be the same.

        Raises if ``offset`` is before the begin offset or behind the end offset, or if ``max_records`` is below 1.
        """

    def begin_offset(self, topic: str, partition: int) -> int:
        """The offset of the earliest record that can be read, or the end offset if there is none."""

    def end_offset(self, topic: str, partition: int) -> int:
        """The offset that the next record will have."""

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None:
        """Make ``before_offset`` the begin offset: what stands before it cannot be read again. Offsets stay.

        Nothing happens if the begin offset is there or further already. Raises if ``before_offset`` is below 0 or
        behind the end offset.
        """
